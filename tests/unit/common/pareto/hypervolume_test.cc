#include <cmath>
#include <cstdint>
#include <iostream>
#include <limits>
#include <vector>

#include "common/base/random.h"
#include "common/pareto/pareto.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

using Points = std::vector<std::vector<double>>;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Points have whole coordinates: counts the unit cells of the box that some point dominates.
double CountCells(const Points& points, const std::vector<int>& reference) {
  std::vector<int> cell(reference.size(), 0);
  double count = 0;
  while (true) {
    for (const auto& point : points) {
      bool covers = true;
      for (size_t k = 0; k < cell.size(); ++k) covers &= point[k] <= cell[k];
      if (covers) {
        ++count;
        break;
      }
    }
    size_t k = 0;
    while (k < cell.size() && ++cell[k] == reference[k]) cell[k++] = 0;
    if (k == cell.size()) return count;
  }
}

TEST(HypervolumeTest, AgreesWithCountedCells) {
  constexpr uint64_t kSeed = 7100;
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  for (int objectives = 1; objectives <= 6; ++objectives) {
    for (int round = 0; round < 25; ++round) {
      std::vector<int> reference;
      for (int k = 0; k < objectives; ++k)
        reference.push_back(2 + static_cast<int>(rng.Uniform(4)));
      Points points(rng.Uniform(20));
      for (auto& point : points) {
        // One beyond the reference too; ties and duplicates are frequent.
        for (int bound : reference) point.push_back(static_cast<double>(rng.Uniform(bound + 2)));
      }
      const std::vector<double> box(reference.begin(), reference.end());
      ASSERT_OK_AND_ASSIGN(const double volume, Hypervolume(points, box));
      EXPECT_NEAR(volume, CountCells(points, reference), 1e-9)
          << objectives << " objectives, round " << round;
    }
  }
}

TEST(HypervolumeTest, SinglePointsAndDuplicates) {
  EXPECT_DOUBLE_EQ(Hypervolume(Points{{1, 2}}, {3, 3}).value(), 2);
  EXPECT_DOUBLE_EQ(Hypervolume(Points{{1, 2}, {1, 2}}, {3, 3}).value(), 2);
  EXPECT_DOUBLE_EQ(Hypervolume(Points{{-1, 2, 0.5}}, {3, 3, 1}).value(), 2);
  EXPECT_DOUBLE_EQ(Hypervolume(Points{}, {3, 3}).value(), 0);
  EXPECT_DOUBLE_EQ(Hypervolume(Points{{3, 0}}, {3, 3}).value(), 0);
}

TEST(HypervolumeTest, PointsThatAreNotFiniteAddNothing) {
  const Points points = {{1, 2}, {-kInf, 0}, {0, kInf}, {kNan, 0}};
  EXPECT_DOUBLE_EQ(Hypervolume(points, {3, 3}).value(), 2);
}

TEST(HypervolumeTest, RefusesWhatHasNoVolume) {
  EXPECT_THAT(Hypervolume(Points{}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no reference")));
  EXPECT_THAT(Hypervolume(Points{}, {1, kInf}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("inf")));
  EXPECT_THAT(Hypervolume(Points{{1}}, {1, 1}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1 objectives")));
}

TEST(HypervolumeTest, SphereOfThreeObjectives) {
  // A dense front on the unit sphere's first octant: the volume tends to that of the cube without
  // an eighth of the ball, 1 - pi / 6 seen from the other corner.
  Points points;
  for (int i = 0; i < 30; ++i) {
    for (int j = 0; j < 30; ++j) {
      const double a = (i + 0.5) / 30 * M_PI / 2;
      const double b = (j + 0.5) / 30 * M_PI / 2;
      points.push_back({std::cos(a) * std::cos(b), std::cos(a) * std::sin(b), std::sin(a)});
    }
  }
  ASSERT_OK_AND_ASSIGN(const double volume, Hypervolume(points, {1, 1, 1}));
  EXPECT_NEAR(volume, 1 - M_PI / 6, 0.05);
  EXPECT_LT(volume, 1 - M_PI / 6);
}

}  // namespace
}  // namespace frontier
