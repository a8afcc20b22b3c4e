#include "common/base/random.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "gtest/gtest.h"

namespace frontier {
namespace {

// First outputs of the published reference implementation for the state {1, 2, 3, 4}.
TEST(RngTest, MatchesPublishedSequence) {
  Rng rng = Rng::FromState({1, 2, 3, 4});
  EXPECT_EQ(rng.NextUint64(), 11520u);
  EXPECT_EQ(rng.NextUint64(), 0u);
  EXPECT_EQ(rng.NextUint64(), 1509978240u);
  EXPECT_EQ(rng.NextUint64(), 1215971899390074240u);
}

TEST(RngTest, GoesOnFromASavedState) {
  Rng rng(7);
  for (int i = 0; i < 10; ++i) rng.NextUint64();
  Rng copy = Rng::FromState(rng.state());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(copy.NextUint64(), rng.NextUint64());
}

TEST(RngTest, SeedsAndStreamsDiffer) {
  EXPECT_NE(Rng(1).NextUint64(), Rng(2).NextUint64());
  EXPECT_NE(Rng(1, 0).NextUint64(), Rng(1, 1).NextUint64());
  EXPECT_EQ(Rng(1, 5).NextUint64(), Rng(1, 5).NextUint64());
}

TEST(RngTest, UniformStaysBelowBoundAndReachesAllValues) {
  Rng rng(3);
  std::vector<int> counts(6);
  for (int i = 0; i < 60000; ++i) ++counts[rng.Uniform(6)];
  // Chi-square with 5 degrees of freedom: above 20.5 with probability 0.001.
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - 10000.0) * (count - 10000.0) / 10000.0;
  EXPECT_LT(chi_square, 20.5);
  EXPECT_EQ(rng.Uniform(1), 0u);
}

TEST(RngTest, UniformDoubleAndNormalHaveTheirMoments) {
  Rng rng(11);
  const int n = 100000;
  double sum = 0, normal_sum = 0, normal_squares = 0;
  for (int i = 0; i < n; ++i) {
    const double u = rng.UniformDouble();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    const double z = rng.Normal();
    ASSERT_TRUE(std::isfinite(z));
    normal_sum += z;
    normal_squares += z * z;
  }
  // Five standard errors.
  EXPECT_NEAR(sum / n, 0.5, 5 * 0.2887 / std::sqrt(n));
  EXPECT_NEAR(normal_sum / n, 0.0, 5 / std::sqrt(n));
  EXPECT_NEAR(normal_squares / n, 1.0, 5 * std::sqrt(2.0 / n));
}

TEST(RngTest, ShuffleKeepsAllElements) {
  Rng rng(5);
  std::vector<int> values(100);
  std::iota(values.begin(), values.end(), 0);
  std::vector<int> shuffled = values;
  rng.Shuffle(&shuffled);
  EXPECT_NE(shuffled, values);
  std::sort(shuffled.begin(), shuffled.end());
  EXPECT_EQ(shuffled, values);
}

}  // namespace
}  // namespace frontier
