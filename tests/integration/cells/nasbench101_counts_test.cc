// How many cells of NAS-Bench-101 there are by the canonical hash: the published counts of the
// paper's own hash (Ying et al. 2019, section 2.1 and the released enumeration).
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/architecture/builder.h"
#include "common/architecture/canonical.h"
#include "common/architecture/nasbench101.h"
#include "gtest/gtest.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::MakeShape;

constexpr int kMaxEdges = 9;

// The cell as a graph of its own: what the paper's hash sees. A vertex is its operation on the sum
// of what leads to it, and so is the output; sums are unordered, where the networks concatenate.
// A vertex with one input needs no sum, so the graph tells as much as the cell, and no more.
v1::Architecture CellGraph(const NasBench101Cell& cell) {
  ArchitectureBuilder b(MakeShape(1, 1, 1), 1);
  std::vector<int> values = {b.input()};
  for (int v = 1; v < cell.vertices; ++v) {
    std::vector<int> inputs;
    for (int from = 0; from < v; ++from) {
      if (cell.HasEdge(from, v)) inputs.push_back(values[static_cast<size_t>(from)]);
    }
    int x = inputs.size() == 1 ? inputs[0] : b.Add("", inputs);
    if (v + 1 < cell.vertices) {
      switch (cell.operations[static_cast<size_t>(v)]) {
        case VertexOperation::kConvolution3x3:
          x = b.Convolution("", x, SquareConvolution(1, 3));
          break;
        case VertexOperation::kConvolution1x1:
          x = b.Convolution("", x, SquareConvolution(1, 1));
          break;
        case VertexOperation::kMaxPool3x3:
          x = b.MaxPool("", x, SquarePool(3, 1));
          break;
      }
    } else {
      x = b.Relu("", x);  // the output vertex itself
    }
    values.push_back(x);
  }
  return *b.Build();
}

std::string WrittenForm(const NasBench101Cell& cell) {
  std::string form(1, static_cast<char>(cell.vertices));
  for (const uint8_t row : cell.edges) form += static_cast<char>(row);
  for (const VertexOperation operation : cell.operations) form += static_cast<char>(operation);
  return form;
}

// Cells of exactly `vertices` vertices, all on paths from input to output, with at most nine edges:
// hashes of all labellings of one graph of each kind. Isomorphic graphs have isomorphic labellings,
// so one of a kind is enough.
std::set<std::string> Hashes(int vertices, bool every_graph) {
  std::set<std::string> kinds;
  std::set<std::string> hashes;
  const int possible = vertices * (vertices - 1) / 2;
  int labellings = 1;
  for (int v = 1; v + 1 < vertices; ++v) labellings *= kVertexOperations;
  for (uint32_t edges = 0; edges < 1U << possible; ++edges) {
    NasBench101Cell cell;
    cell.vertices = vertices;
    int bit = 0;
    for (int from = 0; from + 1 < vertices; ++from) {
      for (int to = from + 1; to < vertices; ++to, ++bit) {
        if ((edges >> bit & 1) == 0) continue;
        auto& row = cell.edges[static_cast<size_t>(from)];
        row = static_cast<uint8_t>(row | 1U << to);
      }
    }
    if (cell.EdgeCount() > kMaxEdges) continue;
    const std::optional<NasBench101Cell> pruned = PruneNasBench101Cell(cell);
    if (!pruned.has_value() || pruned->vertices != vertices) continue;
    if (!kinds.insert(WrittenForm(CanonicalNasBench101Cell(cell))).second && !every_graph) continue;
    for (int number = 0; number < labellings; ++number) {
      int rest = number;
      for (int v = 1; v + 1 < vertices; ++v, rest /= kVertexOperations) {
        cell.operations[static_cast<size_t>(v)] =
            static_cast<VertexOperation>(rest % kVertexOperations);
      }
      hashes.insert(*CanonicalHash(CellGraph(cell)));
    }
  }
  return hashes;
}

TEST(NasBench101CountsTest, UpToFiveVerticesFromEveryGraph) {
  size_t count = Hashes(2, true).size() + Hashes(3, true).size() + Hashes(4, true).size();
  EXPECT_EQ(count, 91u);
  count += Hashes(5, true).size();
  EXPECT_EQ(count, 2532u);
}

TEST(NasBench101CountsTest, UpToSixVertices) {
  size_t count = 0;
  for (int vertices = 2; vertices <= 6; ++vertices) count += Hashes(vertices, false).size();
  EXPECT_EQ(count, 64542u);
}

TEST(NasBench101CountsTest, UpToSevenVertices) {
  size_t count = 0;
  for (int vertices = 2; vertices <= 7; ++vertices) count += Hashes(vertices, false).size();
  EXPECT_EQ(count, 423624u);
}

}  // namespace
}  // namespace frontier
