// Workers that hold different data under one name.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::Harness;
using ::frontier::testing::MakeReport;
using ::frontier::testing::MakeResult;
using ::frontier::testing::SmallJob;
using ::frontier::testing::StatusIs;
using ::frontier::testing::StoreKind;
using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string& First() {
  static const std::string digest(64, 'a');
  return digest;
}
const std::string& Other() {
  static const std::string digest(64, 'b');
  return digest;
}

v1::TrialResult ResultOn(const std::string& dataset_sha256) {
  v1::TrialResult result = MakeResult(0.5, 1);
  result.mutable_engine()->set_dataset_sha256(dataset_sha256);
  return result;
}

class OtherDataTest : public ::testing::TestWithParam<StoreKind> {};
INSTANTIATE_TEST_SUITE_P(Stores, OtherDataTest,
                         ::testing::Values(StoreKind::kMemory, StoreKind::kSqlite));

TEST_P(OtherDataTest, TheFirstResultSaysWhatTheOthersMustBeOf) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(4));
  h.Register("w1");
  h.Register("w2");
  // Both begin before it is known.
  const auto first = h.Lease("w1");
  const auto other = h.Lease("w2");
  ASSERT_TRUE(first.has_value() && other.has_value());
  EXPECT_EQ(first->task().dataset_sha256(), "");
  ASSERT_OK(h.Report("w1", *first, ResultOn(First())));
  EXPECT_EQ(h.Job(job).dataset_sha256(), First());
  EXPECT_EQ(h.Job(job).dataset_worker(), "w1");

  ASSERT_OK_AND_ASSIGN(const v1::TrialState state, h.Report("w2", *other, ResultOn(Other())));
  EXPECT_EQ(state, v1::TRIAL_STATE_QUEUED) << "for a worker that has the data";
  const v1::Failure failure = h.Trial(job, 2).attempts(0).failure();
  EXPECT_EQ(failure.cause(), v1::FAILURE_CAUSE_OTHER_DATA);
  EXPECT_THAT(failure.message(), AllOf(HasSubstr("'w1'"), HasSubstr(First()), HasSubstr(Other())));

  // It gets no more of this job until it comes back with what may be other data, and of other jobs
  // what it wants; nothing is held against it.
  EXPECT_FALSE(h.Lease("w2").has_value());
  const v1::Worker other_worker = h.core().ListWorkers(v1::ListWorkersRequest())->workers(1);
  EXPECT_FALSE(other_worker.has_quarantine());
  const int64_t second = h.Submit(SmallJob(1));
  const auto of_second = h.Lease("w2");
  ASSERT_TRUE(of_second.has_value());
  EXPECT_EQ(of_second->task().key().job_id(), second);
  ASSERT_OK(h.Report("w2", *of_second, ResultOn(Other())));
  EXPECT_EQ(h.Job(second).dataset_sha256(), Other());
  h.Register("w2", "i2");
  EXPECT_TRUE(h.Lease("w2", "i2").has_value());
  h.Register("w2", "i3");

  // Who begins later is told, so that it need not train for nothing; also after a restart.
  h.Restart();
  h.Register("w1", "i2");
  const auto again = h.Lease("w1", "i2");
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->task().key().trial(), 2);
  EXPECT_EQ(again->task().dataset_sha256(), First());
  ASSERT_OK_AND_ASSIGN(const v1::TrialState ended, h.Report("w1", *again, ResultOn(First())));
  EXPECT_EQ(ended, v1::TRIAL_STATE_SUCCEEDED);
  EXPECT_EQ(h.Job(job).dataset_worker(), "w1");
}

TEST_P(OtherDataTest, IsNoFailureOfTheTrialAndTheJobSaysWhyItWaits) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(2));
  for (const char* worker : {"odd", "w2", "w3", "w4"}) h.Register(worker);
  ASSERT_OK(h.Report("odd", *h.Lease("odd"), ResultOn(First())));
  // More of them than a trial may have attempts.
  for (const char* worker : {"w2", "w3", "w4"}) {
    const auto lease = h.Lease(worker);
    ASSERT_TRUE(lease.has_value()) << worker;
    EXPECT_EQ(lease->task().key().trial(), 2);
    ASSERT_OK_AND_ASSIGN(const v1::TrialState state,
                         h.ReportFailure(worker, *lease, v1::FAILURE_CAUSE_OTHER_DATA));
    EXPECT_EQ(state, v1::TRIAL_STATE_QUEUED) << worker;
    EXPECT_FALSE(h.Lease(worker).has_value()) << worker;
  }
  EXPECT_EQ(h.Job(job).waiting_for(), "") << "the odd one may go on";
  h.clock().Advance(h.options().lease_duration);
  for (const char* worker : {"w2", "w3", "w4"}) ASSERT_OK(h.Heartbeat(worker, {}));
  EXPECT_THAT(h.Job(job).waiting_for(),
              AllOf(HasSubstr("worker 'w2' holds another data set"), HasSubstr("'odd'")));
}

TEST_P(OtherDataTest, ReusedResultsSayItToo) {
  Harness h(GetParam());
  const int64_t earlier = h.Submit(SmallJob(1));
  h.Register("w1");
  ASSERT_OK(h.Report("w1", *h.Lease("w1"), ResultOn(First())));
  v1::JobSpec spec = SmallJob(2);
  spec.mutable_warm_start()->set_job(earlier);
  const int64_t job = h.Submit(spec);
  EXPECT_EQ(h.Job(job).dataset_sha256(), First());
  EXPECT_EQ(h.Job(job).dataset_worker(), "");
  const auto lease = h.Lease("w1");
  ASSERT_TRUE(lease.has_value());
  EXPECT_EQ(lease->task().dataset_sha256(), First());
  ASSERT_OK(h.Report("w1", *lease, ResultOn(Other())));
  const v1::Trial trial = h.Trial(job, lease->task().key().trial());
  EXPECT_THAT(trial.attempts(0).failure().message(), HasSubstr("of an earlier job"));
}

TEST_P(OtherDataTest, WorkersThatDoNotSayAreBelieved) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(3));
  h.Register("w1");
  ASSERT_OK(h.Report("w1", *h.Lease("w1"), MakeResult(0.5, 1)));
  EXPECT_EQ(h.Job(job).dataset_sha256(), "");
  ASSERT_OK(h.Report("w1", *h.Lease("w1"), ResultOn(First())));
  EXPECT_EQ(h.Job(job).dataset_sha256(), First());
  ASSERT_OK(h.Report("w1", *h.Lease("w1"), MakeResult(0.5, 1)));
  EXPECT_EQ(h.Job(job).trials_succeeded(), 3);
}

TEST_P(OtherDataTest, ARerunIsOfTheDataThatTheTrialWasOf) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(2));
  h.Register("w1");
  ASSERT_OK(h.Report("w1", *h.Lease("w1"), ResultOn(First())));
  v1::GetTrialRequest request;
  request.set_job_id(job);
  request.set_trial(1);
  ASSERT_OK_AND_ASSIGN(const v1::GetTrialResponse response, h.core().GetTrial(request));
  EXPECT_EQ(response.task().dataset_sha256(), First());
}

TEST_P(OtherDataTest, WhatIsNoDigestIsRefused) {
  Harness h(GetParam());
  h.Submit(SmallJob(1));
  h.Register("w1");
  const auto lease = h.Lease("w1");
  ASSERT_TRUE(lease.has_value());
  EXPECT_THAT(h.core().Report(MakeReport("r", "w1", *lease, ResultOn("abc"))),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("result.engine.dataset_sha256: is no SHA-256 digest: 'abc'")));
  ASSERT_OK(h.Report("w1", *lease, ResultOn(First())));
}

}  // namespace
}  // namespace frontier::coordinator
