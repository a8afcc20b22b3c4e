#include "coordinator/stopping/ladders.h"

#include <map>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace frontier::coordinator {
namespace {

using ::testing::ElementsAre;

v1::JobSpec Job(int epochs) {
  v1::JobSpec job;
  job.mutable_training()->set_epochs(epochs);
  return job;
}

TEST(LaddersTest, WithoutRungsATrialNeverPauses) {
  const Ladders ladders(Job(5));
  ASSERT_EQ(ladders.brackets(), 1);
  EXPECT_THAT(ladders.ladder(0), ElementsAre(5));
  EXPECT_EQ(ladders.BracketOf(1), 0);
  EXPECT_EQ(ladders.BracketOf(123456789), 0);
}

TEST(LaddersTest, RungsOfAshaAreMultiplesOrAsGiven) {
  v1::JobSpec job = Job(30);
  v1::AshaStopping* asha = job.mutable_early_stopping()->mutable_asha();
  EXPECT_THAT(Ladders(job).ladder(0), ElementsAre(1, 3, 9, 27, 30));
  asha->set_min_epochs(2);
  asha->set_reduction(4);
  EXPECT_THAT(Ladders(job).ladder(0), ElementsAre(2, 8, 30));
  EXPECT_EQ(Ladders(job).reduction(), 4);
  asha->clear_min_epochs();
  asha->add_rungs(12);
  EXPECT_THAT(Ladders(job).ladder(0), ElementsAre(12, 30));
}

// Table 1 of Li et al. 2018, for R = 81 and a reduction of 3.
TEST(LaddersTest, HyperbandDealsTrialsAsPublished) {
  v1::JobSpec job = Job(81);
  job.mutable_early_stopping()->mutable_hyperband();
  const Ladders ladders(job);
  ASSERT_EQ(ladders.brackets(), 5);
  EXPECT_THAT(ladders.ladder(0), ElementsAre(1, 3, 9, 27, 81));
  EXPECT_THAT(ladders.ladder(3), ElementsAre(27, 81));
  EXPECT_THAT(ladders.ladder(4), ElementsAre(81));
  std::map<int, int> trials;
  for (int trial = 1; trial <= 2 * (81 + 34 + 15 + 8 + 5); ++trial)
    ++trials[ladders.BracketOf(trial)];
  EXPECT_THAT(trials, ElementsAre(::testing::Pair(0, 2 * 81), ::testing::Pair(1, 2 * 34),
                                  ::testing::Pair(2, 2 * 15), ::testing::Pair(3, 2 * 8),
                                  ::testing::Pair(4, 2 * 5)));
}

}  // namespace
}  // namespace frontier::coordinator
