// What a restart reads of trials is kept beside them, and is what it would find in them.
#include "coordinator/core/outlines.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/proto_matchers.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::EqualsProto;
using ::frontier::testing::Harness;
using ::frontier::testing::MakeResult;
using ::frontier::testing::SmallJob;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

bool Closed(const TrialRange&) { return true; }

TEST(OutlinePlanTest, BlocksAreDueOnceTheyAreWholeClosedAndDurable) {
  OutlinePlan plan(/*block=*/3, /*trials_created=*/0, {}, /*change=*/0);
  EXPECT_FALSE(plan.Next(0, 100, Closed).has_value());
  for (int64_t number = 1; number <= 7; ++number) plan.NoteWritten(TrialNumber(number), number);
  plan.NoteWritten(TrialNumber(2), 9);

  EXPECT_FALSE(plan.Next(7, 5, Closed).has_value());
  const auto second = plan.Next(7, 6, Closed);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->range, (TrialRange{4, 6}));
  const auto first = plan.Next(7, 9, Closed);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->range, (TrialRange{1, 3}));
  const auto open_first = plan.Next(7, 9, [](const TrialRange& range) { return range.first > 1; });
  ASSERT_TRUE(open_first.has_value());
  EXPECT_EQ(open_first->range, (TrialRange{4, 6}));

  EXPECT_TRUE(plan.IsStillDue(*second));
  plan.NoteWritten(TrialNumber(5), 10);
  EXPECT_FALSE(plan.IsStillDue(*second));
  plan.NoteOutlined(first->range);
  EXPECT_FALSE(plan.IsStillDue(*first));
  EXPECT_FALSE(plan.Next(7, 9, Closed).has_value());
  plan.NoteWritten(TrialNumber(3), 11);
  EXPECT_EQ(plan.Next(7, 11, Closed)->range, (TrialRange{1, 3}));
}

TEST(OutlinePlanTest, OutlinesOfOtherBlocksAreMadeAnew) {
  const OutlinePlan plan(/*block=*/2, /*trials_created=*/6, {{1, 2}, {3, 5}}, /*change=*/7);
  EXPECT_FALSE(plan.Next(6, 6, Closed).has_value());
  EXPECT_EQ(plan.Next(6, 7, Closed)->range, (TrialRange{3, 4}));
  const OutlinePlan single(/*block=*/1, /*trials_created=*/3, {{1, 1}, {3, 3}}, /*change=*/0);
  EXPECT_EQ(single.Next(3, 0, Closed)->range, (TrialRange{2, 2}));
}

class OutlinesTest : public ::testing::Test {
 protected:
  v1::AttemptLease Lease() {
    std::optional<v1::AttemptLease> lease = h_.Lease("w");
    EXPECT_TRUE(lease.has_value());
    return lease.value_or(v1::AttemptLease());
  }
  void Succeed(const v1::AttemptLease& lease, double accuracy) {
    EXPECT_OK(h_.Report("w", lease, MakeResult(accuracy, 1)));
  }
  // Numbers of trials whose outlines a restart would read.
  std::vector<int64_t> Outlined() {
    std::vector<int64_t> numbers;
    const std::vector<TrialRange> ranges = h_.store().ListOutlines(job_).value();
    for (const TrialRange& range : ranges) {
      for (int64_t number = range.first; number <= range.last; ++number) numbers.push_back(number);
    }
    EXPECT_OK(h_.store().ForEachOutline(job_, [&](const v1::Trial& trial) {
      const bool outlined = std::count(numbers.begin(), numbers.end(), trial.number()) > 0;
      v1::Trial stored = h_.store().GetTrial(job_, trial.number()).value();
      stored.clear_architecture();
      EXPECT_THAT(trial, EqualsProto(outlined ? OutlineOf(stored, false) : stored));
      return absl::OkStatus();
    }));
    return numbers;
  }

  Harness h_;  // outlines two trials together
  int64_t job_ = 0;
};

TEST_F(OutlinesTest, TrialsAreOutlinedInTimeAndAgainWhenTheyChange) {
  job_ = h_.Submit(SmallJob(20));
  h_.Register("w", "i1", 8);
  std::vector<v1::AttemptLease> leases;
  for (int i = 0; i < 5; ++i) leases.push_back(Lease());
  Succeed(leases[0], 0.5);
  Succeed(leases[2], 0.4);
  Succeed(leases[3], 0.3);
  h_.Tick();
  EXPECT_THAT(Outlined(), ElementsAre(3, 4)) << "trial 2 runs";
  EXPECT_OK(h_.ReportFailure("w", leases[1], v1::FAILURE_CAUSE_DIVERGED));
  h_.Tick();
  EXPECT_THAT(Outlined(), ElementsAre(1, 2, 3, 4));
  // The first leaves the front.
  Succeed(leases[4], 0.6);
  EXPECT_FALSE(h_.Trial(job_, 1).on_front());
  EXPECT_THAT(Outlined(), ElementsAre(3, 4));
  h_.Tick();
  EXPECT_THAT(Outlined(), ElementsAre(1, 2, 3, 4)) << "the fifth's block is not whole";
  // Where a restart goes on.
  h_.Restart();
  Succeed(Lease(), 0.2);
  h_.Tick();
  EXPECT_THAT(Outlined(), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_OK(h_.Cancel(job_));
  h_.Tick();
  EXPECT_THAT(Outlined(), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(OutlinesTest, ADatabaseWithoutOutlinesGetsThemStepByStep) {
  job_ = h_.Submit(SmallJob(25));
  h_.Register("w", "i1", 1);
  for (int i = 0; i < 21; ++i) Succeed(Lease(), 0.5 - 0.01 * i);
  EXPECT_THAT(Outlined(), IsEmpty());
  h_.Restart();
  for (const size_t outlined : {4u, 8u, 12u, 16u, 20u, 20u}) {
    h_.Tick();
    EXPECT_EQ(Outlined().size(), outlined);
  }
}

TEST_F(OutlinesTest, APausedTrialThatGoesOnIsReadFromItsTrial) {
  v1::JobSpec spec = SmallJob(9);
  spec.mutable_training()->set_epochs(9);
  spec.mutable_early_stopping()->mutable_asha()->set_reduction(3);
  job_ = h_.Submit(spec);
  h_.Register("w", "i1", 1);
  const auto pause = [&](double accuracy) {
    const v1::AttemptLease lease = Lease();
    v1::TrialResult result = MakeResult(accuracy, 1);
    const int epochs = lease.task().until_epoch() > 0 ? lease.task().until_epoch() : 9;
    result.clear_epochs();
    for (int i = 1; i <= epochs; ++i) result.add_epochs()->set_epoch(i);
    EXPECT_OK(h_.Report("w", lease, result));
    return lease.task().key().trial();
  };
  EXPECT_EQ(pause(0.9), 1);
  EXPECT_EQ(pause(0.1), 2);
  h_.Tick();
  EXPECT_THAT(Outlined(), ElementsAre(1, 2));
  EXPECT_EQ(pause(0.2), 3);
  const v1::AttemptLease first = Lease();
  EXPECT_EQ(first.task().key().trial(), 1) << "the best of three goes on";
  EXPECT_THAT(Outlined(), IsEmpty());
  h_.Tick();
  EXPECT_THAT(Outlined(), IsEmpty());
  h_.Restart();
  EXPECT_EQ(h_.Trial(job_, 1).state(), v1::TRIAL_STATE_RUNNING);
}

}  // namespace
}  // namespace frontier::coordinator
