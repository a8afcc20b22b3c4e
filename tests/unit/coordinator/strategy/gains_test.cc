#include "coordinator/strategy/gains.h"

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <limits>
#include <utility>
#include <vector>

#include "common/base/random.h"
#include "common/pareto/hypervolume.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace frontier::coordinator {
namespace {

Observation Success(std::vector<double> objectives, double violation = 0) {
  Observation observation;
  observation.succeeded = true;
  observation.objectives = std::move(objectives);
  observation.violation = violation;
  return observation;
}

TEST(GainsTest, WithOneObjectiveItIsAPartOfTheWayFromTheWorst) {
  Gains gains;
  gains.Add(Success({10}));
  EXPECT_DOUBLE_EQ(gains.Add(Success({6})), 1);    // nothing was better than the worst
  EXPECT_DOUBLE_EQ(gains.Add(Success({5})), 0.2);  // 1 of the 5 from 10 down
  EXPECT_DOUBLE_EQ(gains.Add(Success({5})), 0);
  EXPECT_DOUBLE_EQ(gains.Add(Success({8})), 0);
}

TEST(GainsTest, AWorstEndTakesNothingFromTheBest) {
  Gains gains;
  for (const double value : {10.0, 5.0, 12.0}) gains.Add(Success({value}));
  EXPECT_DOUBLE_EQ(gains.Add(Success({8})), 0);
  EXPECT_DOUBLE_EQ(gains.Add(Success({4})), 1.0 / 8);  // of the 8 from 12 down
}

TEST(GainsTest, AreWhatEachAddsToTheHypervolumeOfThoseBefore) {
  constexpr uint64_t kSeed = 20261129;
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  for (const size_t objectives : {1, 2, 3, 5}) {
    SCOPED_TRACE(objectives);
    Gains gains;
    std::vector<std::vector<double>> points;
    std::vector<double> reference;
    for (int i = 0; i < 60; ++i) {
      std::vector<double> point;
      // Coarse, so that values tie and points repeat; the range grows, so that the worst moves.
      const uint64_t range = 4 + static_cast<uint64_t>(i) / 10;
      for (size_t m = 0; m < objectives; ++m) {
        point.push_back(static_cast<double>(rng.Uniform(range)));
      }
      if (reference.empty()) reference = point;
      for (size_t m = 0; m < objectives; ++m) reference[m] = std::max(reference[m], point[m]);
      const double before = Hypervolume(points, reference).value();
      points.push_back(point);
      const double after = Hypervolume(points, reference).value();
      // Nothing was feasible before the first.
      const double expected = i == 0 ? 1 : after > 0 ? (after - before) / after : 0;
      EXPECT_NEAR(gains.Add(Success(point)), expected, 1e-12) << i;
    }
  }
}

TEST(GainsTest, LessViolationIsGainUntilSomethingIsFeasible) {
  Gains gains;
  EXPECT_DOUBLE_EQ(gains.Add(Success({1}, 9)), 1 - 0.9);
  EXPECT_DOUBLE_EQ(gains.Add(Success({1}, 1)), 0.9 - 0.5);  // above a bound twice over, and less
  EXPECT_DOUBLE_EQ(gains.Add(Success({1}, 4)), 0);
  EXPECT_DOUBLE_EQ(gains.Add(Success({1})), 0.5);
  EXPECT_DOUBLE_EQ(gains.Add(Success({1}, 0.1)), 0);
  EXPECT_DOUBLE_EQ(gains.Add(Success({2}, std::numeric_limits<double>::infinity())), 0);
}

}  // namespace
}  // namespace frontier::coordinator
