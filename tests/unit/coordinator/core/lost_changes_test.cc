// A dispatcher whose changes become durable later, or never: what was told stays true. Schedules of
// such faults are in tests/simulation.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "coordinator/core/dispatcher.h"
#include "coordinator/storage/group_journal.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_store.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::MakeRegistration;
using ::frontier::testing::MakeReport;
using ::frontier::testing::MakeResult;
using ::frontier::testing::SmallJob;
using ::frontier::testing::StatusIs;

class LostChangesTest : public ::testing::Test {
 protected:
  LostChangesTest() { Restart(); }

  // What is not durable is gone.
  void Restart() {
    dispatcher_.reset();
    journal_ = std::make_unique<GroupJournal>(&store_);
    auto dispatcher =
        CreateDispatcher(DispatcherOptions(), &store_, journal_.get(), &blobs_, &clock_);
    ASSERT_OK(dispatcher);
    dispatcher_ = *std::move(dispatcher);
  }

  std::string NextId() { return absl::StrCat("request-", ++requests_); }

  // Whether all that was decided by now is durable; nothing if that is not known yet.
  std::shared_ptr<std::optional<bool>> Watch(int64_t losses) {
    auto durable = std::make_shared<std::optional<bool>>();
    dispatcher_->WhenDurable(losses,
                             [durable](const absl::Status& status) { *durable = status.ok(); });
    return durable;
  }

  int64_t Submit(const v1::JobSpec& spec) {
    v1::SubmitJobRequest request;
    request.set_request_id(NextId());
    request.set_protocol_version(kProtocolVersion);
    *request.mutable_spec() = spec;
    const auto response = dispatcher_->SubmitJob(request);
    EXPECT_OK(response);
    return response.ok() ? response->job().id() : 0;
  }

  absl::Status Register(const std::string& worker) {
    v1::RegisterRequest request = MakeRegistration(worker, "i1", 1);
    request.set_request_id(NextId());
    return dispatcher_->Register(request).status();
  }

  absl::StatusOr<v1::LeaseResponse> Lease(const std::string& worker) {
    v1::LeaseRequest request;
    request.set_request_id(NextId());
    request.set_worker_id(worker);
    request.set_incarnation("i1");
    return dispatcher_->TryLease(request);
  }

  v1::Job Job(int64_t id) {
    v1::GetJobRequest request;
    request.set_job_id(id);
    const auto response = dispatcher_->GetJob(request);
    EXPECT_OK(response);
    return response.ok() ? response->job() : v1::Job();
  }

  testing::MemoryStore store_;
  testing::MemoryBlobStore blobs_;
  testing::FakeClock clock_;
  std::unique_ptr<GroupJournal> journal_;
  std::unique_ptr<Dispatcher> dispatcher_;
  int64_t requests_ = 0;
};

TEST_F(LostChangesTest, ALostReportIsForgottenAndTakenWhenItComesAgain) {
  const int64_t job = Submit(SmallJob(2));
  ASSERT_OK(Register("w1"));
  const v1::AttemptLease lease = Lease("w1")->lease();
  journal_->CommitGroup();
  const int64_t losses = dispatcher_->losses();
  const v1::ReportRequest report = MakeReport("report", "w1", lease, MakeResult(0.5, 1));
  ASSERT_OK(dispatcher_->Report(report));
  const auto durable = Watch(losses);
  EXPECT_EQ(Job(job).trials_succeeded(), 1);
  EXPECT_FALSE(durable->has_value());

  store_.FailCommits(2);
  journal_->CommitGroup();
  EXPECT_EQ(*durable, false);
  EXPECT_EQ(Job(job).trials_succeeded(), 0);
  EXPECT_EQ(Job(job).trials_running(), 1);
  EXPECT_EQ(GetErrorReason(dispatcher_->Report(report).status()), v1::ERROR_REASON_DISK_FULL);
  EXPECT_EQ(GetErrorReason(dispatcher_->Tick()), v1::ERROR_REASON_DISK_FULL);
  EXPECT_EQ(GetErrorReason(dispatcher_->Report(report).status()), v1::ERROR_REASON_DISK_FULL);

  // There is space again.
  ASSERT_OK(dispatcher_->Tick());
  ASSERT_OK(dispatcher_->Report(report));
  journal_->CommitGroup();
  EXPECT_EQ(store_.GetTrial(job, 1)->state(), v1::TRIAL_STATE_SUCCEEDED);
  EXPECT_EQ(Job(job).trials_succeeded(), 1);
}

TEST_F(LostChangesTest, LossesThatFollowEachOtherAreFollowedByPauses) {
  const int64_t job = Submit(SmallJob(5));
  journal_->CommitGroup();
  const auto lose = [&] {
    store_.FailCommits(1);
    v1::PauseJobRequest pause;
    pause.set_request_id(NextId());
    pause.set_job_id(job);
    EXPECT_OK(dispatcher_->PauseJob(pause));
    journal_->CommitGroup();
    EXPECT_EQ(Job(job).state(), v1::JOB_STATE_RUNNING);
  };
  lose();
  ASSERT_OK(dispatcher_->Tick());  // the first time at once
  for (const int seconds : {1, 2, 4, 8, 16, 30, 30}) {
    lose();
    clock_.Advance(absl::Seconds(seconds) - absl::Milliseconds(1));
    EXPECT_TRUE(absl::IsUnavailable(dispatcher_->Tick())) << seconds;
    clock_.Advance(absl::Milliseconds(1));
    ASSERT_OK(dispatcher_->Tick()) << seconds;
  }
  clock_.Advance(absl::Minutes(2));
  lose();
  EXPECT_OK(dispatcher_->Tick());
}

TEST_F(LostChangesTest, WhatWorkersKeptWhileTheDiskWasFullIsTaken) {
  v1::JobSpec spec = SmallJob(2);
  spec.mutable_limits()->set_wall_seconds(60);
  spec.mutable_limits()->set_max_attempts(1);
  const int64_t job = Submit(spec);
  ASSERT_OK(Register("w1"));
  const v1::AttemptLease lease = Lease("w1")->lease();
  journal_->CommitGroup();
  const v1::ReportRequest report = MakeReport("report", "w1", lease, MakeResult(0.5, 1));
  const auto beat = [&] {
    clock_.Advance(absl::Seconds(10));
    v1::HeartbeatRequest heartbeat;
    heartbeat.set_worker_id("w1");
    heartbeat.set_incarnation("i1");
    v1::LeaseStatus* status = heartbeat.add_leases();
    *status->mutable_key() = lease.task().key();
    status->set_token(lease.token());
    EXPECT_OK(dispatcher_->Heartbeat(heartbeat));
  };
  ASSERT_OK(dispatcher_->Report(report));
  store_.FailCommits(1'000'000);
  journal_->CommitGroup();
  // Far longer than any attempt may take.
  for (int i = 0; i < 200; ++i) {
    beat();
    EXPECT_FALSE(dispatcher_->Tick().ok());
    EXPECT_FALSE(dispatcher_->Report(report).ok());
  }
  store_.FailCommits(0);
  // The tick that finds the disk writable comes before any report can.
  for (int i = 0; i < 10; ++i) {
    beat();
    (void)dispatcher_->Tick();
    journal_->CommitGroup();
  }
  EXPECT_EQ(Job(job).trials_running(), 1);
  ASSERT_OK(dispatcher_->Report(report));
  journal_->CommitGroup();
  EXPECT_EQ(Job(job).trials_succeeded(), 1);
}

TEST_F(LostChangesTest, WhatIsDecidedOnALostStateIsNotToldEither) {
  Submit(SmallJob(5));
  ASSERT_OK(Register("w1"));
  const int64_t before = dispatcher_->losses();
  const auto lease = Lease("w1");
  ASSERT_TRUE(lease->has_lease());
  store_.FailCommits(1);
  journal_->CommitGroup();
  // The answer was made before the loss and asks to leave after it.
  EXPECT_EQ(*Watch(before), false);
  // It never registered.
  EXPECT_EQ(GetErrorReason(Lease("w1").status()), v1::ERROR_REASON_UNKNOWN_WORKER);
}

TEST_F(LostChangesTest, WeightsStayUntilItIsDurableThatNobodyNeedsThem) {
  const int64_t job = Submit(SmallJob(5));
  ASSERT_OK(Register("w1"));
  const auto run = [&](const std::string& content, double accuracy) {
    const v1::AttemptLease lease = Lease("w1")->lease();
    v1::UploadWeightsHeader header;
    header.set_worker_id("w1");
    *header.mutable_key() = lease.task().key();
    header.set_token(lease.token());
    header.set_sha256(Sha256Hex(content));
    EXPECT_OK(dispatcher_->CheckLease(header));
    blobs_.Put(Sha256Hex(content), content);
    v1::TrialResult result = MakeResult(accuracy, 1);
    result.set_weights_sha256(Sha256Hex(content));
    EXPECT_OK(dispatcher_->Report(MakeReport(NextId(), "w1", lease, result)));
  };
  run("worse", 0.5);
  journal_->CommitGroup();
  run("better", 0.9);
  EXPECT_TRUE(blobs_.Has(Sha256Hex("worse")));
  store_.FailCommits(1);
  journal_->CommitGroup();
  ASSERT_OK(dispatcher_->Tick());
  EXPECT_TRUE(blobs_.Has(Sha256Hex("worse")));
  EXPECT_TRUE(store_.GetTrial(job, 1)->weights_kept());
  run("best", 0.9);
  journal_->CommitGroup();
  EXPECT_FALSE(blobs_.Has(Sha256Hex("worse")));
  EXPECT_TRUE(blobs_.Has(Sha256Hex("best")));
}

}  // namespace
}  // namespace frontier::coordinator
