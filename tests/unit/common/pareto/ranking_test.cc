#include "common/pareto/ranking.h"

#include <algorithm>
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
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Points = std::vector<std::vector<double>>;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kMax = std::numeric_limits<double>::max();

// By the definition: peels off what no remaining point is better than.
std::vector<int> PeeledRanks(const Points& points, const std::vector<double>& violations) {
  const auto better = [&](size_t a, size_t b) {
    if (violations[a] != violations[b]) return violations[a] < violations[b];
    return Dominates(points[a], points[b]);
  };
  std::vector<int> ranks(points.size(), -1);
  size_t left = points.size();
  for (int rank = 0; left > 0; ++rank) {
    std::vector<size_t> front;
    for (size_t i = 0; i < points.size(); ++i) {
      if (ranks[i] >= 0) continue;
      bool beaten = false;
      for (size_t j = 0; j < points.size() && !beaten; ++j) beaten = ranks[j] < 0 && better(j, i);
      if (!beaten) front.push_back(i);
    }
    for (size_t i : front) ranks[i] = rank;
    left -= front.size();
  }
  return ranks;
}

TEST(NonDominatedRanksTest, AgreeWithPeeling) {
  constexpr uint64_t kSeed = 7200;
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  for (int round = 0; round < 300; ++round) {
    const int objectives = 1 + static_cast<int>(rng.Uniform(6));
    // From few values, so that ties and duplicates are frequent, to many.
    const uint64_t values = uint64_t{2} << rng.Uniform(10);
    const uint64_t levels = 1 + rng.Uniform(3);
    Points points(rng.Uniform(90));
    std::vector<double> violations;
    for (auto& point : points) {
      for (int k = 0; k < objectives; ++k) {
        const uint64_t value = rng.Uniform(values + 2);
        point.push_back(value == values       ? kInf
                        : value == values + 1 ? -kInf
                                              : static_cast<double>(value));
      }
      violations.push_back(static_cast<double>(rng.Uniform(levels)) / 2);
    }
    ASSERT_OK_AND_ASSIGN(const std::vector<int> ranks, NonDominatedRanks(points, violations));
    EXPECT_EQ(ranks, PeeledRanks(points, violations))
        << objectives << " objectives, round " << round;
  }
}

// A set of more than one block of the bits.
TEST(NonDominatedRanksTest, AgreeWithPeelingOfMany) {
  constexpr uint64_t kSeed = 7201;
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  for (int objectives : {2, 3, 5}) {
    for (uint64_t values : {7, 1'000'000}) {
      Points points(1100);
      for (auto& point : points) {
        for (int k = 0; k < objectives; ++k)
          point.push_back(static_cast<double>(rng.Uniform(values)));
      }
      ASSERT_OK_AND_ASSIGN(const std::vector<int> ranks, NonDominatedRanks(points));
      EXPECT_EQ(ranks, PeeledRanks(points, std::vector<double>(points.size(), 0)))
          << objectives << " objectives, " << values << " values";
    }
  }
}

TEST(NonDominatedRanksTest, ChainsAndSingleFronts) {
  for (int objectives = 1; objectives <= 6; ++objectives) {
    Points chain;
    Points front;
    std::vector<int> expected;
    for (int i = 0; i < 2000; ++i) {
      chain.emplace_back(objectives, 1999.0 - i);
      expected.push_back(1999 - i);
      front.emplace_back(objectives, 1.0);
      if (objectives > 1) {
        front.back().front() = i;
        front.back().back() = -i;
      }
    }
    EXPECT_EQ(NonDominatedRanks(chain).value(), expected) << objectives << " objectives";
    EXPECT_THAT(NonDominatedRanks(front).value(), Each(0)) << objectives << " objectives";
  }
}

TEST(NonDominatedRanksTest, ViolationComesFirst) {
  const Points points = {{1, 1}, {2, 2}, {0, 0}, {-1, -1}, {-1, 0}, {5, 5}};
  EXPECT_THAT(NonDominatedRanks(points, {0, 0, 0.25, 0.5, 0.5, kInf}).value(),
              ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(NonDominatedRanks(points, {0.5, 0.25, 0, 0, 0, 0}).value(),
              ElementsAre(5, 4, 2, 0, 1, 3));
  // A zero is a zero.
  EXPECT_THAT(NonDominatedRanks(Points{{1}, {1}}, {0.0, -0.0}).value(), ElementsAre(0, 0));
}

TEST(NonDominatedRanksTest, ZerosOfBothSignsAreEqual) {
  EXPECT_THAT(NonDominatedRanks(Points{{0.0, 1}, {-0.0, 2}, {0.0, 3}}).value(),
              ElementsAre(0, 1, 2));
  EXPECT_THAT(NonDominatedRanks(Points{{0.0, 0, 1}, {-0.0, 0, 1}, {0, -0.0, 0}}).value(),
              ElementsAre(1, 1, 0));
}

TEST(NonDominatedRanksTest, OfNothingAndOfOne) {
  EXPECT_THAT(NonDominatedRanks(Points{}).value(), IsEmpty());
  EXPECT_THAT(NonDominatedRanks(Points{{kInf, 3, -kInf}}).value(), ElementsAre(0));
}

TEST(NonDominatedRanksTest, RefusesWhatCannotBeCompared) {
  const auto is = [](const char* what) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what));
  };
  EXPECT_THAT(NonDominatedRanks(Points{{1, 2}, {1, kNan}}), is("point 1 is not a number in"));
  EXPECT_THAT(NonDominatedRanks(Points{{1, 2}, {1}}), is("point 1 of 1 objectives"));
  EXPECT_THAT(NonDominatedRanks(Points{{}}), is("point 0 has no objective"));
  EXPECT_THAT(NonDominatedRanks(Points{{1}, {2}}, {0.0}), is("1 violations of 2 points"));
  EXPECT_THAT(NonDominatedRanks(Points{{1}}, {-0.5}), is("violation -0.5 of point 0"));
  EXPECT_THAT(NonDominatedRanks(Points{{1}}, {kNan}), is("violation nan of point 0"));
}

TEST(FrontsOfTest, ListsIndicesByRank) {
  EXPECT_THAT(FrontsOf({1, 0, 2, 0}),
              ElementsAre(ElementsAre(1, 3), ElementsAre(0), ElementsAre(2)));
  EXPECT_THAT(FrontsOf({}), IsEmpty());
}

TEST(CrowdingDistancesTest, SumOfSharesOfTheRange) {
  // Ranges of 10 and 5.
  const Points points = {{0, 5}, {2, 3}, {3, 1}, {10, 0}};
  EXPECT_THAT(CrowdingDistances(points).value(), ElementsAre(kInf, 0.3 + 0.8, 0.8 + 0.6, kInf));
}

TEST(CrowdingDistancesTest, EqualValuesAreNeighboursInTheirOrder) {
  EXPECT_THAT(CrowdingDistances(Points{{1}, {1}, {2}, {3}, {3}}).value(),
              ElementsAre(kInf, 0.5, 1, 0.5, kInf));
  // An objective that is the same everywhere has no ends.
  EXPECT_THAT(CrowdingDistances(Points{{1, 7}, {3, 7}, {2, 7}}).value(),
              ElementsAre(kInf, kInf, 1));
  EXPECT_THAT(CrowdingDistances(Points{{1, 7}, {1, 7}, {1, 7}}).value(), ElementsAre(0, 0, 0));
  EXPECT_THAT(CrowdingDistances(Points{{0, 2}, {1, 1}, {1, 1}, {1, 1}, {2, 0}}).value(),
              ElementsAre(kInf, 0.5 + 0.5, 0, 0.5 + 0.5, kInf));
}

TEST(CrowdingDistancesTest, InfiniteValuesAreALimit) {
  EXPECT_THAT(CrowdingDistances(Points{{0}, {1}, {2}, {kInf}}).value(),
              ElementsAre(kInf, 0, 1, kInf));
  EXPECT_THAT(CrowdingDistances(Points{{-kInf}, {1}, {2}, {kInf}}).value(),
              ElementsAre(kInf, 0.5, 0.5, kInf));
  EXPECT_THAT(CrowdingDistances(Points{{-kInf}, {-kInf}, {kInf}, {kInf}}).value(),
              ElementsAre(kInf, 1, 1, kInf));
  EXPECT_THAT(CrowdingDistances(Points{{kInf}, {kInf}}).value(), ElementsAre(0, 0));
  // Ranges beyond a double.
  EXPECT_THAT(CrowdingDistances(Points{{-kMax}, {0}, {kMax / 2}, {kMax}}).value(),
              ElementsAre(kInf, 0.75, 0.5, kInf));
}

TEST(CrowdingDistancesTest, OfFewAreInfinite) {
  EXPECT_THAT(CrowdingDistances(Points{}).value(), IsEmpty());
  EXPECT_THAT(CrowdingDistances(Points{{1, 2}}).value(), ElementsAre(0));
  EXPECT_THAT(CrowdingDistances(Points{{1, 2}, {2, 1}}).value(), ElementsAre(kInf, kInf));
}

TEST(CrowdingDistancesTest, RefusesWhatCannotBeCompared) {
  EXPECT_THAT(CrowdingDistances(Points{{1, 2}, {kNan, 1}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("point 1 is not a number")));
  EXPECT_THAT(CrowdingDistances(Points{{1, 2}, {1}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("point 1 of 1")));
}

// Neighbours searched for each point by itself; values are all different.
TEST(CrowdingDistancesTest, AgreesWithSearchedNeighbours) {
  constexpr uint64_t kSeed = 7202;
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  for (int objectives = 1; objectives <= 6; ++objectives) {
    Points points(60);
    for (auto& point : points) {
      for (int k = 0; k < objectives; ++k) point.push_back(rng.Normal());
    }
    ASSERT_OK_AND_ASSIGN(const std::vector<double> distances, CrowdingDistances(points));
    for (size_t i = 0; i < points.size(); ++i) {
      double sum = 0;
      for (int k = 0; k < objectives; ++k) {
        double below = -kInf;
        double above = kInf;
        double least = kInf;
        double largest = -kInf;
        for (const auto& other : points) {
          if (other[k] < points[i][k]) below = std::max(below, other[k]);
          if (other[k] > points[i][k]) above = std::min(above, other[k]);
          least = std::min(least, other[k]);
          largest = std::max(largest, other[k]);
        }
        sum += (above - below) / (largest - least);
      }
      EXPECT_DOUBLE_EQ(distances[i], sum) << "point " << i;
    }
  }
}

}  // namespace
}  // namespace frontier
