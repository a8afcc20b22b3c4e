#include "coordinator/space/encoding.h"

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

constexpr uint64_t kSeed = 90210;

Encoding MakeEncoding(const std::vector<int>& options) {
  std::vector<Decision> decisions;
  for (size_t i = 0; i < options.size(); ++i) {
    decisions.push_back(
        {"decision" + std::to_string(i), std::vector<std::string>(options[i], "x")});
  }
  return Encoding(decisions);
}

std::vector<int> Options(const v1::Genotype& genotype) {
  return {genotype.options().begin(), genotype.options().end()};
}

TEST(EncodingTest, SizeIsExactHoweverLarge) {
  EXPECT_EQ(MakeEncoding({}).Size(), "1");
  EXPECT_EQ(MakeEncoding({2, 1, 3}).Size(), "6");
  // 10^40
  EXPECT_EQ(MakeEncoding(std::vector<int>(40, 10)).Size(), "1" + std::string(40, '0'));
}

TEST(EncodingTest, AdvanceWalksAllInLexicographicOrder) {
  const Encoding encoding = MakeEncoding({3, 1, 2, 4});
  v1::Genotype genotype = encoding.First();
  std::vector<std::vector<int>> seen = {Options(genotype)};
  while (encoding.Advance(&genotype)) seen.push_back(Options(genotype));
  EXPECT_EQ(std::to_string(seen.size()), encoding.Size());
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(std::set<std::vector<int>>(seen.begin(), seen.end()).size(), seen.size());
}

TEST(EncodingTest, MutateChangesExactlyOneDecision) {
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  const Encoding encoding = MakeEncoding({3, 1, 2, 4, 1});
  std::map<int, int> changed;
  std::set<std::pair<int, int>> reached;
  for (int i = 0; i < 3000; ++i) {
    const v1::Genotype parent = encoding.Sample(&rng);
    const v1::Genotype child = encoding.Mutate(parent, &rng);
    EXPECT_OK(encoding.Check(child));
    int differences = 0;
    for (int d = 0; d < 5; ++d) {
      if (child.options(d) == parent.options(d)) continue;
      ++differences;
      ++changed[d];
      reached.insert({d, child.options(d)});
    }
    EXPECT_EQ(differences, 1);
  }
  EXPECT_EQ(changed.size(), 3u);
  for (const auto& [decision, count] : changed) EXPECT_NEAR(count, 1000, 150) << decision;
  EXPECT_EQ(reached.size(), 3u + 2u + 4u);
}

TEST(EncodingTest, NothingToMutateGivesTheParent) {
  Rng rng(kSeed);
  const Encoding encoding = MakeEncoding({1, 1});
  EXPECT_EQ(Options(encoding.Mutate(encoding.First(), &rng)), Options(encoding.First()));
}

TEST(EncodingTest, SampleIsUniform) {
  std::cout << "seed " << kSeed + 1 << "\n";
  Rng rng(kSeed + 1);
  const Encoding encoding = MakeEncoding({3, 2, 4});
  constexpr int kCells = 24;
  constexpr int kDraws = 24000;
  std::map<std::vector<int>, int> counts;
  for (int i = 0; i < kDraws; ++i) ++counts[Options(encoding.Sample(&rng))];
  ASSERT_EQ(counts.size(), static_cast<size_t>(kCells));
  double chi_square = 0;
  const double expected = static_cast<double>(kDraws) / kCells;
  for (const auto& [genotype, count] : counts) {
    chi_square += (count - expected) * (count - expected) / expected;
  }
  // 23 degrees of freedom: above 49.7 once in a thousand.
  EXPECT_LT(chi_square, 49.7);
}

TEST(EncodingTest, ForeignGenotypesDoNoHarm) {
  Rng rng(kSeed);
  const Encoding encoding = MakeEncoding({3, 2});
  v1::Genotype foreign;
  foreign.add_options(1);
  EXPECT_THAT(encoding.Check(foreign), StatusIs(absl::StatusCode::kInvalidArgument,
                                                HasSubstr("1 options, the space has 2")));
  EXPECT_FALSE(encoding.Advance(&foreign));
  EXPECT_OK(encoding.Check(encoding.Mutate(foreign, &rng)));
  for (int option : {-1, 2, 2147483647}) {
    v1::Genotype bad = encoding.First();
    bad.set_options(1, option);
    EXPECT_THAT(encoding.Check(bad),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("decision1 has no option")));
    EXPECT_FALSE(encoding.Advance(&bad));
  }
}

TEST(EncodingTest, CrossTakesEachDecisionFromEitherParent) {
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  const Encoding encoding = MakeEncoding({3, 1, 2, 4});
  v1::Genotype first = encoding.First(), second = encoding.First();
  second.set_options(0, 2);
  second.set_options(3, 1);
  std::map<std::vector<int>, int> children;
  for (int i = 0; i < 400; ++i) ++children[Options(encoding.Cross(first, second, &rng))];
  EXPECT_EQ(children.size(), 4u);  // both decisions in which they differ, independently
  for (const auto& [child, count] : children) EXPECT_GT(count, 60) << child[0] << child[3];

  v1::Genotype unknown = first;
  unknown.add_options(0);
  EXPECT_EQ(Options(encoding.Cross(unknown, second, &rng)), Options(second));
  EXPECT_EQ(Options(encoding.Cross(second, unknown, &rng)), Options(second));
  EXPECT_OK(encoding.Check(encoding.Cross(unknown, unknown, &rng)));
}

TEST(EncodingTest, NeighboursDifferInOneDecision) {
  const Encoding encoding = MakeEncoding({3, 1, 2});
  v1::Genotype genotype = encoding.First();
  genotype.set_options(0, 1);
  std::vector<std::vector<int>> neighbours;
  for (const v1::Genotype& each : encoding.Neighbours(genotype)) {
    neighbours.push_back(Options(each));
  }
  EXPECT_EQ(neighbours, (std::vector<std::vector<int>>{{0, 0, 0}, {2, 0, 0}, {1, 0, 1}}));
  genotype.set_options(0, 3);
  EXPECT_TRUE(encoding.Neighbours(genotype).empty());
}

TEST(EncodingTest, FeaturesAreOneHot) {
  const Encoding encoding = MakeEncoding({3, 1, 2});
  v1::Genotype genotype = encoding.First();
  genotype.set_options(0, 2);
  EXPECT_EQ(encoding.Features(genotype), (std::vector<float>{0, 0, 1, 1, 1, 0}));
  genotype.set_options(0, 3);
  EXPECT_EQ(encoding.Features(genotype), std::vector<float>(6, 0));
}

}  // namespace
}  // namespace frontier::coordinator
