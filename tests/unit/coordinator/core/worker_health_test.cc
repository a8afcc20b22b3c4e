// Which workers get trials: failures that are a machine's, drains, places.
#include "coordinator/core/worker_health.h"

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::Harness;
using ::frontier::testing::MakeRegistration;
using ::frontier::testing::MakeResult;
using ::frontier::testing::SmallJob;
using ::frontier::testing::StatusIs;
using ::frontier::testing::StoreKind;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::Worker Worker(Harness& h, const std::string& id) {
  const auto response = h.core().ListWorkers(v1::ListWorkersRequest());
  EXPECT_OK(response);
  for (const v1::Worker& worker : response->workers()) {
    if (worker.id() == id) return worker;
  }
  ADD_FAILURE() << "no worker " << id;
  return v1::Worker();
}

absl::Status Drain(Harness& h, const std::string& id) {
  v1::DrainWorkerRequest request;
  request.set_request_id(h.NextRequestId());
  request.set_worker_id(id);
  return h.core().DrainWorker(request).status();
}

absl::Status Admit(Harness& h, const std::string& id) {
  v1::AdmitWorkerRequest request;
  request.set_request_id(h.NextRequestId());
  request.set_worker_id(id);
  return h.core().AdmitWorker(request).status();
}

// Lets `worker` fail `count` trials, each another one.
void FailTrials(Harness& h, const std::string& worker, int count,
                v1::FailureCause cause = v1::FAILURE_CAUSE_CRASHED) {
  for (int i = 0; i < count; ++i) {
    const auto lease = h.Lease(worker);
    ASSERT_TRUE(lease.has_value()) << i;
    ASSERT_OK(h.ReportFailure(worker, *lease, cause));
  }
}

class WorkerHealthTest : public ::testing::Test {
 protected:
  // Trials that fail are left to "other", which never asks for them.
  void SetUp() override {
    job_ = h_.Submit(SmallJob(20));
    h_.Register("bad", "i1", 2);
    h_.Register("other");
  }
  // As heartbeats do over time.
  void PassTime(absl::Duration duration) {
    for (absl::Duration passed; passed < duration; passed += absl::Seconds(5)) {
      h_.clock().Advance(absl::Seconds(5));
      for (const char* worker : {"bad", "other"}) ASSERT_OK(h_.Heartbeat(worker, {}));
      h_.Tick();
    }
  }

  Harness h_{StoreKind::kSqlite};
  int64_t job_ = 0;
};

TEST_F(WorkerHealthTest, AWorkerThatFailsEverythingIsInQuarantineAndSaysWhy) {
  FailTrials(h_, "bad", 2);
  EXPECT_FALSE(Worker(h_, "bad").has_quarantine());
  FailTrials(h_, "bad", 1, v1::FAILURE_CAUSE_DATASET);
  EXPECT_THAT(Worker(h_, "bad").quarantine().reason(),
              AllOf(HasSubstr("job 1 trial 3"), HasSubstr("dataset")));
  EXPECT_FALSE(h_.Lease("bad").has_value());
  EXPECT_TRUE(h_.Lease("other").has_value());
  // Over a restart of the coordinator and of the worker.
  h_.Restart();
  h_.Register("bad", "i2");
  EXPECT_FALSE(h_.Lease("bad", "i2").has_value());
}

TEST_F(WorkerHealthTest, ProbationEndsWithASuccessOrALongerQuarantine) {
  FailTrials(h_, "bad", 3);
  PassTime(kFirstQuarantine + absl::Seconds(5));
  const auto first = h_.Lease("bad");
  ASSERT_TRUE(first.has_value());
  EXPECT_FALSE(h_.Lease("bad").has_value()) << "one at a time";
  ASSERT_OK(h_.ReportFailure("bad", *first, v1::FAILURE_CAUSE_CRASHED));
  EXPECT_EQ(Worker(h_, "bad").quarantine().times(), 2);
  PassTime(kFirstQuarantine + absl::Seconds(5));
  EXPECT_FALSE(h_.Lease("bad").has_value()) << "the second is longer";
  PassTime(kFirstQuarantine);
  const auto second = h_.Lease("bad");
  ASSERT_TRUE(second.has_value());
  ASSERT_OK(h_.Report("bad", *second, MakeResult(0.5, 1)));
  EXPECT_FALSE(Worker(h_, "bad").has_quarantine());
  FailTrials(h_, "bad", 2);
  EXPECT_FALSE(Worker(h_, "bad").has_quarantine()) << "strikes begin anew";
}

TEST_F(WorkerHealthTest, ATrialThatFailsElsewhereIsToBlame) {
  FailTrials(h_, "bad", 3);
  ASSERT_TRUE(Worker(h_, "bad").has_quarantine());
  // What failed there is queued, and fails here, too.
  const auto again = h_.Lease("other");
  ASSERT_TRUE(again.has_value());
  ASSERT_EQ(again->task().key().attempt(), 2);
  ASSERT_OK(h_.ReportFailure("other", *again, v1::FAILURE_CAUSE_CRASHED));
  EXPECT_FALSE(Worker(h_, "bad").has_quarantine());
  EXPECT_TRUE(h_.Lease("bad").has_value());
}

TEST_F(WorkerHealthTest, WhatIsTheNetworksOrThePlansIsNoStrike) {
  for (const auto cause :
       {v1::FAILURE_CAUSE_DIVERGED, v1::FAILURE_CAUSE_INVALID, v1::FAILURE_CAUSE_OUT_OF_MEMORY}) {
    FailTrials(h_, "bad", 2, cause);
  }
  for (int i = 0; i < 4; ++i) ASSERT_OK(h_.GiveBack("bad", *h_.Lease("bad")));
  EXPECT_FALSE(Worker(h_, "bad").has_quarantine());
  EXPECT_TRUE(h_.Lease("bad").has_value());
}

TEST_F(WorkerHealthTest, AJobThatWorksNowhereIsHeldAgainstNoWorker) {
  Harness h;
  v1::JobSpec spec = SmallJob(20);
  spec.mutable_limits()->set_max_attempts(1);
  h.Submit(spec);
  for (const char* worker : {"a", "b"}) h.Register(worker);
  FailTrials(h, "a", 1);
  FailTrials(h, "b", 4);
  FailTrials(h, "a", 4);
  for (const char* worker : {"a", "b"}) EXPECT_FALSE(Worker(h, worker).has_quarantine()) << worker;
}

TEST_F(WorkerHealthTest, OnProbationOtherJobsComeFirst) {
  FailTrials(h_, "bad", 3);
  v1::JobSpec other = SmallJob(5);
  other.set_priority(-10);
  const int64_t job = h_.Submit(other);
  PassTime(kFirstQuarantine + absl::Seconds(5));
  const auto lease = h_.Lease("bad");
  ASSERT_TRUE(lease.has_value());
  EXPECT_EQ(lease->task().key().job_id(), job);
}

TEST_F(WorkerHealthTest, OneTrialIsOneStrikeHoweverOftenItFails) {
  Harness h;
  v1::JobSpec spec = SmallJob(5);
  spec.mutable_limits()->set_max_attempts(10);
  h.Submit(spec);
  h.Register("lone");
  for (int i = 0; i < 5; ++i) {
    const auto lease = h.Lease("lone");
    ASSERT_TRUE(lease.has_value());
    ASSERT_EQ(lease->task().key().trial(), 1);
    ASSERT_OK(h.ReportFailure("lone", *lease, v1::FAILURE_CAUSE_CRASHED));
  }
  EXPECT_FALSE(Worker(h, "lone").has_quarantine());
}

TEST_F(WorkerHealthTest, AJobSaysThatItsWorkersAreHeldBack) {
  FailTrials(h_, "bad", 3);
  EXPECT_THAT(h_.Job(job_).waiting_for(), IsEmpty());
  ASSERT_OK(Drain(h_, "other"));
  EXPECT_THAT(h_.Job(job_).waiting_for(), HasSubstr("worker 'bad' is in quarantine"));
  ASSERT_OK(Drain(h_, "bad"));
  EXPECT_THAT(h_.Job(job_).waiting_for(), HasSubstr("worker 'bad' is draining"));
  ASSERT_OK(Admit(h_, "bad"));
  EXPECT_THAT(h_.Job(job_).waiting_for(), IsEmpty());
  EXPECT_TRUE(h_.Lease("bad").has_value()) << "admitting ends a quarantine, too";
}

TEST_F(WorkerHealthTest, ADrainedWorkerEndsItsTrialsAndGetsNoOthers) {
  const auto running = h_.Lease("other");
  ASSERT_TRUE(running.has_value());
  ASSERT_OK(Drain(h_, "other"));
  EXPECT_FALSE(h_.Lease("other").has_value());
  ASSERT_OK(h_.Report("other", *running, MakeResult(0.5, 1)));
  h_.Restart();
  h_.Register("other", "i2");
  EXPECT_FALSE(h_.Lease("other", "i2").has_value());
  EXPECT_TRUE(Worker(h_, "other").draining());
  ASSERT_OK(Admit(h_, "other"));
  EXPECT_TRUE(h_.Lease("other", "i2").has_value());
  EXPECT_THAT(Drain(h_, "nobody"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("'nobody'")));
}

TEST_F(WorkerHealthTest, ALongQuarantineIsNoneOnceTheClockIsSetBack) {
  v1::Worker worker;
  worker.set_id("w");
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  worker.mutable_quarantine()->set_until_unix_us(absl::ToUnixMicros(now + absl::Minutes(30)));
  EXPECT_THAT(WhyNotAdmitted(worker, now), HasSubstr("30m"));
  EXPECT_THAT(WhyNotAdmitted(worker, now - absl::Hours(5)), IsEmpty());
  EXPECT_THAT(WhyNotAdmitted(worker, now + absl::Hours(1)), IsEmpty());
  EXPECT_FALSE(IsAdmitted(worker, 1, now + absl::Hours(1)));
  EXPECT_TRUE(IsAdmitted(worker, 0, now + absl::Hours(1)));
}

TEST(Placement, JobsGoWhereTheyWantToBe) {
  Harness h;
  v1::JobSpec spec = SmallJob(5);
  spec.mutable_placement()->add_labels("fast");
  spec.mutable_placement()->add_labels("site=north");
  spec.mutable_placement()->add_hardware_classes("big");
  spec.mutable_placement()->add_hardware_classes("bigger");
  const int64_t job = h.Submit(spec);
  const auto register_as = [&h](const std::string& id, const std::vector<std::string>& labels,
                                const std::string& hardware_class) {
    v1::RegisterRequest request = MakeRegistration(id, "i1", 1);
    request.set_request_id(h.NextRequestId());
    for (const std::string& label : labels) request.add_labels(label);
    request.mutable_hardware()->set_hardware_class(hardware_class);
    return h.core().Register(request).status();
  };
  ASSERT_OK(register_as("plain", {}, "big"));
  ASSERT_OK(register_as("half", {"fast"}, "big"));
  ASSERT_OK(register_as("small", {"fast", "site=north"}, "small"));
  for (const char* worker : {"plain", "half", "small"}) EXPECT_FALSE(h.Lease(worker)) << worker;
  EXPECT_EQ(h.Job(job).waiting_for(),
            "no live worker with data set 'fashion' has labels fast, site=north and hardware class "
            "big or bigger");
  ASSERT_OK(register_as("right", {"site=north", "more", "fast"}, "bigger"));
  EXPECT_TRUE(h.Lease("right").has_value());
  EXPECT_THAT(register_as("odd", {"a b"}, ""),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("labels[0]")));
  EXPECT_THAT(register_as("odd", {"a", "a"}, ""),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("given twice")));
}

}  // namespace
}  // namespace frontier::coordinator
