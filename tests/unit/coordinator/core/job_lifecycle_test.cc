// Budgets, pauses, cancellation, several jobs: how jobs go on and end.
#include <optional>
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
using ::testing::HasSubstr;

TEST(JobLifecycle, WallBudgetDrainsAndCancelsWhatIsQueued) {
  Harness h;
  v1::JobSpec spec = SmallJob(20);
  spec.mutable_budget()->set_wall_seconds(25);
  const int64_t job = h.Submit(spec);
  h.Register("w1", "i1", 2);
  const auto running = h.Lease("w1");
  ASSERT_OK(h.GiveBack("w1", *h.Lease("w1")));
  h.clock().Advance(absl::Seconds(24));
  h.Tick();
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_RUNNING);
  EXPECT_DOUBLE_EQ(h.Job(job).seconds_left(), 1);
  h.clock().Advance(absl::Seconds(1));
  EXPECT_FALSE(h.Lease("w1").has_value());  // before any tick
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_DRAINING);
  EXPECT_EQ(h.Job(job).reason(), "budget of 25 s wall time used");
  EXPECT_EQ(h.Trial(job, 2).state(), v1::TRIAL_STATE_CANCELLED);
  ASSERT_OK(h.Report("w1", *running, MakeResult(0.5, 1)));
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(h.Job(job).trials_succeeded(), 1);
  EXPECT_EQ(h.Job(job).trials_cancelled(), 1);
}

TEST(JobLifecycle, CpuAndEnergyBudgetsEndTheJobWhenReported) {
  for (const bool cpu : {true, false}) {
    Harness h;
    v1::JobSpec spec = SmallJob(20);
    spec.mutable_budget()->clear_trials();
    if (cpu) {
      spec.mutable_budget()->set_cpu_seconds(25);  // 10 a trial
    } else {
      spec.mutable_budget()->set_energy_kwh(0.0025);  // 0.001 a trial
    }
    const int64_t job = h.Submit(spec);
    h.Register("w1");
    int trials = 0;
    while (const auto lease = h.Lease("w1")) {
      ASSERT_LT(++trials, 10);
      ASSERT_OK(h.Report("w1", *lease, MakeResult(0.5, 1)));
    }
    EXPECT_EQ(trials, 3);
    EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED);
    EXPECT_THAT(h.Job(job).reason(), HasSubstr(cpu ? "CPU time used" : "kWh used"));
  }
}

TEST(JobLifecycle, TrialBudgetWaitsForRetries) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(1));
  h.Register("w1");
  ASSERT_OK(h.GiveBack("w1", *h.Lease("w1")));
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_DRAINING);
  const auto retry = h.Lease("w1");
  ASSERT_TRUE(retry.has_value());
  ASSERT_OK(h.Report("w1", *retry, MakeResult(0.5, 1)));
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(h.Job(job).trials_created(), 1);
}

TEST(JobLifecycle, ExhaustedSpaceEndsTheJob) {
  for (const bool grid : {true, false}) {
    Harness h;
    v1::JobSpec spec = SmallJob(1000);
    if (grid) spec.mutable_strategy()->mutable_grid();
    const int64_t job = h.Submit(spec);
    h.Register("w1", "i1", 100);
    std::vector<v1::AttemptLease> leases;
    while (auto lease = h.Lease("w1")) leases.push_back(*std::move(lease));
    EXPECT_EQ(leases.size(), 25u);
    EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_DRAINING);
    EXPECT_EQ(h.Job(job).reason(), "space exhausted");
    for (const v1::AttemptLease& lease : leases) {
      ASSERT_OK(h.Report("w1", lease, MakeResult(0.5, 1)));
    }
    EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED);
    EXPECT_EQ(h.Job(job).reason(), "space exhausted");
    EXPECT_EQ(h.Job(job).trials_succeeded(), 25);
  }
}

TEST(JobLifecycle, PausedJobsLeaseNothingAndTheirClockStands) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(5));
  h.Register("w1", "i1", 2);
  const auto running = h.Lease("w1");
  ASSERT_OK(h.GiveBack("w1", *h.Lease("w1")));
  h.clock().Advance(absl::Seconds(10));
  ASSERT_OK(h.Pause(job));
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_PAUSED);
  EXPECT_THAT(h.Pause(job), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("paused")));
  h.clock().Advance(absl::Seconds(20));
  EXPECT_FALSE(h.Lease("w1").has_value());
  // What runs goes on.
  ASSERT_OK_AND_ASSIGN(const v1::HeartbeatResponse response, h.Heartbeat("w1", {*running}));
  EXPECT_EQ(response.directives(0).action(), v1::ACTION_CONTINUE);
  ASSERT_OK(h.Report("w1", *running, MakeResult(0.5, 1)));
  h.Restart();
  h.clock().Advance(absl::Seconds(70));
  EXPECT_DOUBLE_EQ(h.Job(job).usage().wall_seconds(), 10);
  ASSERT_OK(h.Resume(job));
  h.clock().Advance(absl::Seconds(5));
  EXPECT_DOUBLE_EQ(h.Job(job).usage().wall_seconds(), 15);
  EXPECT_EQ(h.Lease("w1")->task().key().trial(), 2);
  EXPECT_EQ(GetErrorReason(h.Resume(job)), v1::ERROR_REASON_WRONG_STATE);
}

TEST(JobLifecycle, CancelledJobsStopTheirAttempts) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(5));
  h.Register("w1", "i1", 3);
  ASSERT_OK(h.Report("w1", *h.Lease("w1"), MakeResult(0.5, 1)));
  const auto running = h.Lease("w1");
  ASSERT_OK(h.GiveBack("w1", *h.Lease("w1")));
  ASSERT_OK(h.Cancel(job));
  const v1::Job cancelled = h.Job(job);
  EXPECT_EQ(cancelled.state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(cancelled.trials_succeeded(), 1);
  EXPECT_EQ(cancelled.trials_cancelled(), 2);
  EXPECT_EQ(cancelled.trials_running() + cancelled.trials_queued(), 0);
  ASSERT_OK_AND_ASSIGN(const v1::HeartbeatResponse response, h.Heartbeat("w1", {*running}));
  EXPECT_EQ(response.directives(0).action(), v1::ACTION_STOP);
  EXPECT_THAT(response.directives(0).reason(), HasSubstr("the job has ended: cancelled"));
  EXPECT_EQ(GetErrorReason(h.Report("w1", *running, MakeResult(0.5, 1)).status()),
            v1::ERROR_REASON_STALE_LEASE);
  EXPECT_THAT(h.Cancel(job),
              StatusIs(absl::StatusCode::kFailedPrecondition, "job 1 has ended: cancelled"));
  EXPECT_FALSE(h.Lease("w1").has_value());
}

TEST(JobLifecycle, JobsTakeTurns) {
  Harness h;
  const int64_t first = h.Submit(SmallJob(10));
  const int64_t second = h.Submit(SmallJob(10));
  h.Register("w1", "i1", 6);
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(h.Lease("w1").has_value());
  EXPECT_EQ(h.Job(first).trials_running(), 3);
  EXPECT_EQ(h.Job(second).trials_running(), 3);
}

TEST(JobLifecycle, ParallelTrialsAreLimited) {
  Harness h;
  v1::JobSpec spec = SmallJob(10);
  spec.set_max_parallel_trials(2);
  h.Submit(spec);
  h.Register("w1", "i1", 5);
  const auto lease = h.Lease("w1");
  ASSERT_TRUE(h.Lease("w1").has_value());
  EXPECT_FALSE(h.Lease("w1").has_value());
  ASSERT_OK(h.Report("w1", *lease, MakeResult(0.5, 1)));
  EXPECT_TRUE(h.Lease("w1").has_value());
}

TEST(JobLifecycle, SaysWhatItIsWaitingFor) {
  Harness h;
  v1::JobSpec spec = SmallJob(2);
  spec.mutable_dataset()->set_name("letters");
  const int64_t job = h.Submit(spec);
  EXPECT_EQ(h.Job(job).waiting_for(), "no live worker");
  h.Register("w1");
  EXPECT_EQ(h.Job(job).waiting_for(),
            "no live worker has data set 'letters' (1x28x28, 10 classes)");
  EXPECT_FALSE(h.Lease("w1").has_value());
  v1::RegisterRequest request = testing::MakeRegistration("w2", "i1", 1);
  request.set_request_id(h.NextRequestId());
  request.mutable_datasets(0)->set_name("letters");
  ASSERT_OK(h.core().Register(request));
  EXPECT_EQ(h.Job(job).waiting_for(), "");
  EXPECT_TRUE(h.Lease("w2").has_value());
  h.clock().Advance(h.options().lease_duration);
  h.Tick();
  EXPECT_EQ(h.Job(job).waiting_for(), "no live worker");
}

TEST(JobLifecycle, PagesThroughJobsTrialsAndWorkers) {
  Harness h;
  for (int i = 0; i < 3; ++i) h.Submit(SmallJob(5));
  v1::ListJobsRequest jobs;
  jobs.set_page_size(2);
  ASSERT_OK_AND_ASSIGN(v1::ListJobsResponse page, h.core().ListJobs(jobs));
  ASSERT_EQ(page.jobs_size(), 2);
  EXPECT_EQ(page.jobs(0).id(), 3);
  jobs.set_page_token(page.next_page_token());
  ASSERT_OK_AND_ASSIGN(page, h.core().ListJobs(jobs));
  ASSERT_EQ(page.jobs_size(), 1);
  EXPECT_EQ(page.jobs(0).id(), 1);
  EXPECT_EQ(page.next_page_token(), "");

  for (const char* name : {"c", "a", "b"}) h.Register(name, "i1", 4);
  v1::ListWorkersRequest workers;
  workers.set_page_size(2);
  h.Lease("a");
  ASSERT_OK_AND_ASSIGN(v1::ListWorkersResponse listed, h.core().ListWorkers(workers));
  ASSERT_EQ(listed.workers_size(), 2);
  EXPECT_EQ(listed.workers(0).id(), "a");
  EXPECT_EQ(listed.workers(0).running_size(), 1);
  EXPECT_TRUE(listed.workers(0).alive());
  workers.set_page_token(listed.next_page_token());
  ASSERT_OK_AND_ASSIGN(listed, h.core().ListWorkers(workers));
  ASSERT_EQ(listed.workers_size(), 1);
  EXPECT_EQ(listed.workers(0).id(), "c");

  for (int i = 0; i < 8; ++i) ASSERT_TRUE(h.Lease(i < 4 ? "b" : "c").has_value());
  v1::ListTrialsRequest trials;
  trials.set_job_id(1);
  trials.set_page_size(2);
  ASSERT_OK_AND_ASSIGN(v1::ListTrialsResponse shown, h.core().ListTrials(trials));
  ASSERT_EQ(shown.trials_size(), 2);
  EXPECT_FALSE(shown.trials(0).has_architecture());
  trials.set_page_token(shown.next_page_token());
  ASSERT_OK_AND_ASSIGN(shown, h.core().ListTrials(trials));
  EXPECT_EQ(shown.trials(0).number(), 3);

  jobs.set_page_size(501);
  EXPECT_THAT(h.core().ListJobs(jobs),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("501")));
  jobs.set_page_size(5);
  jobs.set_page_token("zz");
  EXPECT_THAT(h.core().ListJobs(jobs),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'zz'")));
  trials.set_job_id(9);
  EXPECT_THAT(h.core().ListTrials(trials),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("job 9")));
}

TEST(JobLifecycle, WatchersSeeEveryEventInOrder) {
  Harness h;
  int64_t calls = 0;
  h.core().SetChangeListener([&calls] { ++calls; });
  const int64_t job = h.Submit(SmallJob(1));
  EXPECT_EQ(calls, 1);
  v1::WatchJobRequest watch;
  watch.set_job_id(job);
  int64_t cursor = 0;
  ASSERT_OK_AND_ASSIGN(v1::WatchJobResponse seen, h.core().PollJob(watch, &cursor));
  EXPECT_EQ(seen.events_size(), 0);
  EXPECT_GT(cursor, 0);
  h.Register("w1");
  ASSERT_OK(h.ReportFailure("w1", *h.Lease("w1"), v1::FAILURE_CAUSE_CRASHED));
  ASSERT_OK(h.Report("w1", *h.Lease("w1"), MakeResult(0.5, 1)));
  EXPECT_EQ(calls, 6);
  watch.set_after_event(cursor);
  ASSERT_OK_AND_ASSIGN(seen, h.core().PollJob(watch, &cursor));
  std::vector<v1::EventKind> kinds;
  for (const v1::Event& event : seen.events()) {
    kinds.push_back(event.kind());
    EXPECT_FALSE(event.message().empty());
  }
  EXPECT_THAT(kinds,
              ::testing::ElementsAre(v1::EVENT_KIND_TRIAL_PROPOSED, v1::EVENT_KIND_ATTEMPT_STARTED,
                                     v1::EVENT_KIND_JOB_STATE, v1::EVENT_KIND_ATTEMPT_ENDED,
                                     v1::EVENT_KIND_ATTEMPT_STARTED, v1::EVENT_KIND_TRIAL_SUCCEEDED,
                                     v1::EVENT_KIND_JOB_STATE));
  EXPECT_EQ(seen.job().state(), v1::JOB_STATE_COMPLETED);
  watch.set_after_event(cursor);
  ASSERT_OK_AND_ASSIGN(seen, h.core().PollJob(watch, &cursor));
  EXPECT_EQ(seen.events_size(), 0);
  EXPECT_EQ(cursor, watch.after_event());
}

}  // namespace
}  // namespace frontier::coordinator
