#include <cstdint>
#include <iostream>
#include <limits>
#include <utility>
#include <vector>

#include "common/base/random.h"
#include "common/pareto/hypervolume.h"
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

TEST(HypervolumeArchiveTest, SaysWhatAPointAdds) {
  HypervolumeArchive archive = HypervolumeArchive::Create({5, 5}).value();
  EXPECT_DOUBLE_EQ(archive.Insert({1, 4}), 4);
  EXPECT_DOUBLE_EQ(archive.Insert({4, 1}), 3);
  EXPECT_DOUBLE_EQ(archive.Gain({2, 2}), 4);
  EXPECT_DOUBLE_EQ(archive.Gain({0, 0}), 25 - 7);
  EXPECT_DOUBLE_EQ(archive.volume(), 7);
  EXPECT_EQ(archive.size(), 2u);
  EXPECT_DOUBLE_EQ(archive.Insert({0, 1}), 13);
  EXPECT_EQ(archive.size(), 1u);
  EXPECT_DOUBLE_EQ(archive.Insert({0, 1}), 0);
  EXPECT_DOUBLE_EQ(archive.Insert({0, 2}), 0);
  EXPECT_DOUBLE_EQ(archive.Insert({1, 1}), 0);
  EXPECT_DOUBLE_EQ(archive.volume(), 20);
  EXPECT_EQ(archive.size(), 1u);
}

TEST(HypervolumeArchiveTest, WhatDoesNotCountAddsNothing) {
  for (int objectives = 1; objectives <= 4; ++objectives) {
    HypervolumeArchive archive =
        HypervolumeArchive::Create(std::vector<double>(objectives, 1)).value();
    for (double value : {kInf, -kInf, kNan, 1.0, 2.0, -std::numeric_limits<double>::max()}) {
      std::vector<double> point(objectives, 0);
      point.back() = value;
      if (value == -std::numeric_limits<double>::max()) {
        // The box is too large for a double.
        point.assign(objectives, value);
        if (objectives == 1) continue;
      }
      EXPECT_EQ(archive.Gain(point), 0) << value;
      EXPECT_EQ(archive.Insert(point), 0) << value;
    }
    EXPECT_EQ(archive.Insert(std::vector<double>(objectives + 1, 0)), 0);
    EXPECT_EQ(archive.Insert({}), 0);
    EXPECT_EQ(archive.size(), 0u);
    EXPECT_EQ(archive.volume(), 0);
    EXPECT_DOUBLE_EQ(archive.Insert(std::vector<double>(objectives, 0)), 1);
  }
}

TEST(HypervolumeArchiveTest, RefusesReferencesThatBoundNothing) {
  EXPECT_THAT(HypervolumeArchive::Create({}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no reference")));
  EXPECT_THAT(HypervolumeArchive::Create({1, kInf}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("inf")));
}

TEST(HypervolumeArchiveTest, AgreesWithTheVolumeOfAll) {
  constexpr uint64_t kSeed = 7300;
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  for (int round = 0; round < 60; ++round) {
    const int objectives = 1 + static_cast<int>(rng.Uniform(6));
    // Few values, so that ties and duplicates are frequent; some are beyond the reference.
    const uint64_t values = 3 + rng.Uniform(20);
    const std::vector<double> reference(objectives, static_cast<double>(values) - 1.5);
    HypervolumeArchive archive = HypervolumeArchive::Create(reference).value();
    Points points;
    ParetoFront front;
    double before = 0;
    for (int i = 0; i < 40; ++i) {
      std::vector<double> point;
      for (int k = 0; k < objectives; ++k)
        point.push_back(static_cast<double>(rng.Uniform(values)));
      points.push_back(point);
      ASSERT_OK_AND_ASSIGN(const double after, Hypervolume(points, reference));
      const double tolerance = 1e-12 * (1 + after);
      EXPECT_NEAR(archive.Gain(point), after - before, tolerance) << "round " << round;
      EXPECT_NEAR(archive.Insert(point), after - before, tolerance) << "round " << round;
      EXPECT_NEAR(archive.volume(), after, tolerance) << "round " << round;
      EXPECT_EQ(archive.Gain(point), 0) << "round " << round;
      before = after;
      bool counts = true;
      for (int k = 0; k < objectives; ++k) counts &= point[k] < reference[k];
      if (counts) front.Insert(i, point);
    }
    size_t distinct = 0;
    for (const auto& member : front.members()) {
      bool first = true;
      for (const auto& other : front.members()) {
        first &= other.id >= member.id || other.objectives != member.objectives;
      }
      distinct += first;
    }
    EXPECT_EQ(archive.size(), distinct) << "round " << round;
  }
}

TEST(HypervolumeArchiveTest, ManyPointsOfTwoObjectives) {
  constexpr uint64_t kSeed = 7301;
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  HypervolumeArchive archive = HypervolumeArchive::Create({1, 1}).value();
  Points points;
  // Near a curve, so that the front is long.
  for (int i = 0; i < 20000; ++i) {
    const double x = rng.UniformDouble();
    points.push_back({x, (1 - x) * (1 - x) + 1e-3 * rng.UniformDouble()});
    archive.Insert(points.back());
  }
  EXPECT_GT(archive.size(), 500u);
  ASSERT_OK_AND_ASSIGN(const double volume, Hypervolume(points, {1, 1}));
  EXPECT_NEAR(archive.volume(), volume, 1e-12);
}

TEST(HypervolumeArchiveTest, CopiesGoOnByThemselves) {
  HypervolumeArchive archive = HypervolumeArchive::Create({2, 2, 2}).value();
  archive.Insert({1, 1, 1});
  HypervolumeArchive copy = archive;
  EXPECT_DOUBLE_EQ(copy.Insert({0, 1, 1}), 1);
  EXPECT_DOUBLE_EQ(archive.volume(), 1);
  EXPECT_DOUBLE_EQ(std::move(copy).volume(), 2);
}

}  // namespace
}  // namespace frontier
