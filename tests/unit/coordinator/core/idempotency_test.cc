// Repeated requests, failing commits, restarts: nothing lost, nothing counted twice.
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/sha256.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::Harness;
using ::frontier::testing::MakeRegistration;
using ::frontier::testing::MakeReport;
using ::frontier::testing::MakeResult;
using ::frontier::testing::SmallJob;
using ::frontier::testing::StatusIs;
using ::frontier::testing::StoreKind;

// Calls twice, then after a restart: one change, one answer. `other` has the same id but other
// content.
template <typename Call>
void ExpectRepeatable(Harness* h, Call call, const std::function<absl::Status()>& other) {
  const auto first = call();
  ASSERT_OK(first);
  const int64_t sequence = h->store().LastEventSequence().value();
  const auto second = call();
  ASSERT_OK(second);
  EXPECT_EQ(first->SerializeAsString(), second->SerializeAsString());
  h->Restart();
  const auto third = call();
  ASSERT_OK(third);
  EXPECT_EQ(first->SerializeAsString(), third->SerializeAsString());
  EXPECT_EQ(h->store().LastEventSequence().value(), sequence);
  const absl::Status reused = other();
  EXPECT_EQ(reused.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(GetErrorReason(reused), v1::ERROR_REASON_REQUEST_REUSED);
}

class Idempotency : public ::testing::TestWithParam<StoreKind> {};

TEST_P(Idempotency, SubmitJob) {
  Harness h(GetParam());
  v1::SubmitJobRequest request;
  request.set_request_id("same");
  request.set_protocol_version(kProtocolVersion);
  *request.mutable_spec() = SmallJob(5);
  v1::SubmitJobRequest other = request;
  other.mutable_spec()->set_name("another");
  ExpectRepeatable(
      &h, [&] { return h.core().SubmitJob(request); },
      [&] { return h.core().SubmitJob(other).status(); });
  EXPECT_EQ(h.store().LastJobId().value(), 1);
}

TEST_P(Idempotency, PauseResumeCancel) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(5));
  const int64_t second = h.Submit(SmallJob(5));
  v1::PauseJobRequest pause;
  pause.set_request_id("pause");
  pause.set_job_id(job);
  ExpectRepeatable(
      &h, [&] { return h.core().PauseJob(pause); },
      [&] {
        v1::PauseJobRequest other = pause;
        other.set_job_id(second);
        return h.core().PauseJob(other).status();
      });
  v1::ResumeJobRequest resume;
  resume.set_request_id("resume");
  resume.set_job_id(job);
  ExpectRepeatable(
      &h, [&] { return h.core().ResumeJob(resume); },
      [&] {
        // The same id and content, but another method.
        v1::PauseJobRequest other;
        other.set_request_id("resume");
        other.set_job_id(job);
        return h.core().PauseJob(other).status();
      });
  v1::CancelJobRequest cancel;
  cancel.set_request_id("cancel");
  cancel.set_job_id(job);
  ExpectRepeatable(
      &h, [&] { return h.core().CancelJob(cancel); },
      [&] {
        v1::CancelJobRequest other = cancel;
        other.set_job_id(second);
        return h.core().CancelJob(other).status();
      });
}

TEST_P(Idempotency, RegisterAndLease) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(5));
  v1::RegisterRequest registration = MakeRegistration("w1", "i1", 3);
  registration.set_request_id("register");
  ExpectRepeatable(
      &h, [&] { return h.core().Register(registration); },
      [&] {
        v1::RegisterRequest other = registration;
        other.set_slots(4);
        return h.core().Register(other).status();
      });
  v1::LeaseRequest lease;
  lease.set_request_id("lease");
  lease.set_worker_id("w1");
  lease.set_incarnation("i1");
  lease.set_wait_ms(1000);
  const auto first = h.core().TryLease(lease);
  ASSERT_OK(first);
  lease.set_wait_ms(999);  // how long to wait may differ
  EXPECT_EQ(h.core().TryLease(lease)->SerializeAsString(), first->SerializeAsString());
  h.Restart();
  EXPECT_EQ(h.core().TryLease(lease)->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(h.Job(job).trials_created(), 1);
  // Ids of such calls are a worker's own.
  h.Register("w2");
  lease.set_worker_id("w2");
  EXPECT_NE(h.core().TryLease(lease)->lease().token(), first->lease().token());
}

TEST_P(Idempotency, ReportAndGiveBack) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(5));
  h.Register("w1", "i1", 2);
  const auto lease = h.Lease("w1");
  const v1::ReportRequest report = MakeReport("report", "w1", *lease, MakeResult(0.5, 1));
  ExpectRepeatable(
      &h, [&] { return h.core().Report(report); },
      [&] {
        v1::ReportRequest other = report;
        other.mutable_result()->mutable_measurements(0)->set_value(0.9);
        return h.core().Report(other).status();
      });
  EXPECT_EQ(h.Job(job).trials_succeeded(), 1);
  EXPECT_DOUBLE_EQ(h.Job(job).usage().cpu_seconds(), 10);
  const auto second = h.Lease("w1");
  v1::GiveBackRequest back;
  back.set_request_id("back");
  back.set_worker_id("w1");
  *back.mutable_key() = second->task().key();
  back.set_token(second->token());
  ExpectRepeatable(
      &h, [&] { return h.core().GiveBack(back); },
      [&] {
        v1::GiveBackRequest other = back;
        other.set_reason("another");
        return h.core().GiveBack(other).status();
      });
  EXPECT_EQ(h.Job(job).trials_queued(), 1);
}

TEST_P(Idempotency, AReportThatAsksForTheNextLease) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(3));
  h.Register("w1");
  const auto lease = h.Lease("w1");
  v1::ReportRequest report = MakeReport("report", "w1", *lease, MakeResult(0.5, 1));
  report.mutable_next()->set_request_id("next");
  report.mutable_next()->set_worker_id("w1");
  report.mutable_next()->set_incarnation("i1");
  const auto first = h.core().Report(report);
  ASSERT_OK(first);
  EXPECT_EQ(first->trial_state(), v1::TRIAL_STATE_SUCCEEDED);
  EXPECT_EQ(first->next().task().key().trial(), 2);
  EXPECT_EQ(h.core().Report(report)->SerializeAsString(), first->SerializeAsString());
  h.Restart();
  EXPECT_EQ(h.core().Report(report)->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(h.Job(job).trials_created(), 2);
  // What is asked for next is no part of the report.
  report.clear_next();
  EXPECT_FALSE(h.core().Report(report)->has_next());
  // One that may have none is accepted all the same.
  v1::ReportRequest second = MakeReport("second", "w1", first->next(), MakeResult(0.6, 1));
  second.mutable_next()->set_request_id("another");
  second.mutable_next()->set_worker_id("w1");
  second.mutable_next()->set_incarnation("i0");
  const auto without = h.core().Report(second);
  ASSERT_OK(without);
  EXPECT_EQ(without->trial_state(), v1::TRIAL_STATE_SUCCEEDED);
  EXPECT_FALSE(without->has_next());
}

INSTANTIATE_TEST_SUITE_P(Stores, Idempotency,
                         ::testing::Values(StoreKind::kMemory, StoreKind::kSqlite),
                         [](const ::testing::TestParamInfo<StoreKind>& p) {
                           return p.param == StoreKind::kMemory ? "memory" : "sqlite";
                         });

TEST(RequestIds, MustBeGivenAndShort) {
  Harness h;
  v1::CancelJobRequest request;
  request.set_job_id(h.Submit(SmallJob(1)));
  EXPECT_THAT(h.core().CancelJob(request),
              StatusIs(absl::StatusCode::kInvalidArgument, ::testing::HasSubstr("request_id")));
  request.set_request_id(std::string(129, 'x'));
  EXPECT_THAT(h.core().CancelJob(request),
              StatusIs(absl::StatusCode::kInvalidArgument, ::testing::HasSubstr("129")));
}

TEST(RequestIds, AreForgottenAfterTheirTime) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(5));
  v1::PauseJobRequest pause;
  pause.set_request_id("pause");
  pause.set_job_id(job);
  ASSERT_OK(h.core().PauseJob(pause));
  // Not by a clock that has just jumped.
  h.clock().Jump(absl::Hours(1000));
  ASSERT_OK(h.Resume(job));
  EXPECT_TRUE(h.store().FindRequest("pause").value().has_value());
  h.clock().Jump(-absl::Hours(1000));
  ASSERT_OK(h.Pause(job));
  h.clock().Advance(h.options().request_retention + absl::Seconds(1));
  ASSERT_OK(h.Resume(job));  // any commit prunes
  EXPECT_FALSE(h.store().FindRequest("pause").value().has_value());
  EXPECT_OK(h.core().PauseJob(pause));
}

TEST(FailedCommits, ChangeNothing) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(25));
  h.Register("w1", "i1", 3);
  const auto lease = h.Lease("w1");
  ASSERT_OK(h.Upload("w1", *lease, Sha256Hex("a")));
  v1::TrialResult result = MakeResult(0.5, 1);
  result.set_weights_sha256(Sha256Hex("a"));
  const std::string before = h.Job(job).SerializeAsString();
  const std::vector<std::function<absl::Status()>> calls = {
      [&] { return h.TrySubmit(SmallJob(1)).status(); },
      [&] { return h.Pause(job); },
      [&] { return h.Cancel(job); },
      [&] { return h.Report("w1", *lease, result).status(); },
      [&] { return h.GiveBack("w1", *lease); },
      [&] {
        v1::LeaseRequest request;
        request.set_request_id(h.NextRequestId());
        request.set_worker_id("w1");
        request.set_incarnation("i1");
        return h.core().TryLease(request).status();
      },
      [&] {
        v1::RegisterRequest request = MakeRegistration("w1", "i2", 3);
        request.set_request_id(h.NextRequestId());
        return h.core().Register(request).status();
      }};
  for (size_t i = 0; i < calls.size(); ++i) {
    h.memory().FailCommits(1);
    const absl::Status status = calls[i]();
    EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_DISK_FULL) << i << " " << status;
    EXPECT_EQ(h.Job(job).SerializeAsString(), before) << i;
  }
  EXPECT_TRUE(h.blobs().Has(Sha256Hex("a")));
  ASSERT_OK(h.Report("w1", *lease, result));
  EXPECT_EQ(h.Submit(SmallJob(1)), job + 1);
}

TEST(FailedCommits, LeaveTheStrategyWhereItWas) {
  std::vector<std::string> proposals[2];
  for (const bool faults : {false, true}) {
    Harness h;
    const int64_t job = h.Submit(SmallJob(20));
    h.Register("w1");
    for (int i = 1; i <= 20; ++i) {
      if (faults) {
        h.memory().FailCommits(1);
        v1::LeaseRequest request;
        request.set_request_id(h.NextRequestId());
        request.set_worker_id("w1");
        request.set_incarnation("i1");
        EXPECT_FALSE(h.core().TryLease(request).ok());
      }
      const auto lease = h.Lease("w1");
      ASSERT_TRUE(lease.has_value());
      EXPECT_EQ(lease->task().key().trial(), i);
      if (faults) {
        h.memory().FailCommits(1);
        EXPECT_FALSE(h.Report("w1", *lease, MakeResult(0.5 + 0.01 * i, i)).ok());
      }
      ASSERT_OK(h.Report("w1", *lease, MakeResult(0.5 + 0.01 * i, i)));
      proposals[faults].push_back(h.Trial(job, i).canonical_hash());
    }
  }
  EXPECT_EQ(proposals[0], proposals[1]);
}

TEST(FailedCommits, ExpiryIsTriedAgain) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(1));
  h.Register("w1");
  ASSERT_TRUE(h.Lease("w1").has_value());
  h.clock().Advance(absl::Minutes(1));
  h.memory().FailCommits(1);
  EXPECT_FALSE(h.core().Tick().ok());
  EXPECT_EQ(h.Job(job).trials_running(), 1);
  h.Tick();
  EXPECT_EQ(h.Job(job).trials_queued(), 1);
  EXPECT_EQ(h.Trial(job, 1).attempts_size(), 1);
}

}  // namespace
}  // namespace frontier::coordinator
