#include "common/architecture/nasbench201.h"

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/architecture/builder.h"
#include "common/architecture/cell_layers.h"

namespace frontier {
namespace {

constexpr int kStages = 3;

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

class Lowering {
 public:
  Lowering(const NasBench201Cell& cell, const v1::Shape& input, int classes)
      : cell_(cell), sample_(input), b_(input, classes) {}

  absl::StatusOr<v1::Architecture> Run(const NasBench201Skeleton& skeleton) {
    int width = skeleton.channels;
    int x = b_.ConvolutionNorm("stem", b_.input(), CellConvolution(sample_, width, 3));
    int cell = 0;
    for (int stage = 0; stage < kStages; ++stage) {
      if (stage > 0) {
        width *= 2;
        x = Reduction(absl::StrCat("reduction", stage), x, width);
      }
      convolution1x1_ = CellConvolution(sample_, width, 1);
      convolution3x3_ = CellConvolution(sample_, width, 3);
      for (int i = 0; i < skeleton.cells_per_stage; ++i) {
        x = Cell(absl::StrCat("cell", cell++, "."), x);
      }
    }
    b_.Classifier(b_.Relu("last.relu", b_.BatchNorm("last.norm", x)));
    return b_.Build();
  }

 private:
  int NormalConvolution(absl::string_view name, int x, const v1::Convolution& attributes) {
    x = b_.Relu(absl::StrCat(name, ".relu"), x);
    x = b_.Convolution(absl::StrCat(name, ".conv"), x, attributes);
    return b_.BatchNorm(absl::StrCat(name, ".norm"), x);
  }

  int Cell(absl::string_view name, int x) {
    std::array<int, 4> nodes = {x, 0, 0, 0};
    std::vector<int> sum;
    for (size_t i = 0; i < cell_.size(); ++i) {
      const CellEdge& edge = kNasBench201Edges[i];
      sum.push_back(Edge(absl::StrCat(name, edge.from, "-", edge.to), nodes[edge.from], cell_[i]));
      if (edge.from + 1 < edge.to) continue;
      nodes[edge.to] = sum.size() == 1 ? sum[0] : b_.Add(absl::StrCat(name, edge.to), sum);
      sum.clear();
    }
    return nodes[3];
  }

  int Edge(absl::string_view name, int x, v1::CellOperation operation) {
    switch (operation) {
      case v1::CELL_OPERATION_SKIP_CONNECT:
        return b_.Identity(name, x);
      case v1::CELL_OPERATION_NOR_CONV_1X1:
        return NormalConvolution(name, x, convolution1x1_);
      case v1::CELL_OPERATION_NOR_CONV_3X3:
        return NormalConvolution(name, x, convolution3x3_);
      case v1::CELL_OPERATION_AVG_POOL_3X3:
        return b_.AveragePool(name, x, CellPool(sample_, 3));
      default:
        return b_.Zero(name, x);
    }
  }

  int Reduction(absl::string_view name, int x, int width) {
    int y = NormalConvolution(absl::StrCat(name, ".a"), x, CellConvolution(sample_, width, 3, 2));
    y = NormalConvolution(absl::StrCat(name, ".b"), y, CellConvolution(sample_, width, 3));
    x = b_.AveragePool(absl::StrCat(name, ".pool"), x, HalvingCellPool(b_.shape(x)));
    x = b_.Convolution(absl::StrCat(name, ".shortcut"), x, CellConvolution(sample_, width, 1));
    return b_.Add(absl::StrCat(name, ".add"), {x, y});
  }

  const NasBench201Cell& cell_;
  const v1::Shape& sample_;
  ArchitectureBuilder b_;
  v1::Convolution convolution1x1_;  // of the current stage
  v1::Convolution convolution3x3_;
};

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
  return Lowering(cell, input, classes).Run(skeleton);
}

}  // namespace frontier
