#include "common/pareto/reference_directions.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(DasDennisTest, CountsOfThePaper) {
  // Deb and Jain 2014, table I: one layer up to five objectives, two from eight on.
  EXPECT_EQ(DasDennisCount(3, 12), 91);
  EXPECT_EQ(DasDennisCount(5, 6), 210);
  EXPECT_EQ(DasDennisCount(8, 3) + DasDennisCount(8, 2), 156);
  EXPECT_EQ(DasDennisCount(10, 3) + DasDennisCount(10, 2), 275);
  EXPECT_EQ(DasDennisCount(15, 2) + DasDennisCount(15, 1), 135);
}

TEST(DasDennisTest, CountsAtTheLimits) {
  EXPECT_EQ(DasDennisCount(1, 7), 1);
  EXPECT_EQ(DasDennisCount(7, 1), 7);
  EXPECT_EQ(DasDennisCount(2, 99), 100);
  EXPECT_EQ(DasDennisCount(0, 3), 0);
  EXPECT_EQ(DasDennisCount(3, 0), 0);
  EXPECT_EQ(DasDennisCount(3, -1), 0);
  EXPECT_EQ(DasDennisCount(1'000'000, 1'000'000), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(DasDennisCount(2, std::numeric_limits<int>::max()), int64_t{1} << 31);
}

TEST(DasDennisTest, AllOfTheLatticeInOrder) {
  EXPECT_THAT(
      DasDennisDirections(3, 2).value(),
      ElementsAre(ElementsAre(0, 0, 1), ElementsAre(0, 0.5, 0.5), ElementsAre(0, 1, 0),
                  ElementsAre(0.5, 0, 0.5), ElementsAre(0.5, 0.5, 0), ElementsAre(1, 0, 0)));
  EXPECT_THAT(DasDennisDirections(1, 5).value(), ElementsAre(ElementsAre(1)));
  for (int objectives = 2; objectives <= 6; ++objectives) {
    for (int divisions = 1; divisions <= 8; ++divisions) {
      ASSERT_OK_AND_ASSIGN(const auto directions, DasDennisDirections(objectives, divisions));
      EXPECT_EQ(static_cast<int64_t>(directions.size()), DasDennisCount(objectives, divisions));
      // Ascending and so distinct.
      EXPECT_TRUE(std::adjacent_find(directions.begin(), directions.end(),
                                     std::greater_equal<>()) == directions.end());
      for (const auto& direction : directions) {
        ASSERT_EQ(direction.size(), static_cast<size_t>(objectives));
        EXPECT_NEAR(std::accumulate(direction.begin(), direction.end(), 0.0), 1, 1e-15);
        for (double value : direction) {
          EXPECT_GE(value, 0);
          EXPECT_NEAR(value * divisions, std::round(value * divisions), 1e-12);
        }
      }
    }
  }
}

TEST(DasDennisTest, InnerLayerIsHalfTheWayToTheCentre) {
  EXPECT_THAT(DasDennisDirections(2, 1, 2).value(),
              ElementsAre(ElementsAre(0, 1), ElementsAre(1, 0), ElementsAre(0.25, 0.75),
                          ElementsAre(0.5, 0.5), ElementsAre(0.75, 0.25)));
  ASSERT_OK_AND_ASSIGN(const auto directions, DasDennisDirections(8, 3, 2));
  ASSERT_EQ(directions.size(), 156u);
  for (size_t i = 0; i < directions.size(); ++i) {
    const auto& direction = directions[i];
    EXPECT_NEAR(std::accumulate(direction.begin(), direction.end(), 0.0), 1, 1e-15);
    // The outer layer is on the boundary, the inner one is not.
    const double least = *std::min_element(direction.begin(), direction.end());
    EXPECT_DOUBLE_EQ(least, i < 120 ? 0 : 1.0 / 16);
  }
}

TEST(DasDennisTest, RefusesWhatCannotBeMade) {
  for (int objectives : {0, -2}) {
    EXPECT_THAT(DasDennisDirections(objectives, 3),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("objectives in 3")));
  }
  EXPECT_THAT(DasDennisDirections(3, 0),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("in 0 and 0")));
  EXPECT_THAT(DasDennisDirections(3, 4, -1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("4 and -1 divisions")));
  EXPECT_THAT(DasDennisDirections(10, 30),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 1000000")));
  EXPECT_THAT(DasDennisDirections(10, 3, 30),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 1000000")));
  EXPECT_THAT(DasDennisDirections(2'000'000'000, 2'000'000'000),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 1000000")));
}

}  // namespace
}  // namespace frontier
