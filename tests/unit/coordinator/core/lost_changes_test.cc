// A dispatcher whose changes become durable later, or never: what was told stays true.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
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

// Workers run trials while commits fail and the coordinator is killed. Each report that was
// acknowledged stays; each trial is counted once; the job ends.
TEST_F(LostChangesTest, NothingAcknowledgedIsLostUnderRandomFaults) {
  constexpr int kWorkers = 4;
  constexpr int kTrials = 25;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Rng rng(seed);
    const int64_t job = Submit(SmallJob(kTrials));
    journal_->CommitGroup();
    struct Worker {
      std::optional<v1::AttemptLease> lease;
      std::optional<v1::ReportRequest> report;  // not acknowledged yet
      std::shared_ptr<std::optional<bool>> durable;
    };
    std::vector<Worker> workers(kWorkers);
    std::map<int64_t, double> acknowledged;
    int faults = 0;
    int steps = 0;
    for (; steps < 20000 && Job(job).state() != v1::JOB_STATE_COMPLETED; ++steps) {
      const size_t w = rng.Uniform(kWorkers);
      const std::string name = absl::StrCat("w", w);
      Worker& worker = workers[w];
      const int64_t losses = dispatcher_->losses();
      switch (rng.Uniform(20)) {
        case 0:
          store_.FailCommits(static_cast<int>(1 + rng.Uniform(2)));
          journal_->CommitGroup();
          ++faults;
          break;
        case 1:
          Restart();
          // Whether what was not answered is there they find out by going on.
          for (size_t each = 0; each < workers.size(); ++each) {
            Worker& of = workers[each];
            if (of.durable != nullptr && of.lease.has_value() && !of.report.has_value()) {
              of.report = MakeReport(NextId(), absl::StrCat("w", each), *of.lease,
                                     MakeResult(rng.UniformDouble(), 1));
            }
            of.durable.reset();
          }
          ++faults;
          break;
        case 2:
        case 3:
          clock_.Advance(absl::Milliseconds(250));
          (void)dispatcher_->Tick();  // fails while the store does
          break;
        case 4:
        case 5:
        case 6:
          journal_->CommitGroup();
          break;
        default:
          if (worker.durable != nullptr && worker.durable->has_value()) {
            if (**worker.durable) {
              if (worker.report.has_value()) {
                acknowledged[worker.report->key().trial()] =
                    worker.report->result().measurements(0).value();
                worker.report.reset();
                worker.lease.reset();
              } else {
                worker.report =
                    MakeReport(NextId(), name, *worker.lease, MakeResult(rng.UniformDouble(), 1));
              }
            } else if (!worker.report.has_value()) {
              worker.lease.reset();
            }
            worker.durable.reset();
          } else if (worker.durable != nullptr) {
            break;  // waits for its answer
          } else if (worker.report.has_value()) {
            const auto answer = dispatcher_->Report(*worker.report);
            if (answer.ok()) {
              worker.durable = Watch(losses);
            } else if (GetErrorReason(answer.status()) == v1::ERROR_REASON_STALE_LEASE ||
                       absl::IsNotFound(answer.status())) {
              worker.report.reset();
              worker.lease.reset();
            }
          } else {
            const auto answer = Lease(name);
            if (GetErrorReason(answer.status()) == v1::ERROR_REASON_UNKNOWN_WORKER) {
              (void)Register(name);
            } else if (answer.ok() && answer->has_lease()) {
              worker.lease = answer->lease();
              worker.durable = Watch(losses);
            }
          }
      }
      if (steps % 500 == 499) {
        // Leases of answers that never came.
        clock_.Advance(absl::Minutes(1));
      }
    }
    for (int i = 0; i < 3; ++i) {
      (void)dispatcher_->Tick();
      journal_->CommitGroup();
    }
    EXPECT_GT(faults, 10);
    ASSERT_EQ(Job(job).state(), v1::JOB_STATE_COMPLETED) << "after " << steps << " steps";
    EXPECT_EQ(Job(job).trials_succeeded(), kTrials);
    int succeeded = 0;
    EXPECT_OK(store_.ForEachTrial(job, [&](const v1::Trial& trial) {
      succeeded += trial.state() == v1::TRIAL_STATE_SUCCEEDED;
      const auto told = acknowledged.find(trial.number());
      if (told != acknowledged.end()) {
        EXPECT_EQ(trial.result().measurements(0).value(), told->second)
            << "trial " << trial.number();
      }
      return absl::OkStatus();
    }));
    EXPECT_EQ(succeeded, kTrials);
  }
}

}  // namespace
}  // namespace frontier::coordinator
