// What goes of jobs that have ended: by their users, and by age.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
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
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

absl::Status Delete(Harness& h, int64_t job, const std::string& request_id = "") {
  v1::DeleteJobRequest request;
  request.set_request_id(request_id.empty() ? h.NextRequestId() : request_id);
  request.set_job_id(job);
  return h.core().DeleteJob(request).status();
}

std::string Digest(int number) {
  std::string digest = absl::StrCat(number);
  return std::string(64 - digest.size(), '0') + digest;
}

class HousekeepingTest : public ::testing::TestWithParam<StoreKind> {
 protected:
  // A job of which each trial is better than those before, but slower, so that all are on the
  // front; but for the last, which is worse. Each has weights.
  int64_t RunJob(Harness& h, int trials) {
    const int64_t job = h.Submit(SmallJob(trials));
    h.Register("w1");
    for (int i = 1; i <= trials; ++i) {
      const auto lease = h.Lease("w1");
      EXPECT_TRUE(lease.has_value());
      if (!lease.has_value()) return job;
      EXPECT_OK(h.Upload("w1", *lease, Digest(++digests_)));
      h.blobs().Put(Digest(digests_), "weights");
      const bool last = i == trials;
      v1::TrialResult result = MakeResult(last ? 0.01 : 0.5 + 0.01 * i, last ? 100 : i);
      result.set_weights_sha256(Digest(digests_));
      EXPECT_OK(h.Report("w1", *lease, result));
    }
    EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED);
    EXPECT_EQ(h.Job(job).front_size(), trials - 1);
    return job;
  }
  void TickUntilDone(Harness& h, int ticks = 50) {
    for (int i = 0; i < ticks; ++i) h.Tick();
  }
  int digests_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Stores, HousekeepingTest,
                         ::testing::Values(StoreKind::kMemory, StoreKind::kSqlite));

TEST_P(HousekeepingTest, ADeletedJobIsGoneAtOnceAndItsRowsAndModelsByAndBy) {
  Harness h(GetParam());
  const int64_t kept = RunJob(h, 3);
  const int64_t job = RunJob(h, 4);
  ASSERT_THAT(h.blobs().List().value(), SizeIs(2 + 3));
  ASSERT_OK(Delete(h, job, "once"));
  v1::GetJobRequest get;
  get.set_job_id(job);
  EXPECT_THAT(h.core().GetJob(get), StatusIs(absl::StatusCode::kNotFound, ::testing::_));
  EXPECT_THAT(h.core().ListJobs(v1::ListJobsRequest())->jobs(), SizeIs(1));
  v1::GetTrialRequest trial;
  trial.set_job_id(job);
  trial.set_trial(1);
  EXPECT_THAT(h.core().GetTrial(trial), StatusIs(absl::StatusCode::kNotFound, ::testing::_));
  TickUntilDone(h);
  EXPECT_THAT(
      h.store().ListTrials(job, 0, v1::TRIAL_STATE_UNSPECIFIED, 10, TrialParts::kAll).value(),
      IsEmpty());
  EXPECT_THAT(h.store().ListEvents(job, 0, 10).value(), IsEmpty());
  EXPECT_THAT(h.store().LoadDeletedJobs().value(), IsEmpty());
  EXPECT_THAT(h.blobs().List().value(), SizeIs(2));
  EXPECT_EQ(h.Trials(kept).size(), 3u);
  EXPECT_OK(Delete(h, job, "once")) << "the stored answer";
  EXPECT_THAT(Delete(h, job), StatusIs(absl::StatusCode::kNotFound, ::testing::_));
  EXPECT_EQ(h.Submit(SmallJob(1)), job + 1) << "numbers are never given twice";
}

TEST_P(HousekeepingTest, ARestartOnTheWayLosesNothingOfOthers) {
  Harness h(GetParam());
  const int64_t job = RunJob(h, 4);
  // Another job refers to a model of the deleted one.
  const int64_t other = h.Submit(SmallJob(2));
  const auto lease = h.Lease("w1");
  ASSERT_OK(h.Upload("w1", *lease, Digest(1)));
  v1::TrialResult result = MakeResult(0.9, 1);
  result.set_weights_sha256(Digest(1));
  ASSERT_OK(h.Report("w1", *lease, result));
  ASSERT_OK(Delete(h, job));
  h.Restart();
  v1::GetJobRequest get;
  get.set_job_id(job);
  EXPECT_THAT(h.core().GetJob(get), StatusIs(absl::StatusCode::kNotFound, ::testing::_));
  h.Tick();
  h.Restart();
  TickUntilDone(h);
  EXPECT_THAT(h.store().LoadDeletedJobs().value(), IsEmpty());
  EXPECT_THAT(h.blobs().List().value(), ElementsAre(Digest(1)));
  EXPECT_TRUE(h.Trial(other, 1).weights_kept());
}

TEST_P(HousekeepingTest, WhatHasNotEndedIsNotDeleted) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(3));
  EXPECT_THAT(Delete(h, job),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("cancel it")));
  ASSERT_OK(h.Cancel(job));
  EXPECT_OK(Delete(h, job));
  EXPECT_THAT(Delete(h, 77), StatusIs(absl::StatusCode::kNotFound, HasSubstr("77")));
}

TEST_P(HousekeepingTest, RetentionKeepsTheFrontAndSaysWhatItDropped) {
  Retention keep;
  keep.trials = absl::Hours(24);
  Harness h(GetParam(), keep);
  const int64_t job = RunJob(h, 4);
  h.Tick();
  h.clock().Advance(absl::Hours(23));
  TickUntilDone(h);
  EXPECT_EQ(h.Trials(job).size(), 4u);
  h.clock().Advance(absl::Hours(2));
  TickUntilDone(h);
  EXPECT_EQ(h.Trials(job).size(), 3u);
  v1::GetFrontRequest front;
  front.set_job_id(job);
  EXPECT_THAT(h.core().GetFront(front)->trials(), SizeIs(3));
  EXPECT_TRUE(h.Job(job).dropped().trials());
  EXPECT_FALSE(h.Job(job).dropped().models());
  EXPECT_THAT(h.blobs().List().value(), SizeIs(3));
  v1::UpdateJobRequest update;
  update.set_request_id("more");
  update.set_job_id(job);
  update.mutable_budget()->set_trials(10);
  EXPECT_THAT(h.core().UpdateJob(update),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not kept any more")));
  v1::ReplayJobRequest replay;
  replay.set_job_id(job);
  EXPECT_THAT(h.core().ReplayJob(replay),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not kept any more")));
  h.Restart();
  EXPECT_EQ(h.Job(job).spec().name(), "small");
}

TEST_P(HousekeepingTest, LogsModelsAndJobsGoByTheirOwnAges) {
  Retention keep;
  keep.log = absl::Hours(1);
  keep.models = absl::Hours(2);
  keep.jobs = absl::Hours(4);
  Harness h(GetParam(), keep);
  const int64_t job = RunJob(h, 3);
  const int64_t live = h.Submit(SmallJob(3));
  h.Tick();
  h.clock().Advance(absl::Minutes(70));
  TickUntilDone(h);
  EXPECT_THAT(h.store().ListEvents(job, 0, 100).value(), IsEmpty());
  EXPECT_THAT(h.blobs().List().value(), SizeIs(2));
  h.clock().Advance(absl::Hours(1));
  TickUntilDone(h);
  EXPECT_THAT(h.blobs().List().value(), IsEmpty());
  EXPECT_EQ(h.Trials(job).size(), 3u);
  EXPECT_FALSE(h.Trial(job, 1).weights_kept());
  EXPECT_GT(h.Trial(job, 1).architecture().nodes_size(), 0);
  EXPECT_TRUE(h.Job(job).dropped().models());
  h.clock().Advance(absl::Hours(3));
  TickUntilDone(h);
  v1::GetJobRequest get;
  get.set_job_id(job);
  EXPECT_THAT(h.core().GetJob(get), StatusIs(absl::StatusCode::kNotFound, ::testing::_));
  EXPECT_EQ(h.Job(live).state(), v1::JOB_STATE_RUNNING) << "whatever its age";
}

TEST_P(HousekeepingTest, WorkersNotSeenForLongAreForgotten) {
  Retention keep;
  keep.workers = absl::Hours(24);
  Harness h(GetParam(), keep);
  const auto known = [&h] {
    const auto listed = h.core().ListWorkers(v1::ListWorkersRequest()).value();
    std::vector<std::string> ids;
    for (const v1::Worker& worker : listed.workers()) ids.push_back(worker.id());
    return ids;
  };
  for (const char* id : {"alive", "drained", "gone"}) h.Register(id);
  v1::DrainWorkerRequest drain;
  drain.set_request_id(h.NextRequestId());
  drain.set_worker_id("drained");
  ASSERT_OK(h.core().DrainWorker(drain));
  h.clock().Advance(absl::Hours(23));
  TickUntilDone(h);
  EXPECT_THAT(known(), ElementsAre("alive", "drained", "gone"));
  ASSERT_OK(h.Heartbeat("alive", {}));
  h.clock().Advance(absl::Hours(2));
  TickUntilDone(h);
  EXPECT_THAT(known(), ElementsAre("alive", "drained"));
  h.Restart();
  EXPECT_THAT(known(), ElementsAre("alive", "drained"));
  EXPECT_THAT(h.Heartbeat("gone", {}), StatusIs(absl::StatusCode::kFailedPrecondition,
                                                HasSubstr("'gone' is not registered")));
  h.Register("gone");
  EXPECT_THAT(known(), ElementsAre("alive", "drained", "gone"));
}

TEST_P(HousekeepingTest, AClockThatJumpsHasTimeToBeSetRight) {
  Retention keep;
  keep.jobs = absl::Hours(24);
  Harness h(GetParam(), keep);
  const int64_t job = RunJob(h, 2);
  v1::GetJobRequest get;
  get.set_job_id(job);
  // It starts with a wrong one, and is set right.
  h.clock().Jump(absl::Hours(100));
  TickUntilDone(h);
  h.clock().Advance(absl::Minutes(50));
  TickUntilDone(h);
  h.clock().Jump(-absl::Hours(100));
  TickUntilDone(h);
  h.clock().Advance(absl::Hours(2));
  TickUntilDone(h);
  EXPECT_OK(h.core().GetJob(get));
  // One that goes ahead and stays there is believed in the end.
  h.clock().Jump(absl::Hours(100));
  TickUntilDone(h);
  EXPECT_OK(h.core().GetJob(get));
  h.clock().Advance(absl::Minutes(61));
  TickUntilDone(h);
  EXPECT_THAT(h.core().GetJob(get), StatusIs(absl::StatusCode::kNotFound, ::testing::_));
}

}  // namespace
}  // namespace frontier::coordinator
