#include "common/pareto/pareto.h"

#include <cstdint>
#include <iostream>
#include <limits>
#include <set>
#include <vector>

#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace frontier {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(DominatesTest, NowhereWorseAndSomewhereBetter) {
  EXPECT_TRUE(Dominates({1, 2}, {1, 3}));
  EXPECT_TRUE(Dominates({1}, {2}));
  EXPECT_FALSE(Dominates({1, 2}, {1, 2}));
  EXPECT_FALSE(Dominates({1, 3}, {2, 2}));
  EXPECT_FALSE(Dominates({}, {}));
  EXPECT_TRUE(Dominates({-kInf, 1}, {0, 1}));
  EXPECT_FALSE(Dominates({kInf, 1}, {kInf, 1}));
  EXPECT_FALSE(Dominates({kNan, 1}, {2, 2}));
  EXPECT_FALSE(Dominates({1, 1}, {kNan, 2}));
  EXPECT_FALSE(Dominates({1}, {2, 2}));
}

TEST(ParetoFrontTest, SaysWhatANewPointRemoves) {
  ParetoFront front;
  EXPECT_TRUE(front.Insert(1, {3, 3}).inserted);
  EXPECT_TRUE(front.Insert(2, {1, 5}).inserted);
  EXPECT_TRUE(front.Insert(3, {5, 1}).inserted);
  EXPECT_FALSE(front.Insert(4, {4, 4}).inserted);
  const ParetoFront::InsertResult result = front.Insert(5, {3, 1});
  EXPECT_TRUE(result.inserted);
  EXPECT_THAT(result.removed, UnorderedElementsAre(1, 3));
  ASSERT_EQ(front.members().size(), 2u);
  EXPECT_EQ(front.members()[0].id, 2);
  EXPECT_THAT(front.members()[1].objectives, ElementsAre(3, 1));
}

TEST(ParetoFrontTest, EqualPointsAllStay) {
  ParetoFront front;
  for (int id = 0; id < 5; ++id) {
    const ParetoFront::InsertResult result = front.Insert(id, {1, 1});
    EXPECT_TRUE(result.inserted);
    EXPECT_THAT(result.removed, IsEmpty());
  }
  EXPECT_EQ(front.Insert(9, {1, 0}).removed.size(), 5u);
}

TEST(ParetoFrontTest, NothingThatIsNotFiniteEnters) {
  ParetoFront front;
  for (double value : {kInf, -kInf, kNan}) EXPECT_FALSE(front.Insert(1, {0, value}).inserted);
  EXPECT_THAT(front.members(), IsEmpty());
}

TEST(ParetoFrontTest, AgreesWithAllPairs) {
  constexpr uint64_t kSeed = 7001;
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  for (int round = 0; round < 60; ++round) {
    const int objectives = 1 + static_cast<int>(rng.Uniform(6));
    // Few values, so that ties and duplicates are frequent.
    const uint64_t values = 2 + rng.Uniform(6);
    std::vector<std::vector<double>> points;
    ParetoFront front;
    std::set<int64_t> kept;
    for (int i = 0; i < 80; ++i) {
      std::vector<double> point;
      for (int k = 0; k < objectives; ++k)
        point.push_back(static_cast<double>(rng.Uniform(values)));
      const ParetoFront::InsertResult result = front.Insert(i, point);
      if (result.inserted) kept.insert(i);
      for (int64_t id : result.removed) EXPECT_EQ(kept.erase(id), 1u);
      points.push_back(std::move(point));
    }
    std::set<int64_t> expected;
    for (size_t i = 0; i < points.size(); ++i) {
      bool dominated = false;
      for (const auto& other : points) dominated |= Dominates(other, points[i]);
      if (!dominated) expected.insert(static_cast<int64_t>(i));
    }
    std::set<int64_t> members;
    for (const auto& member : front.members()) members.insert(member.id);
    EXPECT_EQ(members, expected) << "round " << round;
    EXPECT_EQ(kept, expected) << "round " << round;
  }
}

}  // namespace
}  // namespace frontier
