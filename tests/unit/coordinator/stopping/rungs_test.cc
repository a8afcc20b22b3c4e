#include "coordinator/stopping/rungs.h"

#include <optional>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace frontier::coordinator {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

Observation Result(int64_t trial, std::vector<double> objectives, double violation = 0) {
  Observation result;
  result.trial = trial;
  result.succeeded = true;
  result.objectives = std::move(objectives);
  result.violation = violation;
  return result;
}

TEST(RungsTest, OneInSoManyGoesOnTheBestFirst) {
  Rungs rungs(3);
  EXPECT_EQ(rungs.Next(), std::nullopt);
  rungs.Add({0, 0}, Result(1, {0.5}));
  rungs.Add({0, 0}, Result(2, {0.3}));
  EXPECT_EQ(rungs.Next(), std::nullopt);
  rungs.Add({0, 0}, Result(3, {0.4}));
  EXPECT_THAT(rungs.Next(), Optional(2));
  rungs.GoOn(2);
  EXPECT_EQ(rungs.Next(), std::nullopt);
  // Later ones are ever better, and still one in three goes on.
  int gone_on = 1;
  for (int trial = 4; trial <= 30; ++trial) {
    rungs.Add({0, 0}, Result(trial, {-trial * 1.0}));
    while (const auto next = rungs.Next()) {
      EXPECT_EQ(*next, trial);
      rungs.GoOn(*next);
      ++gone_on;
    }
  }
  EXPECT_EQ(gone_on, 10);
  EXPECT_EQ(rungs.Waiting().size(), 20u);
}

TEST(RungsTest, HigherRungsComeFirstAndBracketsAreApart) {
  Rungs rungs(2);
  rungs.Add({0, 0}, Result(1, {1}));
  rungs.Add({1, 0}, Result(2, {2}));
  EXPECT_EQ(rungs.Next(), std::nullopt);  // of different brackets
  rungs.Add({0, 0}, Result(3, {3}));
  EXPECT_THAT(rungs.Next(), Optional(1));
  // The second rung of a bracket has the epochs of the first of the next.
  rungs.Add({2, 0}, Result(8, {4}));
  rungs.Add({2, 0}, Result(9, {5}));
  EXPECT_THAT(rungs.Next(), Optional(8));
  rungs.Add({1, 2}, Result(10, {4}));
  rungs.Add({1, 2}, Result(11, {5}));
  EXPECT_THAT(rungs.Next(), Optional(10));
  rungs.GoOn(10);
  rungs.GoOn(8);
  rungs.Add({1, 1}, Result(4, {4}));
  rungs.Add({1, 1}, Result(5, {5}));
  EXPECT_THAT(rungs.Next(), Optional(4));
  EXPECT_EQ(rungs.PlaceOf(4)->rung, 1);
  EXPECT_EQ(rungs.PlaceOf(4)->bracket, 1);
  EXPECT_EQ(rungs.PlaceOf(77), std::nullopt);
}

TEST(RungsTest, SeveralObjectivesGoByRankThenCrowdingAfterFeasibility) {
  Rungs rungs(2);
  rungs.Add({0, 0}, Result(1, {0, 0}, /*violation=*/1));
  rungs.Add({0, 0}, Result(2, {3, 3}));
  rungs.Add({0, 0}, Result(3, {1, 5}));
  rungs.Add({0, 0}, Result(4, {5, 1}));
  rungs.Add({0, 0}, Result(5, {2.9, 3}));
  rungs.Add({0, 0}, Result(6, {9, 9}));
  std::vector<int64_t> order;
  while (const auto next = rungs.Next()) {
    order.push_back(*next);
    rungs.GoOn(*next);
  }
  // The ends of the first rank, then its middle.
  EXPECT_THAT(order, ElementsAre(3, 4, 5));
}

TEST(RungsTest, TheBestIsToldWhateverTheQuota) {
  Rungs rungs(10);
  EXPECT_EQ(rungs.Best(), std::nullopt);
  rungs.Add({0, 0}, Result(1, {1}));
  rungs.Add({0, 0}, Result(2, {0}));
  EXPECT_EQ(rungs.Next(), std::nullopt);
  EXPECT_THAT(rungs.Best(), Optional(2));
  rungs.GoOn(2);
  rungs.Add({0, 1}, Result(2, {5}));
  EXPECT_THAT(rungs.Best(), Optional(2));  // the highest rung
}

TEST(RungsTest, ARollbackUndoesAllSinceTheLastKeep) {
  Rungs rungs(2);
  rungs.Add({0, 0}, Result(1, {1}));
  rungs.Add({0, 0}, Result(2, {2}));
  rungs.Keep();
  rungs.GoOn(1);
  rungs.Add({0, 1}, Result(1, {1}));
  rungs.Add({0, 0}, Result(3, {0}));
  rungs.Rollback();
  EXPECT_THAT(rungs.Waiting(), ElementsAre(1, 2));
  EXPECT_EQ(rungs.PlaceOf(1)->rung, 0);
  EXPECT_THAT(rungs.Next(), Optional(1));
  rungs.GoOn(1);
  rungs.Keep();
  rungs.Rollback();
  EXPECT_THAT(rungs.Waiting(), ElementsAre(2));
  EXPECT_EQ(rungs.Next(), std::nullopt);
}

}  // namespace
}  // namespace frontier::coordinator
