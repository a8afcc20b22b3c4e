// Other budgets and places in line for jobs that run or have ended.
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status.h"
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
using ::frontier::testing::StoreKind;
using ::testing::HasSubstr;

using Change = std::function<void(v1::UpdateJobRequest*)>;

absl::StatusOr<v1::Job> Update(Harness& h, int64_t job, const Change& change) {
  v1::UpdateJobRequest request;
  request.set_request_id(h.NextRequestId());
  request.set_job_id(job);
  change(&request);
  const auto response = h.core().UpdateJob(request);
  if (!response.ok()) return response.status();
  return response->job();
}

Change Trials(int64_t trials) {
  return [trials](v1::UpdateJobRequest* r) { r->mutable_budget()->set_trials(trials); };
}

// Runs trials until there are none; how many.
int RunOut(Harness& h, const std::string& worker) {
  int trials = 0;
  while (const auto lease = h.Lease(worker)) {
    EXPECT_OK(h.Report(worker, *lease, MakeResult(0.5 + 0.01 * trials, 1)));
    ++trials;
  }
  return trials;
}

class JobUpdateTest : public ::testing::TestWithParam<StoreKind> {};
INSTANTIATE_TEST_SUITE_P(Stores, JobUpdateTest,
                         ::testing::Values(StoreKind::kMemory, StoreKind::kSqlite));

TEST_P(JobUpdateTest, AJobThatUsedItsBudgetGoesOnWithALargerOne) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(3));
  h.Register("w1");
  EXPECT_EQ(RunOut(h, "w1"), 3);
  ASSERT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED);
  const double seconds = h.Job(job).usage().wall_seconds();
  h.clock().Advance(absl::Hours(10));
  ASSERT_OK_AND_ASSIGN(const v1::Job reopened, Update(h, job, Trials(5)));
  EXPECT_EQ(reopened.state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(reopened.ended_unix_us(), 0);
  EXPECT_NEAR(reopened.usage().wall_seconds(), seconds, 1) << "the time in between counts";
  h.Register("w1");
  const auto lease = h.Lease("w1");
  ASSERT_TRUE(lease.has_value());
  h.Restart();
  ASSERT_OK(h.Report("w1", *lease, MakeResult(0.9, 1)));
  EXPECT_EQ(RunOut(h, "w1"), 1);
  const v1::Job ended = h.Job(job);
  EXPECT_EQ(ended.state(), v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(ended.trials_succeeded(), 5);
  EXPECT_EQ(ended.best_trial(), 4);
  // None of them is one of those before.
  std::set<std::string> hashes;
  for (const v1::Trial& trial : h.Trials(job)) hashes.insert(trial.canonical_hash());
  EXPECT_EQ(hashes.size(), 5u);
}

TEST_P(JobUpdateTest, AFailedOneToo) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(1));
  h.Register("w1");
  const auto lease = h.Lease("w1");
  ASSERT_OK(h.ReportFailure("w1", *lease, v1::FAILURE_CAUSE_DIVERGED));
  ASSERT_EQ(h.Job(job).state(), v1::JOB_STATE_FAILED);
  ASSERT_OK(Update(h, job, Trials(2)));
  EXPECT_EQ(RunOut(h, "w1"), 1);
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED);
}

TEST_P(JobUpdateTest, ADrainingJobGoesOn) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(1));
  h.Register("w1", "i1", 2);
  const auto first = h.Lease("w1");
  ASSERT_EQ(h.Job(job).state(), v1::JOB_STATE_DRAINING);
  ASSERT_FALSE(h.Lease("w1").has_value());
  ASSERT_OK(Update(h, job, Trials(2)));
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_RUNNING);
  EXPECT_TRUE(h.Lease("w1").has_value());
}

TEST_P(JobUpdateTest, ASmallerBudgetDrains) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(10));
  h.Register("w1");
  const auto lease = h.Lease("w1");
  ASSERT_OK(Update(h, job, Trials(1)));
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_DRAINING);
  ASSERT_OK(h.Report("w1", *lease, MakeResult(0.5, 1)));
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED);
}

TEST_P(JobUpdateTest, WhatEndedForOtherReasonsStaysEnded) {
  Harness h(GetParam());
  const int64_t cancelled = h.Submit(SmallJob(3));
  ASSERT_OK(h.Cancel(cancelled));
  const int64_t exhausted = h.Submit(SmallJob(1000));  // of 25 genotypes
  h.Register("w1");
  RunOut(h, "w1");
  ASSERT_EQ(h.Job(exhausted).reason(), "space exhausted");
  for (const int64_t job : {cancelled, exhausted}) {
    EXPECT_THAT(Update(h, job, Trials(2000)),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("has ended")))
        << job;
  }
  const int64_t used = h.Submit(SmallJob(2));
  RunOut(h, "w1");
  EXPECT_THAT(Update(h, used, Trials(2)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("budget: leaves nothing")));
  EXPECT_THAT(Update(h, used, [](v1::UpdateJobRequest* r) { r->set_priority(3); }),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("only a larger budget")));
  EXPECT_EQ(h.Job(used).state(), v1::JOB_STATE_COMPLETED);
}

TEST_P(JobUpdateTest, APlaceInLineChangesAtOnce) {
  Harness h(GetParam());
  const int64_t first = h.Submit(SmallJob(20));
  const int64_t second = h.Submit(SmallJob(20));
  h.Register("w1", "i1", 40);
  ASSERT_OK_AND_ASSIGN(const v1::Job updated, Update(h, second, [](v1::UpdateJobRequest* r) {
                         r->set_priority(1);
                         r->set_max_parallel_trials(3);
                         r->set_share(2);
                       }));
  EXPECT_EQ(updated.spec().priority(), 1);
  EXPECT_EQ(updated.spec().share(), 2);
  for (int i = 0; i < 6; ++i) {
    const auto lease = h.Lease("w1");
    ASSERT_TRUE(lease.has_value());
    EXPECT_EQ(lease->task().key().job_id(), i < 3 ? second : first) << i;
  }
  h.Restart();
  EXPECT_EQ(h.Job(second).spec().max_parallel_trials(), 3);
}

TEST_P(JobUpdateTest, OfTwoChangesOfOneBudgetTheSecondIsTold) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(3));
  const v1::Budget seen = h.Job(job).spec().budget();
  const auto from_seen = [&](int64_t trials) {
    return Update(h, job, [&](v1::UpdateJobRequest* request) {
      *request->mutable_budget() = seen;
      request->mutable_budget()->set_trials(trials);
      *request->mutable_from_budget() = seen;
    });
  };
  ASSERT_OK(from_seen(5));
  EXPECT_THAT(from_seen(7), StatusIs(absl::StatusCode::kAborted, HasSubstr("5 trials by now")));
  EXPECT_EQ(h.Job(job).spec().budget().trials(), 5);
}

TEST_P(JobUpdateTest, ARepeatedRequestTakesEffectOnce) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(1));
  h.Register("w1");
  RunOut(h, "w1");
  v1::UpdateJobRequest request;
  request.set_request_id("again");
  request.set_job_id(job);
  request.mutable_budget()->set_trials(2);
  ASSERT_OK(h.core().UpdateJob(request));
  RunOut(h, "w1");
  ASSERT_OK_AND_ASSIGN(const auto repeated, h.core().UpdateJob(request));
  EXPECT_EQ(repeated.job().state(), v1::JOB_STATE_RUNNING) << "the stored answer";
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED);
}

// Whose proposals depend on what runs.
TEST_P(JobUpdateTest, AReplayKnowsWhatWasCancelledBeforeItWentOn) {
  Harness h(GetParam());
  v1::JobSpec spec = SmallJob(15);
  spec.mutable_strategy()->mutable_local_search();
  spec.mutable_budget()->set_cpu_seconds(35);  // of 10 each
  const int64_t job = h.Submit(spec);
  h.Register("w1", "i1", 8);
  std::vector<v1::AttemptLease> leases;
  for (int i = 0; i < 6; ++i) leases.push_back(*h.Lease("w1"));
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK(h.GiveBack("w1", leases.back()));
    leases.pop_back();
  }
  for (size_t i = 0; i < leases.size(); ++i) {
    ASSERT_OK(h.Report("w1", leases[i], MakeResult(0.1 * static_cast<double>(i), 1)));
  }
  ASSERT_EQ(h.Job(job).trials_cancelled(), 2);
  ASSERT_OK(Update(h, job, Trials(15)));
  EXPECT_GT(RunOut(h, "w1"), 5);
  v1::ReplayJobRequest replay;
  replay.set_job_id(job);
  ASSERT_OK_AND_ASSIGN(const v1::ReplayJobResponse replayed, h.core().ReplayJob(replay));
  EXPECT_EQ(replayed.compared(), h.Job(job).trials_created());
  EXPECT_TRUE(replayed.differences().empty()) << replayed.DebugString();
}

TEST_P(JobUpdateTest, AReasonCutWithinACharacterCanBeReadAgain) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(2));
  h.Register("w1");
  std::string reason = "x";
  while (reason.size() < 4090) reason += "\u00e4";
  v1::GiveBackRequest request;
  const auto lease = h.Lease("w1");
  request.set_request_id("back");
  request.set_worker_id("w1");
  *request.mutable_key() = lease->task().key();
  request.set_token(lease->token());
  request.set_reason(reason);
  ASSERT_OK(h.core().GiveBack(request));
  h.Restart();
  EXPECT_EQ(h.Trial(job, 1).attempts(0).failure().cause(), v1::FAILURE_CAUSE_PREEMPTED);
}

TEST(JobUpdate, NonsenseIsRefusedAndNamed) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(3));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::pair<Change, std::string> wrong[] = {
      {[](v1::UpdateJobRequest*) {}, "nothing to change"},
      {[](v1::UpdateJobRequest* r) { r->mutable_budget(); }, "budget"},
      {Trials(0), "budget.trials"},
      {Trials(-5), "budget.trials"},
      {[nan](v1::UpdateJobRequest* r) { r->mutable_budget()->set_wall_seconds(nan); },
       "budget.wall_seconds"},
      {[](v1::UpdateJobRequest* r) { r->set_priority(101); }, "priority"},
      {[](v1::UpdateJobRequest* r) { r->set_share(0); }, "share"},
      {[](v1::UpdateJobRequest* r) { r->set_share(-1); }, "share"},
      {[nan](v1::UpdateJobRequest* r) { r->set_share(nan); }, "share"},
      {[](v1::UpdateJobRequest* r) { r->set_share(1e9); }, "share"},
      {[](v1::UpdateJobRequest* r) { r->set_max_parallel_trials(-1); }, "max_parallel_trials"}};
  for (const auto& [change, text] : wrong) {
    EXPECT_THAT(Update(h, job, change),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(text)));
  }
  EXPECT_THAT(Update(h, 99, Trials(5)), StatusIs(absl::StatusCode::kNotFound, HasSubstr("99")));
  EXPECT_EQ(h.Job(job).spec().budget().trials(), 3);
}

}  // namespace
}  // namespace frontier::coordinator
