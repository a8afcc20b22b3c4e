#include "common/architecture/nasbench201.h"

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/architecture/graph.h"
#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/cells.h"
#include "tests/support/gzip_table.h"
#include "tests/support/public_data.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::AllNasBench201Cells;
using ::frontier::testing::MakeShape;
using ::frontier::testing::PublicData;
using ::frontier::testing::ReadGzipTable;
using ::frontier::testing::StatusIs;
using ::frontier::testing::TableRow;
using ::testing::HasSubstr;

constexpr char kSomeCell[] =
    "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_3x3~0|none~1|skip_connect~2|";

NasBench201Networks Networks(const v1::Shape& input, int classes) {
  return *NasBench201Networks::Create({}, input, classes);
}

TEST(NasBench201Test, NotationBothWaysForEveryCell) {
  std::set<std::string> seen;
  for (const NasBench201Cell& cell : AllNasBench201Cells()) {
    const std::string text = FormatNasBench201Cell(cell);
    EXPECT_TRUE(seen.insert(text).second) << text;
    const auto parsed = ParseNasBench201Cell(text);
    ASSERT_OK(parsed);
    EXPECT_EQ(*parsed, cell) << text;
  }
  EXPECT_EQ(seen.size(), 15625u);
}

TEST(NasBench201Test, ParsesEachEdgeIntoItsPlace) {
  ASSERT_OK_AND_ASSIGN(const NasBench201Cell cell, ParseNasBench201Cell(kSomeCell));
  EXPECT_THAT(
      cell, ::testing::ElementsAre(v1::CELL_OPERATION_AVG_POOL_3X3, v1::CELL_OPERATION_NOR_CONV_1X1,
                                   v1::CELL_OPERATION_SKIP_CONNECT, v1::CELL_OPERATION_NOR_CONV_3X3,
                                   v1::CELL_OPERATION_NONE, v1::CELL_OPERATION_SKIP_CONNECT));
}

TEST(NasBench201Test, SaysWhereTheNotationIsWrong) {
  const auto error = [](const std::string& text, const std::string& what) {
    EXPECT_THAT(ParseNasBench201Cell(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)))
        << text;
  };
  const std::string good = kSomeCell;
  error("", "cell '': expected '|' before the edges of node 1 at character 1");
  error("|conv~0|",
        "expected an operation (none, skip_connect, nor_conv_1x1, nor_conv_3x3, "
        "avg_pool_3x3) for the edge from node 0 to node 1 at character 2");
  error("|none~1|", "expected '~0|' after none at character 6");
  error("|none~0", "expected '~0|' after none at character 6");
  error("|none~0||", "expected '+' after node 1 at character 9");
  error("|none~0|+none~0|", "expected '|' before the edges of node 2 at character 10");
  error("|none~0|+|none~0|+", "for the edge from node 1 to node 2 at character 18");
  error(good + "+|none~0|", "expected the end at character 88");
  error(good.substr(0, good.size() - 1), "expected '~2|' after skip_connect");
  error(std::string("|\n\0|", 4), "'|\\n\\000|'");
  error("|" + std::string(100000, 'x'), "expected an operation");
  error("|none_~0|", "expected an operation");
  // Every cut and every doubled character is told.
  for (size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(ParseNasBench201Cell(good.substr(0, i)).ok()) << i;
    EXPECT_FALSE(ParseNasBench201Cell(good.substr(0, i) + good[i] + good.substr(i)).ok()) << i;
  }
}

// What a damaged text still means is what it says.
TEST(NasBench201Test, DamagedNotationIsRefusedOrExact) {
  constexpr uint64_t kSeed = 201;
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  const std::vector<NasBench201Cell> cells = AllNasBench201Cells();
  constexpr char kAlphabet[] = "|~+0123_norcvspkietagul x\0\xff";
  const std::string alphabet(kAlphabet, sizeof(kAlphabet) - 1);
  int refused = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = FormatNasBench201Cell(cells[rng.Uniform(cells.size())]);
    for (uint64_t edits = 1 + rng.Uniform(3); edits > 0 && !text.empty(); --edits) {
      const size_t at = rng.Uniform(text.size());
      const char other = alphabet[rng.Uniform(alphabet.size())];
      switch (rng.Uniform(4)) {
        case 0:
          text[at] = other;
          break;
        case 1:
          text.insert(at, 1, other);
          break;
        case 2:
          text.erase(at, 1 + rng.Uniform(15));
          break;
        default:
          text += text.substr(at);
          break;
      }
    }
    const auto cell = ParseNasBench201Cell(text);
    if (!cell.ok()) ++refused;
    if (cell.ok()) {
      EXPECT_EQ(FormatNasBench201Cell(*cell), text);
    }
  }
  EXPECT_GT(refused, 15000);
}

TEST(NasBench201Test, RefusesUnknownOperations) {
  NasBench201Cell cell;
  cell.fill(v1::CELL_OPERATION_NONE);
  for (const int value : {0, 6, -1, 1 << 30}) {
    cell[4] = static_cast<v1::CellOperation>(value);
    EXPECT_THAT(LowerNasBench201(cell, {}, MakeShape(3, 32, 32), 10),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("edge 1-3 has unknown operation " + std::to_string(value))));
  }
}

// Sums over the three stages, from the definition of the networks.
TEST(NasBench201Test, ParametersAndMacsOfEveryCellFollowTheFormula) {
  const NasBench201Networks networks = Networks(MakeShape(3, 32, 32), 10);
  for (const NasBench201Cell& cell : AllNasBench201Cells()) {
    int64_t ones = 0;
    int64_t threes = 0;
    for (const v1::CellOperation operation : cell) {
      ones += operation == v1::CELL_OPERATION_NOR_CONV_1X1 ? 1 : 0;
      threes += operation == v1::CELL_OPERATION_NOR_CONV_3X3 ? 1 : 0;
    }
    int64_t parameters = 27 * 16 + 2 * 16;  // stem
    int64_t macs = int64_t{27} * 16 * 32 * 32;
    for (int stage = 0; stage < 3; ++stage) {
      const int64_t c = 16 << stage;
      const int64_t pixels = (32 >> stage) * (32 >> stage);
      parameters += 5 * (ones * (c * c + 2 * c) + threes * (9 * c * c + 2 * c));
      macs += 5 * pixels * (ones * c * c + threes * 9 * c * c);
      if (stage == 0) continue;
      const int64_t half = c / 2;
      parameters += 9 * half * c + 2 * c + 9 * c * c + 2 * c + half * c;
      macs += pixels * (9 * half * c + 9 * c * c + half * c);
    }
    parameters += 2 * 64 + 64 * 10 + 10;  // head
    macs += 64 * 10;
    ASSERT_OK_AND_ASSIGN(const GraphCosts costs, AnalyzeGraph(networks.Lower(cell)));
    ASSERT_EQ(costs.parameters, parameters) << FormatNasBench201Cell(cell);
    ASSERT_EQ(costs.macs, macs) << FormatNasBench201Cell(cell);
  }
}

// The table's MACs count the bias of the last layer, ours do not.
TEST(NasBench201Test, ParametersAndMacsOfEveryRowOfTheTable) {
  const std::string path = PublicData("nasbench201/nasbench201.csv.gz");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  struct Set {
    std::string name;
    int classes;
    NasBench201Networks networks;
  };
  const std::vector<Set> sets = {{"c10", 10, Networks(MakeShape(3, 32, 32), 10)},
                                 {"c100", 100, Networks(MakeShape(3, 32, 32), 100)},
                                 {"in16", 120, Networks(MakeShape(3, 16, 16), 120)}};
  const std::vector<TableRow> rows =
      ReadGzipTable(path, {"arch_str", "params_c10", "params_c100", "params_in16", "macs_c10",
                           "macs_c100", "macs_in16"});
  ASSERT_EQ(rows.size(), 15625u);
  for (const TableRow& row : rows) {
    const std::string& text = row.at("arch_str");
    ASSERT_OK_AND_ASSIGN(const NasBench201Cell cell, ParseNasBench201Cell(text));
    ASSERT_EQ(FormatNasBench201Cell(cell), text);
    for (const Set& set : sets) {
      ASSERT_OK_AND_ASSIGN(const GraphCosts costs, AnalyzeGraph(set.networks.Lower(cell)));
      ASSERT_EQ(std::to_string(costs.parameters), row.at("params_" + set.name)) << text;
      ASSERT_EQ(std::to_string(costs.macs + set.classes), row.at("macs_" + set.name)) << text;
    }
  }
}

TEST(NasBench201Test, LowersToOddSizesAndSignals) {
  for (const NasBench201Cell& cell : {*ParseNasBench201Cell(kSomeCell)}) {
    for (const v1::Shape& input :
         {MakeShape(1, 28, 28), MakeShape(1, 7, 7), MakeShape(4, 1, 1), MakeShape(2, 5, 3),
          MakeShape(3, 1, 128), MakeShape(3, 1, 17), MakeShape(3, 33, 1)}) {
      const auto architecture = LowerNasBench201(cell, {8, 2}, input, 7);
      ASSERT_OK(architecture);
      for (const v1::Node& node : architecture->nodes()) {
        if (node.has_convolution() && input.height() == 1) {
          EXPECT_EQ(node.convolution().kernel_height(), 1) << node.name();
        }
      }
    }
  }
}

TEST(NasBench201Test, RefusesShapesThatMakeNoNetwork) {
  ASSERT_OK_AND_ASSIGN(const NasBench201Cell cell, ParseNasBench201Cell(kSomeCell));
  EXPECT_FALSE(LowerNasBench201(cell, {}, MakeShape(0, 32, 32), 10).ok());
  EXPECT_FALSE(LowerNasBench201(cell, {}, MakeShape(3, -1, 32), 10).ok());
  EXPECT_FALSE(LowerNasBench201(cell, {}, MakeShape(3, INT32_MAX, INT32_MAX), 10).ok());
  EXPECT_FALSE(LowerNasBench201(cell, {}, MakeShape(3, 32, 32), 0).ok());
  EXPECT_FALSE(LowerNasBench201(cell, {INT32_MAX, 1}, MakeShape(3, 32, 32), 10).ok());
  EXPECT_FALSE(LowerNasBench201(cell, {16, -1}, MakeShape(3, 32, 32), 10).ok());
}

}  // namespace
}  // namespace frontier
