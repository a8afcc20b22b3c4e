#include "common/architecture/nasbench101.h"

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_split.h"
#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/gzip_table.h"
#include "tests/support/public_data.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::MakeShape;
using ::frontier::testing::PublicData;
using ::frontier::testing::ReadGzipTable;
using ::frontier::testing::StatusIs;
using ::frontier::testing::TableRow;
using ::testing::HasSubstr;

constexpr auto kConv3 = VertexOperation::kConvolution3x3;
constexpr auto kConv1 = VertexOperation::kConvolution1x1;
constexpr auto kPool = VertexOperation::kMaxPool3x3;

// `bits`: edges row by row, blanks do not count; `operations` of the inner vertices.
NasBench101Cell MakeCell(const std::string& bits, const std::vector<VertexOperation>& operations) {
  NasBench101Cell cell;
  cell.vertices = static_cast<int>(operations.size()) + 2;
  int from = 0;
  int to = 1;
  for (const char bit : bits) {
    if (bit == ' ') continue;
    if (bit == '1') cell.edges[from] = static_cast<uint8_t>(cell.edges[from] | 1 << to);
    if (++to == cell.vertices) to = ++from + 1;
  }
  for (size_t i = 0; i < operations.size(); ++i) cell.operations[i + 1] = operations[i];
  return cell;
}

v1::Architecture Lower(const NasBench101Cell& cell, int stem = 128) {
  const auto architecture =
      LowerNasBench101(cell, {.stem_channels = stem}, MakeShape(3, 32, 32), 10);
  EXPECT_OK(architecture);
  return *architecture;
}

const v1::Node* FindNode(const v1::Architecture& architecture, const std::string& name) {
  for (const v1::Node& node : architecture.nodes()) {
    if (node.name() == name) return &node;
  }
  return nullptr;
}

TEST(NasBench101Test, PrunesWhatIsOnNoPath) {
  // Vertex 1 leads nowhere, nothing leads to vertex 2.
  const NasBench101Cell cell = MakeCell("1011 000 11 1", {kConv1, kPool, kConv3});
  const auto pruned = PruneNasBench101Cell(cell);
  ASSERT_TRUE(pruned.has_value());
  EXPECT_EQ(*pruned, MakeCell("11 1", {kConv3}));
  EXPECT_EQ(pruned->EdgeCount(), 3);
  EXPECT_EQ(*PruneNasBench101Cell(*pruned), *pruned);
}

TEST(NasBench101Test, WithoutAPathThereIsNothingToPruneTo) {
  EXPECT_FALSE(PruneNasBench101Cell(MakeCell("110 00 0", {kConv1, kConv1})).has_value());
  EXPECT_FALSE(PruneNasBench101Cell(MakeCell("0", {})).has_value());
  EXPECT_TRUE(PruneNasBench101Cell(MakeCell("100 01 0", {kConv1, kConv1})).has_value());
  EXPECT_TRUE(PruneNasBench101Cell(MakeCell("1", {})).has_value());
}

TEST(NasBench101Test, CanonicalFormDoesNotDependOnTheOrderOfVertices) {
  const NasBench101Cell a = MakeCell("1100 001 10 1", {kConv1, kPool, kConv3});
  // Vertices 1 and 2 change places, so do their edges and operations.
  const NasBench101Cell b = MakeCell("1100 010 01 1", {kPool, kConv1, kConv3});
  const NasBench101Cell other = MakeCell("1100 001 10 1", {kPool, kConv1, kConv3});
  EXPECT_EQ(CanonicalNasBench101Cell(a), CanonicalNasBench101Cell(b));
  EXPECT_FALSE(CanonicalNasBench101Cell(a) == CanonicalNasBench101Cell(other));
  EXPECT_EQ(CanonicalNasBench101Cell(CanonicalNasBench101Cell(a)), CanonicalNasBench101Cell(a));
}

// The first vertex to lead to the output gets the channel that does not divide; one that leads to
// wider vertices is cut for the narrow ones (compute_vertex_channels of the paper's code).
TEST(NasBench101Test, SharesChannelsAsPublished) {
  // 1 -> 2, 1 -> 3, all inner vertices but the first to the output, which the input meets, too.
  const v1::Architecture architecture =
      Lower(MakeCell("1001 110 01 1", {kConv3, kConv1, kConv3}), 5);
  const auto* wide = FindNode(architecture, "stack1.module1.vertex2");
  const auto* narrow = FindNode(architecture, "stack1.module1.vertex3");
  const auto* first = FindNode(architecture, "stack1.module1.vertex1");
  ASSERT_TRUE(wide != nullptr && narrow != nullptr && first != nullptr);
  EXPECT_EQ(wide->convolution().out_channels(), 3);
  EXPECT_EQ(narrow->convolution().out_channels(), 2);
  EXPECT_EQ(first->convolution().out_channels(), 3);
  const auto* slice = FindNode(architecture, "stack1.module1.vertex3.slice1");
  ASSERT_NE(slice, nullptr);
  EXPECT_EQ(slice->channel_slice().channels(), 2);
  EXPECT_NE(FindNode(architecture, "stack1.module1.output.projection"), nullptr);
  EXPECT_EQ(FindNode(architecture, "stack1.module1.vertex2.slice1"), nullptr);
}

TEST(NasBench101Test, InputToOutputAloneIsAProjection) {
  const v1::Architecture architecture = Lower(MakeCell("1", {}));
  const GraphCosts costs = *AnalyzeGraph(architecture);
  EXPECT_EQ(costs.depth, 1 + 9 + 1);
}

TEST(NasBench101Test, SaysWhatIsNoCell) {
  const auto error = [](const NasBench101Cell& cell, const std::string& what, int stem = 128) {
    EXPECT_THAT(LowerNasBench101(cell, {.stem_channels = stem}, MakeShape(3, 32, 32), 10),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)));
  };
  error(MakeCell("110 01 0", {kConv1, kConv1}), "some vertices are on no path");
  error(MakeCell("0", {}), "some vertices are on no path");
  error(MakeCell("1110 001 01 1", {kConv1, kConv1, kPool}), "2 channels for", 2);
  error(MakeCell("1", {}), "2147483647 channels", INT32_MAX);
  NasBench101Cell many = MakeCell("1", {});
  many.vertices = 8;
  error(many, "8 vertices, must be 2 to 7");
  many.vertices = -1;
  error(many, "-1 vertices");
}

TEST(NasBench101Test, LowersToOddSizesAndSignals) {
  const NasBench101Cell cell = MakeCell("1101 101 11 1", {kConv3, kPool, kConv1});
  for (const v1::Shape& input : {MakeShape(1, 28, 28), MakeShape(1, 7, 7), MakeShape(4, 1, 1),
                                 MakeShape(3, 1, 128), MakeShape(2, 5, 3)}) {
    EXPECT_OK(LowerNasBench101(cell, {8, 2}, input, 7));
  }
}

TEST(NasBench101Test, ParametersOfEveryRowOfTheEnergyTable) {
  const std::string path = PublicData("nasbench201/ecnas_nb101_energy_4epochs.csv.gz");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const std::vector<TableRow> rows =
      ReadGzipTable(path, {"space", "model_hash", "adj_upper_triangle", "ops", "params"});
  ASSERT_EQ(rows.size(), 2805u);
  std::set<std::string> published[2];
  std::set<std::string> ours[2];
  for (const TableRow& row : rows) {
    const std::vector<std::string> names = absl::StrSplit(row.at("ops"), '|');
    std::vector<VertexOperation> operations;
    for (size_t i = 1; i + 1 < names.size(); ++i) {
      int found = 0;
      while (found < kVertexOperations &&
             std::string(VertexOperationName(static_cast<VertexOperation>(found))) != names[i]) {
        ++found;
      }
      ASSERT_LT(found, kVertexOperations) << names[i];
      operations.push_back(static_cast<VertexOperation>(found));
    }
    const NasBench101Cell cell = MakeCell(row.at("adj_upper_triangle"), operations);
    const auto pruned = PruneNasBench101Cell(cell);
    ASSERT_TRUE(pruned.has_value());
    const v1::Architecture architecture = Lower(*pruned);
    ASSERT_OK_AND_ASSIGN(const GraphCosts costs, AnalyzeGraph(architecture));
    EXPECT_EQ(std::to_string(costs.parameters), row.at("params")) << FormatNasBench101Cell(cell);
    const size_t set = row.at("space") == "4V9E" ? 0 : 1;
    published[set].insert(row.at("model_hash"));
    ours[set].insert(*CanonicalHash(Lower(CanonicalNasBench101Cell(*pruned))));
  }
  for (size_t set = 0; set < 2; ++set) EXPECT_EQ(ours[set].size(), published[set].size());
  EXPECT_EQ(published[0].size(), 91u);
  EXPECT_EQ(published[1].size(), 2532u);
}

}  // namespace
}  // namespace frontier
