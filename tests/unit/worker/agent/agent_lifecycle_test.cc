// Coming, being cut off, and leaving.
#include <set>
#include <string>

#include "tests/unit/worker/agent/agent_fixture.h"
#include "worker/agent/agent.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::FakeCoordinator;
using ::frontier::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

absl::Status Unknown() {
  return ErrorWithReason(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_UNKNOWN_WORKER,
                         "who?");
}

TEST_F(AgentTest, AnUnknownWorkerRegistersAgainUnderTheSameIncarnation) {
  coordinator_.FailNext("Lease", 1, Unknown());
  coordinator_.FailNext("Heartbeat", 1, Unknown());
  StartAgent(Succeed);
  ASSERT_TRUE(coordinator_.WaitForCalls("Lease", 2));
  Beat();
  ASSERT_TRUE(coordinator_.WaitForCalls("Register", 3));
  EXPECT_OK(Leave());
  std::set<std::string> request_ids;
  for (const v1::RegisterRequest& request : coordinator_.registrations()) {
    EXPECT_EQ(request.incarnation(), "abc");
    request_ids.insert(request.request_id());
  }
  EXPECT_THAT(request_ids, SizeIs(3));
}

// Two threads have found out that the worker is not known any more, and nobody is there to register
// with.
class LeavingWhileRegistering : public AgentTest {
 protected:
  void LoseTheCoordinator() {
    StartAgent(Succeed);
    ASSERT_TRUE(coordinator_.WaitForCalls("Lease", 1));
    coordinator_.FailNext("Register", -1, absl::UnavailableError("connection refused"));
    coordinator_.FailNext("Heartbeat", -1, Unknown());
    coordinator_.FailNext("Lease", -1, Unknown());
    Beat();
    ASSERT_TRUE(coordinator_.WaitForCalls("Register", 3));
    coordinator_.Grant(Lease(1, 1));  // the answer to the first request
    ASSERT_TRUE(coordinator_.WaitForCalls("Lease", 2));
  }
};

TEST_F(LeavingWhileRegistering, ShutdownEnds) {
  ASSERT_NO_FATAL_FAILURE(LoseTheCoordinator());
  EXPECT_OK(Leave());
  EXPECT_THAT(coordinator_.registrations(), SizeIs(1));
}

TEST_F(LeavingWhileRegistering, DrainEnds) {
  ASSERT_NO_FATAL_FAILURE(LoseTheCoordinator());
  agent_->Drain();
  EXPECT_OK(Join());
}

TEST_F(AgentTest, AWorkerThatAnotherProcessRegistersAgainAndAgainLeaves) {
  coordinator_.FailNext("Lease", -1, Unknown());
  StartAgent(Succeed);
  const absl::Status status = Join();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               AllOf(HasSubstr("'gateway-1'"), HasSubstr("again and again"),
                                     HasSubstr("--worker_id"))));
  EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_UNKNOWN_WORKER);
  EXPECT_THAT(coordinator_.registrations(), SizeIs(6));
  // At once the first time, then later and later.
  const std::vector<absl::Duration> pauses = pacer_.pauses();
  ASSERT_THAT(pauses, SizeIs(4));
  for (size_t i = 1; i < pauses.size(); ++i) EXPECT_GT(pauses[i], pauses[i - 1]);
}

TEST_F(AgentTest, RegisteringAgainNowAndThenIsNoReasonToLeave) {
  StartAgent(Succeed);
  for (int i = 1; i <= 12; ++i) {
    ASSERT_TRUE(coordinator_.WaitForCalls("Register", i));
    clock_.Advance(absl::Minutes(1));
    coordinator_.FailNext("Heartbeat", 1, Unknown());
    Beat();
  }
  ASSERT_TRUE(coordinator_.WaitForCalls("Register", 13));
  EXPECT_OK(Leave());
}

// The worker is not known any more when a trial has ended, and may not register again.
class OutcomeOfARefusedWorker : public AgentTest {
 protected:
  // Registering fails with `refusal`; if that is OK it succeeds, and is in vain. Why the worker
  // leaves.
  absl::Status RunATrial(const absl::Status& refusal) {
    StartAgent([this, &refusal](const TrialOrder&, const StopEvent&, OnEpoch) {
      coordinator_.FailNext("Report", -1, Unknown());
      coordinator_.FailNext("Lease", -1, Unknown());
      if (!refusal.ok()) coordinator_.FailNext("Register", -1, refusal);
      return Ended(v1::TrialResult());
    });
    coordinator_.Grant(Lease(1, 1));
    return Join();
  }
};

TEST_F(OutcomeOfARefusedWorker, StaysInTheOutboxIfAnotherProcessHasItsName) {
  EXPECT_EQ(GetErrorReason(RunATrial(absl::OkStatus())), v1::ERROR_REASON_UNKNOWN_WORKER);
  EXPECT_THAT(coordinator_.reports(), IsEmpty());
  ASSERT_THAT(outbox_->List(), SizeIs(1));
  EXPECT_TRUE(outbox_->List()[0].has_result());
}

TEST_F(OutcomeOfARefusedWorker, StaysInTheOutboxIfItsVersionIsRefused) {
  const absl::Status refusal = ErrorWithReason(absl::StatusCode::kFailedPrecondition,
                                               v1::ERROR_REASON_PROTOCOL_VERSION, "4 against 1");
  EXPECT_EQ(GetErrorReason(RunATrial(refusal)), v1::ERROR_REASON_PROTOCOL_VERSION);
  EXPECT_THAT(outbox_->List(), SizeIs(1));
}

TEST_F(AgentTest, AnEarlierOutcomeStaysInTheOutboxIfTheWorkerIsRefused) {
  v1::ReportRequest report;
  *report.mutable_key() = Lease(3, 3).task().key();
  report.mutable_failure()->set_cause(v1::FAILURE_CAUSE_CRASHED);
  ASSERT_OK(outbox_->Put(report));
  coordinator_.FailNext("Report", -1, Unknown());
  coordinator_.FailNext("Register", -1,
                        ErrorWithReason(absl::StatusCode::kFailedPrecondition,
                                        v1::ERROR_REASON_PROTOCOL_VERSION, "4 against 1"));
  StartAgent(Succeed);
  EXPECT_EQ(GetErrorReason(Join()), v1::ERROR_REASON_PROTOCOL_VERSION);
  EXPECT_THAT(outbox_->List(), SizeIs(1));
}

TEST_F(AgentTest, ATrialWhoseParentIsNotFetchedByAWorkerThatLeavesHasNotFailed) {
  coordinator_.FailNext("GetParentWeights", -1, Unknown());
  coordinator_.FailNext("Heartbeat", -1, Unknown());
  StartAgent(Succeed);
  v1::AttemptLease lease = Lease(1, 1);
  lease.mutable_task()->mutable_inheritance()->set_weights_sha256(Sha256Hex("parent"));
  coordinator_.Grant(lease);
  ASSERT_TRUE(coordinator_.WaitForCalls("GiveBack", 1));
  Beat();
  EXPECT_EQ(GetErrorReason(Join()), v1::ERROR_REASON_UNKNOWN_WORKER);
  EXPECT_THAT(coordinator_.reports(), IsEmpty());
  EXPECT_THAT(outbox_->List(), IsEmpty());
}

TEST_F(AgentTest, ALeaseRequestWithoutAnswerIsRepeatedUnderItsId) {
  coordinator_.FailNext("Lease", 2, absl::UnavailableError("connection lost"));
  StartAgent(Succeed);
  coordinator_.Grant(Lease(1, 1));
  ASSERT_TRUE(coordinator_.WaitForReports(1));
  ASSERT_TRUE(coordinator_.WaitForCalls("Lease", 4));
  EXPECT_OK(Leave());
  const auto requests = coordinator_.lease_requests();
  EXPECT_EQ(requests[0].request_id(), requests[1].request_id());
  EXPECT_EQ(requests[0].request_id(), requests[2].request_id());
  EXPECT_NE(requests[0].request_id(), requests[3].request_id());
}

TEST_F(AgentTest, ShutdownKillsTrialsAndGivesTheirLeasesBack) {
  StartAgent(RunUntilStopped);
  coordinator_.Grant(Lease(1, 1));
  ASSERT_TRUE(coordinator_.WaitUntil([this] { return runner_->runs() == 1; }));
  EXPECT_OK(Leave());
  ASSERT_THAT(coordinator_.give_backs(), SizeIs(1));
  const v1::GiveBackRequest request = coordinator_.give_backs()[0];
  EXPECT_EQ(request.key().trial(), 1);
  EXPECT_EQ(request.token(), 1);
  EXPECT_EQ(request.reason(), "the worker is leaving");
  // Its last heartbeat says so, and only the last.
  const std::vector<v1::HeartbeatRequest> heartbeats = coordinator_.heartbeats();
  ASSERT_FALSE(heartbeats.empty());
  for (size_t i = 0; i < heartbeats.size(); ++i) {
    EXPECT_EQ(heartbeats[i].leaving(), i + 1 == heartbeats.size());
  }
  EXPECT_EQ(Find(request.usage(), v1::METRIC_CPU_SECONDS)->value(), 50);
  EXPECT_THAT(coordinator_.reports(), IsEmpty());
}

TEST_F(AgentTest, ALeaseGrantedWhileLeavingIsGivenBack) {
  StartAgent(Succeed);
  ASSERT_TRUE(coordinator_.WaitForCalls("Lease", 1));
  coordinator_.Direct(Start(Lease(9, 9)));  // to the last heartbeat
  EXPECT_OK(Leave());
  ASSERT_THAT(coordinator_.give_backs(), SizeIs(1));
  EXPECT_EQ(coordinator_.give_backs()[0].token(), 9);
  EXPECT_EQ(runner_->runs(), 0);
}

TEST_F(AgentTest, LeavingIsBoundedAndKeepsTheOutcomeForTheNextStart) {
  coordinator_.FailNext("Report", -1, absl::UnavailableError("gone"));
  StartAgent(Succeed);
  coordinator_.Grant(Lease(1, 1));
  ASSERT_TRUE(coordinator_.WaitForCalls("Report", 1));
  agent_->Shutdown();
  pacer_.Release(kShutdown);
  EXPECT_OK(Join());
  ASSERT_THAT(outbox_->List(), SizeIs(1));
  EXPECT_EQ(outbox_->List()[0].token(), 1);
}

TEST_F(AgentTest, OutcomesOfAnEarlierStartGoBeforeRegistering) {
  v1::ReportRequest report;
  report.set_request_id("earlier-1");
  *report.mutable_key() = Lease(3, 3).task().key();
  report.set_token(3);
  report.mutable_result()->set_weights_sha256(Sha256Hex("weights"));
  ASSERT_OK(outbox_->Put(report));
  ASSERT_OK(WriteFileAtomically(outbox_->WeightsPath(report.key(), 3), "weights"));
  coordinator_.FailNext("UploadWeights", 1, absl::UnavailableError("not yet"));
  StartAgent(Succeed);
  ASSERT_TRUE(coordinator_.WaitForCalls("Lease", 1));
  EXPECT_OK(Leave());
  const std::vector<std::string> calls = coordinator_.calls();
  EXPECT_THAT(std::vector<std::string>(calls.begin(), calls.begin() + 4),
              ElementsAre("UploadWeights", "UploadWeights", "Report", "Register"));
  EXPECT_EQ(coordinator_.reports()[0].request_id(), "earlier-1");
  EXPECT_THAT(outbox_->List(), IsEmpty());
}
TEST_F(AgentTest, DrainingLetsTheRunningTrialsEnd) {
  std::atomic<bool> running{false};
  StopEvent finish;
  StartAgent([&](const TrialOrder&, const StopEvent& stop, OnEpoch) {
    running = true;
    finish.Wait();
    return stop.raised() ? Ended(TrialStopped()) : Ended(v1::TrialResult());
  });
  coordinator_.Grant(Lease(1, 1));
  ASSERT_TRUE(coordinator_.WaitUntil([&running] { return running.load(); }));
  agent_->Drain();
  finish.Raise();
  EXPECT_OK(Join());
  EXPECT_THAT(coordinator_.reports(), SizeIs(1));
  EXPECT_THAT(coordinator_.give_backs(), IsEmpty());
}

TEST_F(AgentTest, LooksForItsCoordinatorWithGrowingPausesUntilItAnswers) {
  coordinator_.FailNext("Register", 12, absl::UnavailableError("connection refused"));
  StartAgent(Succeed);
  ASSERT_TRUE(coordinator_.WaitForCalls("Lease", 1));
  EXPECT_OK(Leave());
  const std::vector<absl::Duration> pauses = pacer_.pauses();
  ASSERT_GE(pauses.size(), 12);
  EXPECT_LT(pauses[0], absl::Milliseconds(300));
  EXPECT_GT(pauses[11], absl::Seconds(3));
  EXPECT_LT(pauses[11], absl::Seconds(7));
}

TEST_F(AgentTest, GivesUpLookingAfterTheConnectTimeout) {
  options_.connect_timeout = absl::Seconds(30);
  coordinator_.FailNext("Register", -1, absl::UnavailableError("connection refused"));
  StartAgent(Succeed);
  EXPECT_THAT(Join(), StatusIs(absl::StatusCode::kDeadlineExceeded,
                               HasSubstr("UNAVAILABLE: connection refused")));
  EXPECT_LE(clock_.Elapsed(), absl::Seconds(30));
}

TEST_F(AgentTest, GivesUpDeliveringEarlierOutcomesAfterTheConnectTimeout) {
  options_.connect_timeout = absl::Seconds(30);
  v1::ReportRequest report;
  *report.mutable_key() = Lease(3, 3).task().key();
  report.mutable_failure()->set_cause(v1::FAILURE_CAUSE_CRASHED);
  ASSERT_OK(outbox_->Put(report));
  coordinator_.FailNext("Report", -1, absl::UnavailableError("connection refused"));
  StartAgent(Succeed);
  EXPECT_THAT(Join(), StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("30s")));
  EXPECT_THAT(outbox_->List(), SizeIs(1));
}

TEST_F(AgentTest, AnotherProtocolVersionEndsTheDaemon) {
  coordinator_.FailNext("Register", -1,
                        ErrorWithReason(absl::StatusCode::kFailedPrecondition,
                                        v1::ERROR_REASON_PROTOCOL_VERSION, "4 against 1"));
  StartAgent(Succeed);
  const absl::Status status = Join();
  EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_PROTOCOL_VERSION);
  EXPECT_THAT(coordinator_.registrations(), IsEmpty());
  EXPECT_THAT(coordinator_.calls(), ElementsAre("Register"));
}

TEST_F(AgentTest, LeavingTakesNoLongerThanItsTimeoutWhateverItWaitsFor) {
  StopEvent finish;
  std::atomic<bool> stopped{false};
  StartAgent([&](const TrialOrder&, const StopEvent& stop, OnEpoch) {
    stop.Wait();
    stopped = true;
    finish.Wait();
    return Ended(TrialStopped());
  });
  coordinator_.Grant(Lease(1, 1));
  ASSERT_TRUE(coordinator_.WaitUntil([this] { return runner_->runs() == 1; }));
  agent_->Shutdown();
  ASSERT_TRUE(coordinator_.WaitUntil([&stopped] { return stopped.load(); }));
  // The trial takes most of the time; what is left of it is for the last heartbeat.
  clock_.Advance(kShutdown - absl::Seconds(3));
  finish.Raise();
  EXPECT_OK(Join());
  EXPECT_THAT(pacer_.pauses(), ::testing::Contains(absl::Seconds(3)));
}

TEST_F(AgentTest, ShutdownBeforeACoordinatorAnsweredIsQuick) {
  coordinator_.FailNext("Register", -1, absl::UnavailableError("connection refused"));
  StartAgent(Succeed);
  ASSERT_TRUE(coordinator_.WaitForCalls("Register", 1));
  EXPECT_OK(Leave());
  EXPECT_THAT(coordinator_.registrations(), IsEmpty());
}

}  // namespace
}  // namespace frontier::worker
