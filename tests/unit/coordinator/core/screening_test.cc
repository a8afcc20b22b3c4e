// Trials that are scored untrained, in pools of which the best is trained.
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::Harness;
using ::frontier::testing::MakeResult;
using ::frontier::testing::SmallJob;
using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

v1::JobSpec ScreeningJob(int64_t trials, int pool) {
  v1::JobSpec spec = SmallJob(trials);
  spec.mutable_objectives()->RemoveLast();
  spec.mutable_screening()->set_proxy(v1::PROXY_NASWOT);
  spec.mutable_screening()->set_pool(pool);
  return spec;
}

v1::TrialResult Score(double score) {
  v1::TrialResult result = MakeResult(0, 1);
  result.clear_epochs();
  result.mutable_measurements(0)->set_metric(v1::METRIC_PROXY);
  result.mutable_measurements(0)->set_value(score);
  return result;
}

class ScreeningTest : public ::testing::Test {
 protected:
  ScreeningTest() { h_.Register("w1", "i1", 8); }

  // Runs the job: scores and accuracies by number. Returns which were trained, in order.
  std::vector<int64_t> Run(double (*score)(int64_t), double (*accuracy)(int64_t)) {
    std::vector<int64_t> trained;
    while (const auto lease = h_.Lease("w1")) {
      const int64_t number = lease->task().key().trial();
      if (lease->task().proxy() == v1::PROXY_NASWOT) {
        EXPECT_OK(h_.Report("w1", *lease, Score(score(number))));
      } else {
        trained.push_back(number);
        EXPECT_OK(h_.Report("w1", *lease, MakeResult(accuracy(number), 1)));
      }
    }
    return trained;
  }

  Harness h_;
};

TEST_F(ScreeningTest, TheBestOfEachPoolIsTrained) {
  const int64_t job = h_.Submit(ScreeningJob(9, 4));
  const std::vector<int64_t> trained =
      Run([](int64_t n) { return static_cast<double>((n * 7) % 10) - 5; },
          [](int64_t n) { return 0.1 * static_cast<double>((n * 7) % 10); });
  // Of 7 4 1 8, of 5 2 9 6, and of the last, which is alone.
  EXPECT_THAT(trained, ::testing::ElementsAre(4, 7, 9));
  const v1::Job end = h_.Job(job);
  EXPECT_EQ(end.state(), v1::JOB_STATE_COMPLETED) << end.DebugString();
  EXPECT_EQ(end.trials_succeeded(), 3);
  EXPECT_EQ(end.trials_stopped(), 6);
  EXPECT_EQ(end.screening().scored(), 9);
  EXPECT_EQ(end.screening().compared(), 3);
  EXPECT_DOUBLE_EQ(end.screening().rank_correlation(), 1);
  const v1::Trial loser = h_.Trial(job, 1);
  EXPECT_EQ(loser.early_stop().cause(), v1::STOP_CAUSE_SCREENED);
  EXPECT_THAT(loser.early_stop().message(), HasSubstr("number 2 of 4"));
  EXPECT_GT(loser.end_order(), 0);
}

TEST_F(ScreeningTest, APoolIsDecidedOnceAllItsScoresAreThere) {
  const int64_t job = h_.Submit(ScreeningJob(8, 2));
  std::vector<v1::AttemptLease> leases;
  for (int i = 0; i < 3; ++i) leases.push_back(h_.Lease("w1").value());
  EXPECT_EQ(h_.Report("w1", leases[0], Score(1)).value(), v1::TRIAL_STATE_QUEUED);
  EXPECT_EQ(h_.Report("w1", leases[2], Score(1)).value(), v1::TRIAL_STATE_QUEUED);
  h_.Tick();  // outlines what has ended
  h_.Restart();
  // Nothing of what waits is leased, here or after a restart.
  const v1::AttemptLease fourth = h_.Lease("w1").value();
  EXPECT_EQ(fourth.task().key().trial(), 4);
  // One that fails leaves the pool to the other.
  EXPECT_OK(h_.ReportFailure("w1", leases[1], v1::FAILURE_CAUSE_OUT_OF_MEMORY));
  const v1::AttemptLease first = h_.Lease("w1").value();
  EXPECT_EQ(first.task().key().trial(), 1);
  EXPECT_EQ(first.task().proxy(), v1::PROXY_UNSPECIFIED);
  EXPECT_EQ(h_.Job(job).trials_stopped(), 0);
}

TEST_F(ScreeningTest, GoesWithRungs) {
  v1::JobSpec spec = ScreeningJob(12, 2);
  spec.mutable_early_stopping()->mutable_asha();
  const int64_t job = h_.Submit(spec);
  int paused = 0;
  while (const auto lease = h_.Lease("w1")) {
    const int64_t number = lease->task().key().trial();
    v1::TrialResult result = Score(static_cast<double>(number));
    if (lease->task().proxy() == v1::PROXY_UNSPECIFIED) {
      result = MakeResult(0.01 * static_cast<double>(number), 1);
      const int until = lease->task().until_epoch();
      paused += until == 1;
      while (until > 0 && result.epochs_size() > until) result.mutable_epochs()->RemoveLast();
    }
    ASSERT_OK(h_.Report("w1", *lease, result));
  }
  EXPECT_EQ(paused, 6);
  EXPECT_EQ(h_.Job(job).trials_succeeded(), 2);
  EXPECT_EQ(h_.Job(job).state(), v1::JOB_STATE_COMPLETED);
}

TEST_F(ScreeningTest, AScoreIsNeeded) {
  const int64_t job = h_.Submit(ScreeningJob(4, 2));
  EXPECT_OK(h_.Report("w1", h_.Lease("w1").value(), MakeResult(0.5, 1)));
  EXPECT_THAT(h_.Trial(job, 1).attempts(0).failure().message(), HasSubstr("no proxy"));
}

TEST_F(ScreeningTest, WhatMakesNoSenseIsRefused) {
  v1::JobSpec spec = ScreeningJob(4, 1);
  EXPECT_THAT(h_.TrySubmit(spec),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("screening.pool")));
  spec.mutable_screening()->clear_proxy();
  EXPECT_THAT(h_.TrySubmit(spec),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("screening.proxy")));
  spec = SmallJob(4);
  spec.mutable_objectives(0)->set_metric(v1::METRIC_PROXY);
  EXPECT_THAT(h_.TrySubmit(spec),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("untrained networks")));
}

}  // namespace
}  // namespace frontier::coordinator
