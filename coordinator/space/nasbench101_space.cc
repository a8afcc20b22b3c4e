#include "coordinator/space/nasbench101_space.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/architecture/nasbench101.h"
#include "common/base/status.h"
#include "coordinator/space/encoding.h"
#include "coordinator/space/samples.h"

namespace frontier::coordinator {
namespace {

constexpr int kMaxStemChannels = 2048;
constexpr int kMaxModulesPerStack = 32;
constexpr int kCrossTries = 100;

absl::Status CheckRange(absl::string_view field, int value, int least, int most, int standard) {
  if (value == 0 || (value >= least && value <= most)) return absl::OkStatus();
  return InvalidField(
      field, absl::StrCat("is ", value, ", must be 0 (= ", standard, ") or ", least, " to ", most));
}

struct Limits {
  int vertices = kNasBench101MaxVertices;
  int edges = 9;

  int possible_edges() const { return vertices * (vertices - 1) / 2; }
};

// Places of the possible edges, row by row.
std::vector<std::pair<int, int>> PossibleEdges(int vertices) {
  std::vector<std::pair<int, int>> edges;
  for (int from = 0; from < vertices; ++from) {
    for (int to = from + 1; to < vertices; ++to) edges.emplace_back(from, to);
  }
  return edges;
}

std::vector<Decision> ListDecisions(int vertices) {
  std::vector<Decision> decisions;
  for (const auto& [from, to] : PossibleEdges(vertices)) {
    decisions.push_back({absl::StrCat("edge", from, "-", to), {"no", "yes"}});
  }
  std::vector<std::string> operations;
  for (int i = 0; i < kVertexOperations; ++i) {
    operations.emplace_back(VertexOperationName(static_cast<VertexOperation>(i)));
  }
  for (int v = 1; v + 1 < vertices; ++v) {
    decisions.push_back({absl::StrCat("vertex", v), operations});
  }
  return decisions;
}

// The cell whose possible edge k, row by row, is there if bit k of `edges` is set.
NasBench101Cell CellOfEdges(uint32_t edges, int vertices) {
  NasBench101Cell cell;
  cell.vertices = vertices;
  for (int from = 0, first = 0; from + 1 < vertices; first += vertices - 1 - from, ++from) {
    const uint32_t row = edges >> first & ((1U << (vertices - 1 - from)) - 1);
    cell.edges[from] = static_cast<uint8_t>(row << (from + 1));
  }
  return cell;
}

// Why `cell` is none of the space; OK if it is.
absl::Status CheckCell(const NasBench101Cell& cell, int max_edges) {
  const int edges = EdgesOnPaths(cell);
  if (edges == 0) {
    return absl::InvalidArgumentError("genotype: no path from the input to the output");
  }
  if (edges > max_edges) {
    return absl::InvalidArgumentError(
        absl::StrCat("genotype: ", edges, " edges between input and output, at most ", max_edges));
  }
  return absl::OkStatus();
}

// Ways to choose the edges: no message is made for the millions that are none.
uint64_t CountEdgeSets(const Limits& limits) {
  uint64_t count = 0;
  for (uint32_t edges = 0; edges < 1U << limits.possible_edges(); ++edges) {
    const int on_paths = EdgesOnPaths(CellOfEdges(edges, limits.vertices));
    if (on_paths > 0 && on_paths <= limits.edges) ++count;
  }
  return count;
}

class NasBench101Space final : public Space {
 public:
  NasBench101Space(const Limits& limits, const NasBench101Skeleton& skeleton,
                   const v1::Shape& input, int classes)
      : limits_(limits),
        edges_(PossibleEdges(limits.vertices)),
        encoding_(ListDecisions(limits.vertices)),
        skeleton_(skeleton),
        input_(input),
        classes_(classes) {}

  const std::vector<Decision>& decisions() const override { return encoding_.decisions(); }

  std::string Size() const override {
    uint64_t size = CountEdgeSets(limits_);
    for (int v = 1; v + 1 < limits_.vertices; ++v) size *= kVertexOperations;
    return absl::StrCat(size);
  }

  v1::Genotype Sample(Rng* rng) const override {
    v1::Genotype genotype;
    do {
      genotype = encoding_.Sample(rng);
    } while (!Check(genotype).ok());
    return genotype;
  }

  v1::Genotype Mutate(const v1::Genotype& parent, Rng* rng) const override {
    if (!Check(parent).ok()) return Sample(rng);
    std::vector<std::vector<v1::Genotype>> changes;  // by decision that can be changed
    for (int i = 0; i < parent.options_size(); ++i) {
      std::vector<v1::Genotype> others = Others(parent, i);
      if (!others.empty()) changes.push_back(std::move(others));
    }
    if (changes.empty()) return parent;
    const std::vector<v1::Genotype>& others = changes[rng->Uniform(changes.size())];
    return others[rng->Uniform(others.size())];
  }

  v1::Genotype Cross(const v1::Genotype& first, const v1::Genotype& second,
                     Rng* rng) const override {
    const bool known = Check(second).ok();
    if (!Check(first).ok()) return known ? second : Sample(rng);
    if (!known) return first;
    for (int i = 0; i < kCrossTries; ++i) {
      v1::Genotype child = encoding_.Cross(first, second, rng);
      if (Check(child).ok()) return child;
    }
    return first;
  }

  std::vector<v1::Genotype> Neighbours(const v1::Genotype& genotype) const override {
    std::vector<v1::Genotype> neighbours;
    if (!Check(genotype).ok()) return neighbours;
    for (int i = 0; i < genotype.options_size(); ++i) {
      for (v1::Genotype& other : Others(genotype, i)) neighbours.push_back(std::move(other));
    }
    return neighbours;
  }

  std::vector<float> Features(const v1::Genotype& genotype) const override {
    std::vector<float> features(edges_.size() +
                                static_cast<size_t>(kVertexOperations * (limits_.vertices - 2)));
    if (!Check(genotype).ok()) return features;
    const NasBench101Cell cell = Cell(genotype);
    const unsigned on_paths = VerticesOnPaths(cell);
    const auto kept = [on_paths](int v) { return (on_paths >> v & 1) != 0; };
    for (size_t i = 0; i < edges_.size(); ++i) {
      const auto& [from, to] = edges_[i];
      if (cell.HasEdge(from, to) && kept(from) && kept(to)) features[i] = 1;
    }
    for (int v = 1; v + 1 < limits_.vertices; ++v) {
      if (!kept(v)) continue;
      const int operation = static_cast<int>(cell.operations[v]);
      features[edges_.size() + static_cast<size_t>(kVertexOperations * (v - 1) + operation)] = 1;
    }
    return features;
  }

  v1::Genotype First() const override {
    v1::Genotype genotype = encoding_.First();
    // The edge from input to output alone; all that come before lead nowhere.
    genotype.set_options(limits_.vertices - 2, 1);
    return genotype;
  }

  bool Advance(v1::Genotype* genotype) const override {
    if (!Check(*genotype).ok()) return false;
    if (NextOperations(genotype)) return true;
    uint32_t edges = ReadEdges(*genotype);
    while (++edges < 1U << limits_.possible_edges()) {
      // Bits of the number count from the last edge, so that the order is lexicographic.
      WriteEdges(edges, genotype);
      if (Check(*genotype).ok()) return true;
    }
    *genotype = First();
    return false;
  }

  absl::StatusOr<v1::Architecture> Lower(const v1::Genotype& genotype) const override {
    RETURN_IF_ERROR(Check(genotype));
    return LowerNasBench101(CanonicalCell(genotype), skeleton_, input_, classes_);
  }

  std::string Summarize(const v1::Genotype& genotype) const override {
    const absl::Status status = Check(genotype);
    if (!status.ok()) return absl::StrCat("(", status.message(), ")");
    return FormatNasBench101Cell(CanonicalCell(genotype));
  }

 private:
  absl::Status Check(const v1::Genotype& genotype) const {
    RETURN_IF_ERROR(encoding_.Check(genotype));
    return CheckCell(Cell(genotype), limits_.edges);
  }

  // All of the space that differ from `genotype` in decision `decision` alone.
  std::vector<v1::Genotype> Others(const v1::Genotype& genotype, int decision) const {
    std::vector<v1::Genotype> others;
    const auto options = static_cast<int>(encoding_.decisions()[decision].options.size());
    for (int option = 0; option < options; ++option) {
      if (option == genotype.options(decision)) continue;
      others.push_back(genotype);
      others.back().set_options(decision, option);
      if (!Check(others.back()).ok()) others.pop_back();
    }
    return others;
  }

  NasBench101Cell Cell(const v1::Genotype& genotype) const {
    NasBench101Cell cell;
    cell.vertices = limits_.vertices;
    int decision = 0;
    for (const auto& [from, to] : edges_) {
      if (genotype.options(decision++) == 0) continue;
      cell.edges[from] = static_cast<uint8_t>(cell.edges[from] | 1U << to);
    }
    for (int v = 1; v + 1 < limits_.vertices; ++v) {
      cell.operations[v] = static_cast<VertexOperation>(genotype.options(decision++));
    }
    return cell;
  }

  NasBench101Cell CanonicalCell(const v1::Genotype& genotype) const {
    return CanonicalNasBench101Cell(*PruneNasBench101Cell(Cell(genotype)));
  }

  bool NextOperations(v1::Genotype* genotype) const {
    for (int i = genotype->options_size() - 1; i >= limits_.possible_edges(); --i) {
      if (genotype->options(i) + 1 < kVertexOperations) {
        genotype->set_options(i, genotype->options(i) + 1);
        return true;
      }
      genotype->set_options(i, 0);
    }
    return false;
  }

  uint32_t ReadEdges(const v1::Genotype& genotype) const {
    uint32_t edges = 0;
    for (int i = 0; i < limits_.possible_edges(); ++i) {
      edges = edges << 1 | static_cast<uint32_t>(genotype.options(i));
    }
    return edges;
  }

  void WriteEdges(uint32_t edges, v1::Genotype* genotype) const {
    for (int i = limits_.possible_edges() - 1; i >= 0; --i, edges >>= 1) {
      genotype->set_options(i, static_cast<int32_t>(edges & 1));
    }
  }

  const Limits limits_;
  const std::vector<std::pair<int, int>> edges_;
  const Encoding encoding_;
  const NasBench101Skeleton skeleton_;
  const v1::Shape input_;
  const int classes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Space>> CreateNasBench101Space(const v1::NasBench101Space& spec,
                                                              const v1::Shape& input, int classes) {
  RETURN_IF_ERROR(CheckDataShape(input, classes));
  Limits limits;
  NasBench101Skeleton skeleton;
  RETURN_IF_ERROR(
      CheckRange("max_vertices", spec.max_vertices(), 2, limits.vertices, limits.vertices));
  if (spec.max_vertices() > 0) limits.vertices = spec.max_vertices();
  RETURN_IF_ERROR(CheckRange("max_edges", spec.max_edges(), 1, 21, limits.edges));
  if (spec.max_edges() > 0) limits.edges = spec.max_edges();
  RETURN_IF_ERROR(CheckRange("stem_channels", spec.stem_channels(),
                             std::max(1, limits.vertices - 2), kMaxStemChannels,
                             skeleton.stem_channels));
  if (spec.stem_channels() > 0) skeleton.stem_channels = spec.stem_channels();
  RETURN_IF_ERROR(CheckRange("modules_per_stack", spec.modules_per_stack(), 1, kMaxModulesPerStack,
                             skeleton.modules_per_stack));
  if (spec.modules_per_stack() > 0) skeleton.modules_per_stack = spec.modules_per_stack();
  auto space = std::make_unique<NasBench101Space>(limits, skeleton, input, classes);
  // Sizes of maps are the same for all cells.
  const absl::Status status = space->Lower(space->First()).status();
  if (!status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("search space: ", status.message()));
  }
  return space;
}

}  // namespace frontier::coordinator
