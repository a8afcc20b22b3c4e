#include "coordinator/strategy/model/niching.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>
#include <vector>

#include "common/pareto/reference_directions.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace frontier::coordinator {
namespace {

using Points = std::vector<std::vector<double>>;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

TEST(SelectByNicheTest, EachDirectionGetsThePointNearestToIt) {
  // A crowd in the middle and the two ends of a line from (0, 1) to (1, 0).
  const Points points = {{0, 1}, {0.49, 0.51}, {0.5, 0.5}, {0.52, 0.48}, {1, 0}};
  const Points directions = *DasDennisDirections(2, 2);  // (0, 1), (1, 1), (1, 0)
  EXPECT_THAT(SelectByNiche(points, 0, 3, directions), UnorderedElementsAre(0, 2, 4));
}

TEST(SelectByNicheTest, UnitsDoNotMatter) {
  Points points = {{0, 1}, {0.49, 0.51}, {0.5, 0.5}, {0.52, 0.48}, {1, 0}};
  for (std::vector<double>& point : points) {
    point[0] = 1e6 * point[0] - 3e5;
    point[1] = 1e-3 * point[1] + 7;
  }
  EXPECT_THAT(SelectByNiche(points, 0, 3, *DasDennisDirections(2, 2)),
              UnorderedElementsAre(0, 2, 4));
}

TEST(SelectByNicheTest, UnitsThatAreFarApartDoNotMatterEither) {
  // Shares of errors, and counts of operations. The extremes are the first and the last point.
  Points points;
  for (const double x : {0.0, 0.2, 0.5, 0.8, 1.0}) {
    points.push_back({0.3 * x, 1e8 * (1 - x) * (1 - x)});
  }
  EXPECT_THAT(SelectByNiche(points, 0, 3, *DasDennisDirections(2, 2)),
              UnorderedElementsAre(0, ::testing::AnyOf(1, 2), 4));
}

TEST(SelectByNicheTest, DirectionsThatHaveSurvivorsComeLater) {
  const Points points = {{0, 1}, {1, 0}, {0.01, 0.99}, {0.5, 0.5}};
  // The first two survive already, so the middle is the emptiest.
  EXPECT_THAT(SelectByNiche(points, 2, 1, *DasDennisDirections(2, 2)), ElementsAre(3));
  EXPECT_THAT(SelectByNiche(points, 2, 2, *DasDennisDirections(2, 2)), ElementsAre(3, 2));
}

TEST(SelectByNicheTest, EqualPointsAndASingleObjectiveAreFine) {
  const Points equal(6, {2, 2, 2});
  EXPECT_EQ(SelectByNiche(equal, 1, 5, *DasDennisDirections(3, 2)).size(), 5u);
  const Points line = {{3}, {1}, {2}};
  const std::vector<size_t> selected = SelectByNiche(line, 0, 2, *DasDennisDirections(1, 1));
  EXPECT_EQ(std::set<size_t>(selected.begin(), selected.end()).size(), 2u);
}

TEST(SelectByNicheTest, ASphereIsCoveredEvenly) {
  const Points directions = *DasDennisDirections(3, 6);
  Points points;
  for (const std::vector<double>& direction : directions) {
    // Each direction's own point, and many near one corner.
    double norm = 0;
    for (const double value : direction) norm += value * value;
    std::vector<double> point;
    for (const double value : direction) point.push_back(value / std::sqrt(norm));
    points.push_back(point);
    points.push_back({1 - 1e-3 * static_cast<double>(points.size()), 1e-2, 1e-2});
  }
  const std::vector<size_t> selected = SelectByNiche(points, 0, directions.size(), directions);
  const auto own =
      std::count_if(selected.begin(), selected.end(), [](size_t index) { return index % 2 == 0; });
  EXPECT_GE(own, static_cast<std::ptrdiff_t>(directions.size()) - 3);
}

}  // namespace
}  // namespace frontier::coordinator
