#include "common/pareto/hypervolume.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <iostream>
#include <limits>
#include <utility>
#include <vector>

#include "common/base/random.h"
#include "common/pareto/reference_directions.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

// Whole coordinates, one beyond the reference too; ties and duplicates are frequent.
Points RandomCells(size_t count, const std::vector<int>& reference, Rng* rng) {
  Points points(count);
  for (auto& point : points) {
    for (int bound : reference) point.push_back(static_cast<double>(rng->Uniform(bound + 2)));
  }
  return points;
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
      const Points points = RandomCells(rng.Uniform(20), reference, &rng);
      const std::vector<double> box(reference.begin(), reference.end());
      ASSERT_OK_AND_ASSIGN(const double volume, Hypervolume(points, box));
      EXPECT_NEAR(volume, CountCells(points, reference), 1e-9)
          << objectives << " objectives, round " << round;
    }
  }
}

TEST(HypervolumeTest, ContributionsAgreeWithCountedCells) {
  constexpr uint64_t kSeed = 7101;
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  for (int objectives = 1; objectives <= 6; ++objectives) {
    for (int round = 0; round < 15; ++round) {
      std::vector<int> reference;
      for (int k = 0; k < objectives; ++k)
        reference.push_back(2 + static_cast<int>(rng.Uniform(3)));
      const Points points = RandomCells(rng.Uniform(12), reference, &rng);
      const std::vector<double> box(reference.begin(), reference.end());
      ASSERT_OK_AND_ASSIGN(const auto contributions, HypervolumeContributions(points, box));
      ASSERT_EQ(contributions.size(), points.size());
      const double all = CountCells(points, reference);
      for (size_t i = 0; i < points.size(); ++i) {
        Points others = points;
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
        const double expected = all - CountCells(others, reference);
        EXPECT_NEAR(contributions[i], expected, 1e-9)
            << objectives << " objectives, round " << round << ", point " << i;
        ASSERT_OK_AND_ASSIGN(const double exclusive, ExclusiveHypervolume(points[i], others, box));
        EXPECT_NEAR(exclusive, expected, 1e-9)
            << objectives << " objectives, round " << round << ", point " << i;
      }
    }
  }
}

// By inclusion and exclusion: what each set of points has in common.
double IncludeAndExclude(const Points& points, const std::vector<double>& reference) {
  double volume = 0;
  for (uint32_t set = 1; set < (uint32_t{1} << points.size()); ++set) {
    double common = -1;
    for (size_t i = 0; i < points.size(); ++i) {
      if ((set >> i & 1) != 0) common = -common;
    }
    for (size_t k = 0; k < reference.size(); ++k) {
      double worst = -kInf;
      for (size_t i = 0; i < points.size(); ++i) {
        if ((set >> i & 1) != 0) worst = std::max(worst, points[i][k]);
      }
      common *= reference[k] - worst;
    }
    volume += common;
  }
  return volume;
}

TEST(HypervolumeTest, AgreesWithInclusionAndExclusion) {
  constexpr uint64_t kSeed = 7102;
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  for (int objectives = 2; objectives <= 6; ++objectives) {
    const std::vector<double> reference(objectives, 2.5);
    for (int round = 0; round < 20; ++round) {
      Points points(1 + rng.Uniform(11));
      for (auto& point : points) {
        for (int k = 0; k < objectives; ++k) point.push_back(2.5 * rng.UniformDouble());
      }
      ASSERT_OK_AND_ASSIGN(const double volume, Hypervolume(points, reference));
      EXPECT_NEAR(volume, IncludeAndExclude(points, reference), 1e-9)
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

TEST(HypervolumeTest, ContributionsOfDuplicatesAndDominatedAreNothing) {
  EXPECT_THAT(
      HypervolumeContributions(Points{{1, 2}, {1, 2}, {2, 1}, {2, 2}, {kInf, 0}}, {3, 3}).value(),
      ElementsAre(0, 0, 1, 0, 0));
  // What a dominated point leaves of the one that dominates it.
  EXPECT_THAT(HypervolumeContributions(Points{{0, 0}, {1, 1}}, {2, 2}).value(), ElementsAre(3, 0));
  EXPECT_THAT(HypervolumeContributions(Points{}, {2, 2}).value(), IsEmpty());
}

TEST(HypervolumeTest, ExclusiveRefusesWhatHasNoVolume) {
  EXPECT_THAT(ExclusiveHypervolume({1}, Points{{1, 2}}, {3, 3}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1 objectives")));
  EXPECT_THAT(ExclusiveHypervolume({1, 1}, Points{{1}}, {3, 3}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1 objectives")));
  EXPECT_THAT(ExclusiveHypervolume({}, Points{}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no reference")));
  EXPECT_THAT(HypervolumeContributions(Points{{1}}, {3, kNan}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nan")));
  EXPECT_DOUBLE_EQ(ExclusiveHypervolume({kNan, 1}, Points{}, {3, 3}).value(), 0);
  EXPECT_DOUBLE_EQ(ExclusiveHypervolume({1, 1}, Points{{kNan, 1}}, {3, 3}).value(), 4);
}

TEST(HypervolumeTest, ErrorsNamePointObjectiveAndValue) {
  const auto says = [](const char* message) {
    return StatusIs(absl::StatusCode::kInvalidArgument, message);
  };
  EXPECT_THAT(Hypervolume(Points{}, {1, kInf}),
              says("hypervolume: reference is inf in objective 1, not finite"));
  EXPECT_THAT(Hypervolume(Points{{0, 0}, {1, 2, 3}}, {1, 1}),
              says("hypervolume: point 1 of 3 objectives, reference of 2"));
  EXPECT_THAT(ExclusiveHypervolume({1}, Points{}, {1, 1}),
              says("hypervolume: the point of 1 objectives, reference of 2"));
  // Points that do not count are counted here.
  EXPECT_THAT(
      HypervolumeContributions(Points{{2, 0}, {-1e200, 0}, {0, -1e250}}, {1, 1}),
      says("hypervolume: point 2 is -1e+250 in objective 1, too far from the reference's 1"));
  EXPECT_THAT(
      ExclusiveHypervolume({-1e200, -1e250}, Points{}, {1, 1}),
      says("hypervolume: the point is -1e+250 in objective 1, too far from the reference's 1"));
}

TEST(HypervolumeTest, RefusesBoxesBeyondADouble) {
  const auto too_far = StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("too far"));
  EXPECT_THAT(Hypervolume(Points{{-1e200, 0}, {0, -1e200}}, {1, 1}), too_far);
  // No part of the computation overflows either.
  EXPECT_THAT(Hypervolume(Points{{-1e200, -1e200, 0}}, {1, 1, 1e-200}), too_far);
  EXPECT_THAT(ExclusiveHypervolume({-1e200, -1e200}, Points{}, {1, 1}), too_far);
  EXPECT_THAT(Hypervolume(Points{{-std::numeric_limits<double>::max()}},
                          {std::numeric_limits<double>::max()}),
              too_far);
  EXPECT_DOUBLE_EQ(Hypervolume(Points{{-1e200, 0}}, {0, 1}).value(), 1e200);
}

// A front of two objectives on a curve that falls: the volume of points on it is less than that of
// the curve, and that of the corners below them is more.
struct Curve {
  std::function<double(double)> value;
  double begin, end;
};

void ExpectBetween(const std::vector<Curve>& curves, double exact, double gap,
                   const std::vector<double>& reference) {
  constexpr int kPieces = 2000;
  Points on;
  Points below;
  for (const Curve& curve : curves) {
    for (int i = 0; i <= kPieces; ++i) {
      const auto x = [&](int at) {
        return curve.begin + (curve.end - curve.begin) * std::min(at, kPieces) / kPieces;
      };
      on.push_back({x(i), curve.value(x(i))});
      below.push_back({x(i), curve.value(x(i + 1))});
    }
  }
  ASSERT_OK_AND_ASSIGN(const double less, Hypervolume(on, reference));
  ASSERT_OK_AND_ASSIGN(const double more, Hypervolume(below, reference));
  EXPECT_LE(less, exact + 1e-12);
  EXPECT_GE(more, exact - 1e-12);
  EXPECT_LT(more - less, gap);
}

// The fronts of Zitzler, Deb and Thiele 2000, "Comparison of multiobjective evolutionary
// algorithms".
TEST(HypervolumeTest, FrontsOfZdt1And2) {
  ExpectBetween({{[](double x) { return 1 - std::sqrt(x); }, 0, 1}}, 120 + 2.0 / 3, 1e-3, {11, 11});
  ExpectBetween({{[](double x) { return 1 - x * x; }, 0, 1}}, 120 + 1.0 / 3, 1e-3, {11, 11});
  ExpectBetween({{[](double x) { return 1 - x * x; }, 0, 1}}, 1.0 / 3, 1e-3, {1, 1});
}

TEST(HypervolumeTest, FrontOfZdt3) {
  // The pieces end where the curve is flat and begin where it is as low again, to ten digits.
  const std::vector<std::pair<double, double>> pieces = {{0, 0.0830015349},
                                                         {0.1822287280, 0.2577623634},
                                                         {0.4093136748, 0.4538821041},
                                                         {0.6183967944, 0.6525117038},
                                                         {0.8233317983, 0.8518328654}};
  const auto value = [](double x) { return 1 - std::sqrt(x) - x * std::sin(10 * M_PI * x); };
  const auto integral = [](double x) {
    return x - std::pow(x, 1.5) * 2 / 3 + x * std::cos(10 * M_PI * x) / (10 * M_PI) -
           std::sin(10 * M_PI * x) / (100 * M_PI * M_PI);
  };
  std::vector<Curve> curves;
  double exact = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const auto [begin, end] = pieces[i];
    curves.push_back({value, begin, end});
    exact += 11 * (end - begin) - (integral(end) - integral(begin));
    const double next = i + 1 < pieces.size() ? pieces[i + 1].first : 11;
    exact += (next - end) * (11 - value(end));
  }
  // As other implementations have it.
  EXPECT_NEAR(exact, 128.778, 1e-3);
  ExpectBetween(curves, exact, 1e-3, {11, 11});
}

// The front of DTLZ1 (Deb et al. 2005, "Scalable test problems for evolutionary multiobjective
// optimization"): values >= 0 of sum 1/2. Of the lattice on it, what is not dominated is the cells
// whose lower corners lie below: (divisions + objectives - 1) over objectives of them.
TEST(HypervolumeTest, LatticeOnTheFrontOfDtlz1) {
  const std::vector<int> divisions_of = {0, 0, 2000, 60, 14, 8, 6};
  for (int objectives = 2; objectives <= 6; ++objectives) {
    const int divisions = divisions_of[objectives];
    ASSERT_OK_AND_ASSIGN(Points points, DasDennisDirections(objectives, divisions));
    for (auto& point : points) {
      for (double& value : point) value /= 2;
    }
    const auto below = static_cast<double>(DasDennisCount(objectives + 1, divisions - 1));
    const std::vector<double> reference(objectives, 1.1);
    ASSERT_OK_AND_ASSIGN(const double volume, Hypervolume(points, reference));
    EXPECT_NEAR(volume, std::pow(1.1, objectives) - below * std::pow(0.5 / divisions, objectives),
                1e-12)
        << objectives << " objectives";
  }
}

// The front of DTLZ2 is the part of the unit sphere with values >= 0.
TEST(HypervolumeTest, FrontOfDtlz2) {
  const double ball[] = {1, 2, M_PI, M_PI * 4 / 3, M_PI * M_PI / 2};
  const int pieces_of[] = {0, 0, 1000, 40, 9};
  for (int objectives = 2; objectives <= 4; ++objectives) {
    // Values in all objectives but the last at the corners of a grid. Points beyond the sphere are
    // on its rim, from where the last value no longer falls.
    const int pieces = pieces_of[objectives];
    Points on;
    Points below;
    std::vector<int> at(objectives - 1, 0);
    while (true) {
      std::vector<double> lower;
      double near = 0;
      double far = 0;
      for (int k : at) {
        lower.push_back(static_cast<double>(k) / pieces);
        near += lower.back() * lower.back();
        far += std::pow(static_cast<double>(k + 1) / pieces, 2);
      }
      if (near <= 1) {
        on.push_back(lower);
        on.back().push_back(std::sqrt(1 - near));
        below.push_back(lower);
        below.back().push_back(std::sqrt(std::max(0.0, 1 - far)));
      }
      size_t k = 0;
      while (k < at.size() && ++at[k] > pieces) at[k++] = 0;
      if (k == at.size()) break;
    }
    const double exact =
        std::pow(1.5, objectives) - ball[objectives] / static_cast<double>(1 << objectives);
    const std::vector<double> reference(objectives, 1.5);
    ASSERT_OK_AND_ASSIGN(const double less, Hypervolume(on, reference));
    ASSERT_OK_AND_ASSIGN(const double more, Hypervolume(below, reference));
    EXPECT_LE(less, exact) << objectives << " objectives";
    EXPECT_GE(more, exact) << objectives << " objectives";
    EXPECT_LT(more - less, 2.0 / pieces) << objectives << " objectives";
  }
}

}  // namespace
}  // namespace frontier
