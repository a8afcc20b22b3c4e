// Which of the 15,625 NAS-Bench-201 cells the canonical hash takes for one, against the published
// partitions, and whether it is right.
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/architecture/canonical.h"
#include "common/architecture/folding.h"
#include "common/architecture/graph.h"
#include "common/architecture/nasbench201.h"
#include "common/base/random.h"
#include "gtest/gtest.h"
#include "tests/integration/cells/cell_function.h"
#include "tests/support/cells.h"
#include "tests/support/gzip_table.h"
#include "tests/support/public_data.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::AllNasBench201Cells;
using ::frontier::testing::Compute;
using ::frontier::testing::MakeShape;
using ::frontier::testing::PublicData;
using ::frontier::testing::ReadGzipTable;
using ::frontier::testing::TableRow;
using ::frontier::testing::WeightSeeds;

constexpr uint64_t kSeed = 6466;

// A class of each cell, by any names.
using Partition = std::vector<std::string>;

size_t Classes(const Partition& partition) {
  return std::set<std::string>(partition.begin(), partition.end()).size();
}

// Classes of `a` that hold cells of more than one class of `b`.
size_t Split(const Partition& a, const Partition& b) {
  std::map<std::string, std::set<std::string>> parts;
  for (size_t i = 0; i < a.size(); ++i) parts[a[i]].insert(b[i]);
  size_t count = 0;
  for (const auto& [name, others] : parts) count += others.size() > 1 ? 1 : 0;
  return count;
}

// How a cell is written down as a nested expression of its output. Skips vanish, weights are not
// named, so an operation that is used twice looks like two equal ones.
struct Rules {
  bool drop_zeros = false;      // from sums
  bool convolved_zero = false;  // a convolution of zeros counts as zeros
  bool pooled_zero = false;     // so does a pool of zeros
  bool nested_sums = false;     // a sum within a sum is told from one longer sum
};

std::string Expression(const NasBench201Cell& cell, const Rules& rules) {
  std::vector<std::string> nodes = {"x"};
  for (int to = 1; to < 4; ++to) {
    std::multiset<std::string> sum;
    for (size_t i = 0; i < cell.size(); ++i) {
      if (kNasBench201Edges[i].to != to) continue;
      const std::string& from = nodes[kNasBench201Edges[i].from];
      const bool pool = cell[i] == v1::CELL_OPERATION_AVG_POOL_3X3;
      std::string term = absl::StrCat("(", from, ")@", CellOperationName(cell[i]));
      if (cell[i] == v1::CELL_OPERATION_SKIP_CONNECT) term = from;
      if (cell[i] == v1::CELL_OPERATION_NONE) term = "#";
      if (from == "#" && (pool ? rules.pooled_zero : rules.convolved_zero)) term = "#";
      if (term != "#" || !rules.drop_zeros) sum.insert(term);
    }
    std::string text = sum.empty() ? "#" : absl::StrJoin(sum, "+");
    if (rules.nested_sums && sum.size() > 1) text = absl::StrCat("[", text, "]");
    nodes.push_back(text);
  }
  return nodes[3];
}

Partition ByExpression(const Rules& rules) {
  Partition partition;
  for (const NasBench201Cell& cell : AllNasBench201Cells()) {
    partition.push_back(Expression(cell, rules));
  }
  return partition;
}

// One cell in each stage, two channels, samples of 2 x 4 x 4.
v1::Architecture SmallNetwork(const NasBench201Cell& cell) {
  return *LowerNasBench201(cell, {.channels = 2, .cells_per_stage = 1}, MakeShape(2, 4, 4), 3);
}

Partition ByHash() {
  Partition partition;
  for (const NasBench201Cell& cell : AllNasBench201Cells()) {
    partition.push_back(*CanonicalHash(SmallNetwork(cell)));
  }
  return partition;
}

constexpr Rules kPublished = {.convolved_zero = true, .pooled_zero = true};
constexpr Rules kPublishedWithoutZeros = {
    .drop_zeros = true, .convolved_zero = true, .pooled_zero = true};

TEST(NasBench201ClassesTest, ExpressionsGiveThePublishedCounts) {
  EXPECT_EQ(Classes(ByExpression(kPublished)), 6466u);
  EXPECT_EQ(Classes(ByExpression(kPublishedWithoutZeros)), 5390u);
}

// So the study below needs no table.
TEST(NasBench201ClassesTest, ExpressionsGiveThePartitionsOfTheTable) {
  const std::string path = PublicData("nasbench201/nasbench201.csv.gz");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const std::vector<TableRow> rows =
      ReadGzipTable(path, {"arch_str", "iso_first_index", "iso_zero_first_index"});
  ASSERT_EQ(rows.size(), 15625u);
  for (const auto& [column, rules] : std::map<std::string, Rules>{
           {"iso_first_index", kPublished}, {"iso_zero_first_index", kPublishedWithoutZeros}}) {
    Partition table;
    Partition ours;
    for (const TableRow& row : rows) {
      table.push_back(row.at(column));
      ours.push_back(Expression(*ParseNasBench201Cell(row.at("arch_str")), rules));
    }
    EXPECT_EQ(Split(table, ours), 0u) << column;
    EXPECT_EQ(Split(ours, table), 0u) << column;
  }
}

TEST(NasBench201ClassesTest, EveryDifferenceToThePublishedPartitionsHasARule) {
  const Partition hash = ByHash();
  struct Step {
    std::string name;
    Partition partition;
  };
  const std::vector<Step> steps = {
      {"published expressions", ByExpression(kPublished)},
      {"zero summands dropped", ByExpression(kPublishedWithoutZeros)},
      {"a convolution of zeros is none", ByExpression({.drop_zeros = true, .pooled_zero = true})},
      {"a pool of zeros is no zero", ByExpression({.drop_zeros = true})},
      {"nested sums told apart", ByExpression({.drop_zeros = true, .nested_sums = true})},
      {"shared weights told apart", hash},
  };
  for (size_t i = 0; i < steps.size(); ++i) {
    std::cout << Classes(steps[i].partition) << " classes: " << steps[i].name;
    if (i > 0) {
      std::cout << "; splits " << Split(steps[i - 1].partition, steps[i].partition)
                << ", merges into " << Split(steps[i].partition, steps[i - 1].partition);
    }
    std::cout << "\n";
    // After the first step each one only splits.
    if (i > 1) {
      EXPECT_EQ(Split(steps[i].partition, steps[i - 1].partition), 0u) << steps[i].name;
    }
  }
  for (size_t i = 0; i < 2; ++i) {
    std::cout << "hash against " << steps[i].name << ": splits " << Split(steps[i].partition, hash)
              << " of its classes, " << Split(hash, steps[i].partition)
              << " of the hash's hold several of them\n";
  }
}

// The partition is one of cells, whatever the network around them: hashes of the published network
// of 15 cells group a sample as those of the small one do.
TEST(NasBench201ClassesTest, WholeNetworksAreGroupedAsSmallOnes) {
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  const std::vector<NasBench201Cell> cells = AllNasBench201Cells();
  const Partition hash = ByHash();
  std::map<std::string, std::vector<size_t>> classes;
  for (size_t i = 0; i < cells.size(); ++i) classes[hash[i]].push_back(i);
  Partition small;
  Partition whole;
  while (small.size() < 1500) {
    for (const size_t i : classes[hash[rng.Uniform(cells.size())]]) {
      small.push_back(hash[i]);
      whole.push_back(*CanonicalHash(*LowerNasBench201(cells[i], {}, MakeShape(3, 32, 32), 10)));
    }
  }
  EXPECT_EQ(Split(small, whole), 0u);
  EXPECT_EQ(Split(whole, small), 0u);
}

void ExpectNear(const std::vector<double>& a, const std::vector<double>& b,
                const std::string& what) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_NEAR(a[i], b[i], 1e-9 * (1 + std::abs(a[i]))) << what << " output " << i;
  }
}

// Each node at one place of the canonical order gets the same weights in all members of a class, a
// node that was folded away or is dead some of its own.
TEST(NasBench201ClassesTest, EveryMemberOfAClassComputesTheSame) {
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  constexpr int kBatch = 2;
  std::vector<double> images(kBatch * 2 * 4 * 4);
  for (double& value : images) value = rng.Normal();
  struct Member {
    std::string cell;
    std::vector<double> output;
  };
  std::map<std::string, Member> first;  // of each class
  size_t compared = 0;
  for (const NasBench201Cell& cell : AllNasBench201Cells()) {
    const std::string text = FormatNasBench201Cell(cell);
    const v1::Architecture architecture = SmallNetwork(cell);
    ASSERT_OK_AND_ASSIGN(const GraphCosts costs, AnalyzeGraph(architecture));
    ASSERT_OK_AND_ASSIGN(const CanonicalForm form, FindCanonicalForm(architecture));
    WeightSeeds seeds(static_cast<size_t>(architecture.nodes_size()));
    for (uint64_t& seed : seeds) seed = rng.NextUint64();
    for (size_t place = 0; place < form.order.size(); ++place) {
      seeds[static_cast<size_t>(form.order[place])] = kSeed + place;
    }
    const Folding folding = FoldGraph(architecture);
    const std::vector<double> output = Compute(architecture, costs, seeds, images, kBatch);
    ExpectNear(output, Compute(architecture, costs, seeds, images, kBatch, &folding),
               text + " folded:");
    const auto [member, is_first] = first.insert({form.hash, {text, output}});
    if (is_first) continue;
    ++compared;
    ExpectNear(member->second.output, output, text + " and " + member->second.cell);
  }
  std::cout << first.size() << " classes, " << compared
            << " cells compared with the first of their class\n";
  EXPECT_EQ(first.size() + compared, 15625u);
}

}  // namespace
}  // namespace frontier
