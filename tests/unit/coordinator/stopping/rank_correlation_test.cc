#include "coordinator/stopping/rank_correlation.h"

#include <cmath>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace frontier::coordinator {
namespace {

using Pairs = std::vector<std::pair<double, double>>;

TEST(RankCorrelationTest, LooksAtTheOrderAlone) {
  EXPECT_DOUBLE_EQ(RankCorrelation(Pairs{{1, -3}, {2, 0}, {3, 1e9}}), 1);
  EXPECT_DOUBLE_EQ(RankCorrelation(Pairs{{1, 3}, {2, 2}, {3, -1}}), -1);
  // 1 - 6 sum d^2 / (n (n^2 - 1)) with d = 1, 1, 0, 0.
  EXPECT_DOUBLE_EQ(RankCorrelation(Pairs{{1, 2}, {2, 1}, {3, 3}, {4, 4}}), 0.8);
}

TEST(RankCorrelationTest, EqualValuesShareTheirRanks) {
  // Ranks 1.5 1.5 3 against 1 2 3.
  EXPECT_NEAR(RankCorrelation(Pairs{{7, 1}, {7, 2}, {9, 3}}), 1.5 / std::sqrt(3.0), 1e-12);
}

TEST(RankCorrelationTest, IsZeroWhereThereIsNoOrder) {
  EXPECT_EQ(RankCorrelation(Pairs{}), 0);
  EXPECT_EQ(RankCorrelation(Pairs{{1, 2}}), 0);
  EXPECT_EQ(RankCorrelation(Pairs{{1, 2}, {1, 3}}), 0);
}

}  // namespace
}  // namespace frontier::coordinator
