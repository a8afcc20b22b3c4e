#include "common/architecture/nasbench201.h"

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/architecture/cell_layers.h"
#include "common/architecture/graph.h"

namespace frontier {
namespace {

constexpr int kStages = 3;
constexpr int kMaxChannels = 1 << 20;  // of the first stage; far from overflow

absl::string_view Quotable(absl::string_view text) { return text.substr(0, 100); }

// Reads the notation from left to right.
class CellParser {
 public:
  explicit CellParser(absl::string_view text) : text_(text) {}

  absl::StatusOr<NasBench201Cell> Run() {
    NasBench201Cell cell{};
    for (size_t i = 0; i < kNasBench201Edges.size(); ++i) {
      const CellEdge& edge = kNasBench201Edges[i];
      // Each edge ends with the bar with which the next one of its node begins.
      if (edge.from == 0) {
        if (edge.to > 1 && !Take("+"))
          return Expected(absl::StrCat("'+' after node ", edge.to - 1));
        if (!Take("|")) return Expected(absl::StrCat("'|' before the edges of node ", edge.to));
      }
      const absl::string_view name = Word();
      const auto operation = FindOperation(name);
      if (operation == v1::CELL_OPERATION_UNSPECIFIED) {
        return Expected(
            absl::StrCat("an operation (none, skip_connect, nor_conv_1x1, "
                         "nor_conv_3x3, avg_pool_3x3) for the edge from node ",
                         edge.from, " to node ", edge.to));
      }
      at_ += name.size();
      if (!Take(absl::StrCat("~", edge.from, "|"))) {
        return Expected(absl::StrCat("'~", edge.from, "|' after ", name));
      }
      cell[i] = operation;
    }
    if (at_ != text_.size()) return Expected("the end");
    return cell;
  }

 private:
  bool Take(absl::string_view token) {
    if (!absl::StartsWith(text_.substr(at_), token)) return false;
    at_ += token.size();
    return true;
  }

  absl::string_view Word() const {
    size_t end = at_;
    while (end < text_.size() && (absl::ascii_isalnum(text_[end]) || text_[end] == '_')) ++end;
    return text_.substr(at_, end - at_);
  }

  static v1::CellOperation FindOperation(absl::string_view name) {
    for (int i = v1::CellOperation_MIN + 1; i <= v1::CellOperation_MAX; ++i) {
      const auto operation = static_cast<v1::CellOperation>(i);
      if (CellOperationName(operation) == name) return operation;
    }
    return v1::CELL_OPERATION_UNSPECIFIED;
  }

  absl::Status Expected(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat("nasbench201 cell '",
                                                   absl::CEscape(Quotable(text_)), "': expected ",
                                                   what, " at character ", at_ + 1));
  }

  const absl::string_view text_;
  size_t at_ = 0;
};

v1::Node* AddNode(const std::string& name, v1::Operator op, v1::Architecture* network) {
  v1::Node* node = network->add_nodes();
  node->set_name(name);
  node->set_op(op);
  return node;
}

// Each appends a node and returns its index.

int AddPlain(const std::string& name, v1::Operator op, int input, v1::Architecture* network) {
  AddNode(name, op, network)->add_inputs(input);
  return network->nodes_size() - 1;
}

int AddPool(const std::string& name, int input, const v1::Pool& attributes,
            v1::Architecture* network) {
  v1::Node* node = AddNode(name, v1::OPERATOR_AVERAGE_POOL, network);
  node->add_inputs(input);
  *node->mutable_pool() = attributes;
  return network->nodes_size() - 1;
}

int AddPlainConvolution(const std::string& name, int input, const v1::Convolution& attributes,
                        v1::Architecture* network) {
  v1::Node* node = AddNode(name, v1::OPERATOR_CONVOLUTION, network);
  node->add_inputs(input);
  *node->mutable_convolution() = attributes;
  return network->nodes_size() - 1;
}

int AddSum(const std::string& name, absl::Span<const int> inputs, v1::Architecture* network) {
  v1::Node* node = AddNode(name, v1::OPERATOR_ADD, network);
  node->mutable_inputs()->Reserve(static_cast<int>(inputs.size()));
  for (const int input : inputs) node->add_inputs(input);
  return network->nodes_size() - 1;
}

}  // namespace

absl::string_view CellOperationName(v1::CellOperation operation) {
  switch (operation) {
    case v1::CELL_OPERATION_NONE:
      return "none";
    case v1::CELL_OPERATION_SKIP_CONNECT:
      return "skip_connect";
    case v1::CELL_OPERATION_NOR_CONV_1X1:
      return "nor_conv_1x1";
    case v1::CELL_OPERATION_NOR_CONV_3X3:
      return "nor_conv_3x3";
    case v1::CELL_OPERATION_AVG_POOL_3X3:
      return "avg_pool_3x3";
    default:
      return "";
  }
}

std::string FormatNasBench201Cell(const NasBench201Cell& cell) {
  std::string text;
  for (size_t i = 0; i < cell.size(); ++i) {
    const CellEdge& edge = kNasBench201Edges[i];
    if (edge.from == 0) absl::StrAppend(&text, edge.to > 1 ? "+|" : "|");
    absl::StrAppend(&text, CellOperationName(cell[i]), "~", edge.from, "|");
  }
  return text;
}

absl::StatusOr<NasBench201Cell> ParseNasBench201Cell(absl::string_view text) {
  return CellParser(text).Run();
}

absl::StatusOr<NasBench201Networks> NasBench201Networks::Create(const NasBench201Skeleton& skeleton,
                                                                const v1::Shape& input,
                                                                int classes) {
  const auto names = [](absl::string_view prefix) {
    return EdgeNames{std::string(prefix), absl::StrCat(prefix, ".relu"),
                     absl::StrCat(prefix, ".conv"), absl::StrCat(prefix, ".norm")};
  };
  if (skeleton.channels < 1 || skeleton.channels > kMaxChannels || skeleton.cells_per_stage < 1) {
    return absl::InvalidArgumentError(absl::StrCat("nasbench201 networks: ", skeleton.channels,
                                                   " channels, ", skeleton.cells_per_stage,
                                                   " cells per stage"));
  }
  NasBench201Networks networks;
  networks.skeleton_ = skeleton;
  networks.input_ = input;
  networks.classes_ = classes;
  networks.stem_ = CellConvolution(input, skeleton.channels, 3);
  networks.pool_ = CellPool(input, 3);
  v1::Shape map = input;
  for (size_t i = 0; i < networks.stages_.size(); ++i) {
    Stage& stage = networks.stages_[i];
    const int width = skeleton.channels * (1 << i);
    stage.convolution1x1 = CellConvolution(input, width, 1);
    stage.convolution3x3 = CellConvolution(input, width, 3);
    if (i == 0) continue;
    const std::string name = absl::StrCat("reduction", i);
    stage.reducing = CellConvolution(input, width, 3, 2);
    stage.halving = HalvingCellPool(map);
    stage.first = names(absl::StrCat(name, ".a"));
    stage.second = names(absl::StrCat(name, ".b"));
    stage.pool = absl::StrCat(name, ".pool");
    stage.shortcut = absl::StrCat(name, ".shortcut");
    stage.sum = absl::StrCat(name, ".add");
    map.set_height(map.height() - map.height() / 2);
    map.set_width(map.width() - map.width() / 2);
  }
  for (int i = 0; i < kStages * skeleton.cells_per_stage; ++i) {
    CellNames& cell = networks.cells_.emplace_back();
    for (size_t k = 0; k < cell.edges.size(); ++k) {
      cell.edges[k] = names(
          absl::StrCat("cell", i, ".", kNasBench201Edges[k].from, "-", kNasBench201Edges[k].to));
    }
    for (size_t k = 0; k < cell.sums.size(); ++k) cell.sums[k] = absl::StrCat("cell", i, ".", k);
  }
  // Shapes do not depend on the cell, and none has more nodes, parameters or
  // multiply-accumulates than the one of large convolutions.
  NasBench201Cell cell;
  for (const v1::CellOperation operation :
       {v1::CELL_OPERATION_NOR_CONV_3X3, v1::CELL_OPERATION_AVG_POOL_3X3}) {
    cell.fill(operation);
    const auto costs = AnalyzeGraph(networks.Lower(cell));
    if (!costs.ok()) return costs.status();
  }
  return networks;
}

int NasBench201Networks::AddConvolution(const EdgeNames& names, int x,
                                        const v1::Convolution& attributes,
                                        v1::Architecture* network) {
  x = AddPlain(names.relu, v1::OPERATOR_RELU, x, network);
  x = AddPlainConvolution(names.convolution, x, attributes, network);
  return AddPlain(names.norm, v1::OPERATOR_BATCH_NORM, x, network);
}

int NasBench201Networks::AddCell(const CellNames& names, const NasBench201Cell& cell,
                                 const Stage& stage, int x, v1::Architecture* network) const {
  std::array<int, 4> nodes = {x, 0, 0, 0};
  std::array<int, 3> sum{};
  size_t terms = 0;
  for (size_t i = 0; i < cell.size(); ++i) {
    const CellEdge& edge = kNasBench201Edges[i];
    const int from = nodes[edge.from];
    int& term = sum[terms++];
    switch (cell[i]) {
      case v1::CELL_OPERATION_SKIP_CONNECT:
        term = AddPlain(names.edges[i].plain, v1::OPERATOR_IDENTITY, from, network);
        break;
      case v1::CELL_OPERATION_NOR_CONV_1X1:
        term = AddConvolution(names.edges[i], from, stage.convolution1x1, network);
        break;
      case v1::CELL_OPERATION_NOR_CONV_3X3:
        term = AddConvolution(names.edges[i], from, stage.convolution3x3, network);
        break;
      case v1::CELL_OPERATION_AVG_POOL_3X3:
        term = AddPool(names.edges[i].plain, from, pool_, network);
        break;
      default:
        term = AddPlain(names.edges[i].plain, v1::OPERATOR_ZERO, from, network);
        break;
    }
    if (edge.from + 1 < edge.to) continue;
    nodes[edge.to] =
        terms == 1 ? sum[0] : AddSum(names.sums[edge.to], {sum.data(), terms}, network);
    terms = 0;
  }
  return nodes[3];
}

int NasBench201Networks::AddReduction(const Stage& stage, int x, v1::Architecture* network) {
  int y = AddConvolution(stage.first, x, stage.reducing, network);
  y = AddConvolution(stage.second, y, stage.convolution3x3, network);
  x = AddPool(stage.pool, x, stage.halving, network);
  x = AddPlainConvolution(stage.shortcut, x, stage.convolution1x1, network);
  return AddSum(stage.sum, {x, y}, network);
}

v1::Architecture NasBench201Networks::Lower(const NasBench201Cell& cell) const {
  v1::Architecture network;
  *network.mutable_input() = input_;
  network.set_classes(classes_);
  network.mutable_nodes()->Reserve(static_cast<int>(20 * cells_.size() + 25));
  AddNode("input", v1::OPERATOR_INPUT, &network);
  int x = AddPlainConvolution("stem", 0, stem_, &network);
  x = AddPlain("stem.norm", v1::OPERATOR_BATCH_NORM, x, &network);
  size_t next = 0;
  for (size_t i = 0; i < stages_.size(); ++i) {
    if (i > 0) x = AddReduction(stages_[i], x, &network);
    for (int k = 0; k < skeleton_.cells_per_stage; ++k) {
      x = AddCell(cells_[next++], cell, stages_[i], x, &network);
    }
  }
  x = AddPlain("last.norm", v1::OPERATOR_BATCH_NORM, x, &network);
  x = AddPlain("last.relu", v1::OPERATOR_RELU, x, &network);
  x = AddPlain("pool", v1::OPERATOR_GLOBAL_AVERAGE_POOL, x, &network);
  v1::Node* classifier = AddNode("classifier", v1::OPERATOR_LINEAR, &network);
  classifier->add_inputs(x);
  classifier->mutable_linear()->set_out_features(classes_);
  classifier->mutable_linear()->set_bias(true);
  return network;
}

absl::StatusOr<v1::Architecture> LowerNasBench201(const NasBench201Cell& cell,
                                                  const NasBench201Skeleton& skeleton,
                                                  const v1::Shape& input, int classes) {
  for (size_t i = 0; i < cell.size(); ++i) {
    if (CellOperationName(cell[i]).empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "nasbench201 cell: edge ", kNasBench201Edges[i].from, "-", kNasBench201Edges[i].to,
          " has unknown operation ", static_cast<int>(cell[i])));
    }
  }
  const auto networks = NasBench201Networks::Create(skeleton, input, classes);
  if (!networks.ok()) return networks.status();
  return networks->Lower(cell);
}

}  // namespace frontier
