// Trials: how they run, and what is told of them.
#include "worker/agent/agent.h"

#include <string>

#include "tests/unit/worker/agent/agent_fixture.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::FakeCoordinator;
using ::frontier::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(AgentTest, RegistersWhatItIsAndHas) {
  options_.slots = 3;
  StartAgent(Succeed);
  ASSERT_TRUE(coordinator_.WaitForCalls("Lease", 1));
  EXPECT_OK(Leave());
  ASSERT_THAT(coordinator_.registrations(), SizeIs(1));
  const v1::RegisterRequest request = coordinator_.registrations()[0];
  EXPECT_EQ(request.worker_id(), "gateway-1");
  EXPECT_EQ(request.incarnation(), "abc");
  EXPECT_EQ(request.slots(), 3);
  EXPECT_EQ(request.hardware().hardware_class(), "class-a");
  ASSERT_EQ(request.datasets_size(), 1);
  EXPECT_EQ(request.datasets(0).name(), "tiny");
  EXPECT_EQ(request.datasets(0).classes(), 2);
  EXPECT_FALSE(request.request_id().empty());
}

TEST_F(AgentTest, ReportsAResultWithItsWeightsAndWhatItUsed) {
  options_.trial_defaults.threads = options_.trial_defaults.most_threads = 2;
  StartAgent(SucceedWithWeights);
  coordinator_.Grant(Lease(4, 17));
  ASSERT_TRUE(coordinator_.WaitForReports(1));
  EXPECT_OK(Leave());

  ASSERT_THAT(coordinator_.uploads(), SizeIs(1));
  EXPECT_EQ(coordinator_.uploads()[0].content, "weights");
  EXPECT_EQ(coordinator_.uploads()[0].header.size(), 7);
  EXPECT_EQ(coordinator_.uploads()[0].header.token(), 17);
  const v1::ReportRequest report = coordinator_.reports()[0];
  EXPECT_EQ(report.key().trial(), 4);
  EXPECT_EQ(report.token(), 17);
  EXPECT_EQ(report.result().weights_sha256(), Sha256Hex("weights"));
  const auto& measurements = report.result().measurements();
  ASSERT_EQ(measurements.size(), 4);
  EXPECT_EQ(Find(measurements, v1::METRIC_CPU_SECONDS)->value(), 50);
  EXPECT_EQ(Find(measurements, v1::METRIC_WALL_SECONDS)->value(), 100);
  const v1::Measurement* energy = Find(measurements, v1::METRIC_ENERGY_J);
  // 7 W a busy core, of which 0.1875 idle: 2 cores x 100 s and 50 s of CPU time.
  EXPECT_DOUBLE_EQ(energy->value(), 7 * (0.1875 * 200 + 0.8125 * 50));
  EXPECT_EQ(energy->method(), "model-default");
  EXPECT_EQ(energy->hardware_class(), "class-a");
  EXPECT_GT(Find(measurements, v1::METRIC_CO2_G)->value(), 0);
  EXPECT_THAT(outbox_->List(), IsEmpty());
  EXPECT_FALSE(ReadFile(outbox_->WeightsPath(report.key(), 17)).ok());
}

TEST_F(AgentTest, RunsTheLeaseThatItsReportIsAnsweredWith) {
  StartAgent(Succeed);
  coordinator_.GrantNext(Lease(2, 2));
  coordinator_.Grant(Lease(1, 1));
  ASSERT_TRUE(coordinator_.WaitForReports(2));
  EXPECT_OK(Leave());
  const std::vector<v1::ReportRequest> reports = coordinator_.reports();
  EXPECT_EQ(reports[0].next().worker_id(), "gateway-1");
  EXPECT_EQ(reports[0].next().incarnation(), "abc");
  EXPECT_EQ(reports[1].token(), 2);
  EXPECT_NE(reports[0].next().request_id(), reports[1].next().request_id());
  // What lies on disk may be delivered by another start of the worker, which has no room yet.
  EXPECT_THAT(outbox_->List(), IsEmpty());
}

v1::AttemptLease HeirLease(int64_t trial, int64_t token) {
  v1::AttemptLease lease = Lease(trial, token);
  lease.mutable_task()->mutable_inheritance()->set_weights_sha256(Sha256Hex("parent"));
  return lease;
}

TEST_F(AgentTest, FetchesTheWeightsATrialInheritsOnce) {
  coordinator_.SetParentWeights("parent");
  StartAgent([](const TrialOrder& order, const StopEvent&, OnEpoch) {
    const absl::StatusOr<std::string> parent = ReadFile(order.input.parent_path());
    EXPECT_OK(parent);
    EXPECT_EQ(*parent, "parent");
    return Ended(v1::TrialResult());
  });
  coordinator_.Grant(HeirLease(1, 1));
  coordinator_.Grant(HeirLease(2, 2));
  ASSERT_TRUE(coordinator_.WaitForReports(2));
  EXPECT_OK(Leave());
  const std::vector<std::string> calls = coordinator_.calls();
  EXPECT_EQ(std::count(calls.begin(), calls.end(), "GetParentWeights"), 1);
  EXPECT_TRUE(coordinator_.reports()[0].has_result());
  EXPECT_TRUE(coordinator_.reports()[1].has_result());
}

TEST_F(AgentTest, ATrialWhoseInheritedWeightsCannotBeHadFails) {
  coordinator_.SetParentWeights("other");
  StartAgent(Succeed);
  coordinator_.Grant(HeirLease(1, 1));
  ASSERT_TRUE(coordinator_.WaitForReports(1));
  coordinator_.FailNext("GetParentWeights", 1, absl::NotFoundError("blob is gone"));
  coordinator_.Grant(HeirLease(2, 2));
  ASSERT_TRUE(coordinator_.WaitForReports(2));
  EXPECT_OK(Leave());
  EXPECT_EQ(coordinator_.reports()[0].failure().cause(), v1::FAILURE_CAUSE_INTERNAL);
  EXPECT_THAT(coordinator_.reports()[0].failure().message(), HasSubstr("what came has digest"));
  EXPECT_THAT(coordinator_.reports()[1].failure().message(), HasSubstr("blob is gone"));
}

TEST_F(AgentTest, ATrialThatGoesOnFindsItsCheckpoint) {
  coordinator_.SetCheckpoint("state");
  StartAgent([](const TrialOrder& order, const StopEvent&, OnEpoch) {
    v1::TrialResult result;
    const absl::StatusOr<std::string> state = ReadFile(order.input.checkpoint_path());
    result.mutable_engine()->set_library(state.ok() ? *state : "none");
    EXPECT_OK(WriteFileAtomically(order.input.weights_path(), "paused"));
    result.set_checkpoint_sha256(Sha256Hex("paused"));
    return Ended(result);
  });
  v1::AttemptLease lease = Lease(1, 1);
  lease.mutable_task()->set_checkpoint_sha256(Sha256Hex("state"));
  coordinator_.Grant(lease);
  ASSERT_TRUE(coordinator_.WaitForReports(1));
  // What comes is another one: it begins anew.
  lease = Lease(2, 2);
  lease.mutable_task()->set_checkpoint_sha256(Sha256Hex("other"));
  coordinator_.Grant(lease);
  ASSERT_TRUE(coordinator_.WaitForReports(2));
  EXPECT_OK(Leave());
  EXPECT_EQ(coordinator_.reports()[0].result().engine().library(), "state");
  EXPECT_EQ(coordinator_.reports()[0].result().checkpoint_sha256(), Sha256Hex("paused"));
  EXPECT_EQ(coordinator_.reports()[1].result().engine().library(), "none");
}

TEST_F(AgentTest, TransfersThatDoNotComeThroughAreGivenUp) {
  const absl::Status late = absl::DeadlineExceededError("did not answer in time");
  for (const char* method : {"UploadWeights", "GetCheckpoint", "GetParentWeights"}) {
    coordinator_.FailNext(method, -1, late);
  }
  StartAgent([](const TrialOrder& order, const StopEvent& stop, OnEpoch on_epoch) {
    EXPECT_FALSE(FileSize(order.input.checkpoint_path()).ok());
    return SucceedWithWeights(order, stop, on_epoch);
  });
  v1::AttemptLease lease = Lease(1, 1);
  lease.mutable_task()->set_checkpoint_sha256(Sha256Hex("state"));
  coordinator_.Grant(lease);
  coordinator_.Grant(HeirLease(2, 2));
  ASSERT_TRUE(coordinator_.WaitForReports(2));
  EXPECT_OK(Leave());
  const std::vector<std::string> calls = coordinator_.calls();
  for (const char* method : {"UploadWeights", "GetCheckpoint", "GetParentWeights"}) {
    EXPECT_EQ(std::count(calls.begin(), calls.end(), method), 3) << method;
  }
  ASSERT_TRUE(coordinator_.reports()[0].has_result());
  EXPECT_EQ(coordinator_.reports()[0].result().weights_sha256(), "");
  EXPECT_EQ(coordinator_.reports()[1].failure().cause(), v1::FAILURE_CAUSE_INTERNAL);
  EXPECT_THAT(coordinator_.reports()[1].failure().message(), HasSubstr("did not answer in time"));
}

TEST_F(AgentTest, TransfersAreRepeatedUntilTheCoordinatorIsBack) {
  coordinator_.FailNext("UploadWeights", 10, absl::UnavailableError("restarting"));
  StartAgent(SucceedWithWeights);
  coordinator_.Grant(Lease(1, 1));
  ASSERT_TRUE(coordinator_.WaitForReports(1));
  EXPECT_OK(Leave());
  EXPECT_THAT(coordinator_.uploads(), SizeIs(1));
}

TEST_F(AgentTest, WeightsThatAreNotWhatTheResultSaysAreNotUploaded) {
  StartAgent([](const TrialOrder& order, const StopEvent&, OnEpoch) {
    EXPECT_OK(WriteFileAtomically(order.input.weights_path(), "damaged"));
    v1::TrialResult result;
    result.set_weights_sha256(Sha256Hex("weights"));
    return Ended(result);
  });
  coordinator_.Grant(Lease(4, 17));
  ASSERT_TRUE(coordinator_.WaitForReports(1));
  EXPECT_OK(Leave());
  EXPECT_THAT(coordinator_.uploads(), IsEmpty());
  EXPECT_EQ(coordinator_.reports()[0].result().weights_sha256(), "");
}

TEST_F(AgentTest, ReportsAFailureWithItsCauseAndUseAndGoesOn) {
  StartAgent([this](const TrialOrder&, const StopEvent&, OnEpoch) {
    v1::Failure failure;
    failure.set_cause(v1::FAILURE_CAUSE_CRASHED);
    return runner_->runs() == 1 ? Ended(failure) : Ended(v1::TrialResult());
  });
  coordinator_.Grant(Lease(1, 1));
  coordinator_.Grant(Lease(2, 2));
  ASSERT_TRUE(coordinator_.WaitForReports(2));
  EXPECT_OK(Leave());
  const v1::ReportRequest report = coordinator_.reports()[0];
  EXPECT_EQ(report.failure().cause(), v1::FAILURE_CAUSE_CRASHED);
  EXPECT_EQ(Find(report.usage(), v1::METRIC_CPU_SECONDS)->value(), 50);
  EXPECT_TRUE(coordinator_.reports()[1].has_result());
  EXPECT_NE(report.request_id(), coordinator_.reports()[1].request_id());
}

TEST_F(AgentTest, ADataSetItDoesNotHaveIsATypedFailure) {
  StartAgent(Succeed);
  coordinator_.Grant(Lease(1, 1, "other"));
  ASSERT_TRUE(coordinator_.WaitForReports(1));
  EXPECT_OK(Leave());
  EXPECT_EQ(runner_->runs(), 0);
  const v1::Failure failure = coordinator_.reports()[0].failure();
  EXPECT_EQ(failure.cause(), v1::FAILURE_CAUSE_DATASET);
  EXPECT_EQ(failure.message(), "data set 'other' is not on this worker; it has: tiny");
}

TEST_F(AgentTest, LimitsOfTheJobGoBeforeTheWorkersOwn) {
  options_.trial_defaults = {
      .threads = 1, .memory_bytes = 1000, .wall_limit = absl::Hours(1), .most_threads = 4};
  std::atomic<int> checked{0};
  StartAgent([&checked](const TrialOrder& order, const StopEvent&, OnEpoch) {
    if (order.input.task().key().trial() == 1) {
      EXPECT_EQ(order.threads, 1);
      EXPECT_EQ(order.memory_bytes, 1000);
      EXPECT_EQ(order.wall_limit, absl::Hours(1));
    } else if (order.input.task().reproducible()) {
      EXPECT_EQ(order.threads, 64) << "with other threads its sums would come out otherwise";
      EXPECT_EQ(order.input.task().limits().threads(), 64);
    } else {
      EXPECT_EQ(order.threads, 4);  // asked for 64
      EXPECT_EQ(order.memory_bytes, 2000);
      EXPECT_EQ(order.wall_limit, absl::Seconds(5));
      EXPECT_EQ(order.input.task().limits().threads(), 4);
    }
    ++checked;
    return Ended(v1::TrialResult());
  });
  v1::AttemptLease lease = Lease(2, 2);
  lease.mutable_task()->mutable_limits()->set_threads(64);
  lease.mutable_task()->mutable_limits()->set_memory_bytes(2000);
  lease.mutable_task()->mutable_limits()->set_wall_seconds(5);
  coordinator_.Grant(Lease(1, 1));
  coordinator_.Grant(lease);
  v1::AttemptLease reproducible = lease;
  reproducible.mutable_task()->mutable_key()->set_trial(3);
  reproducible.mutable_task()->set_reproducible(true);
  reproducible.set_token(3);
  coordinator_.Grant(reproducible);
  ASSERT_TRUE(coordinator_.WaitForReports(3));
  EXPECT_OK(Leave());
  EXPECT_EQ(checked, 3);
}

TEST_F(AgentTest, AReportIsRepeatedUnchangedUntilAnsweredAndOnDiskMeanwhile) {
  coordinator_.FailNext("Report", -1, absl::UnavailableError("restarting"));
  StartAgent(SucceedWithWeights);
  coordinator_.Grant(Lease(1, 5));
  ASSERT_TRUE(coordinator_.WaitForCalls("Report", 20));
  ASSERT_THAT(outbox_->List(), SizeIs(1));
  const v1::ReportRequest stored = outbox_->List()[0];
  coordinator_.FailNext("Report", 0, absl::OkStatus());
  ASSERT_TRUE(coordinator_.WaitForReports(1));
  EXPECT_OK(Leave());
  v1::ReportRequest report = coordinator_.reports()[0];
  report.clear_next();  // is asked for anew by another start of the worker
  EXPECT_EQ(report.SerializeAsString(), stored.SerializeAsString());
  EXPECT_THAT(coordinator_.uploads(), SizeIs(1));  // weights once
  EXPECT_THAT(outbox_->List(), IsEmpty());
  for (const absl::Duration pause : pacer_.pauses()) EXPECT_LE(pause, absl::Seconds(10));
}

TEST_F(AgentTest, AStaleOutcomeIsDroppedAndTheWorkerGoesOn) {
  coordinator_.FailNext("Report", 1,
                        ErrorWithReason(absl::StatusCode::kFailedPrecondition,
                                        v1::ERROR_REASON_STALE_LEASE, "now attempt 2"));
  StartAgent(Succeed);
  coordinator_.Grant(Lease(1, 1));
  coordinator_.Grant(Lease(2, 2));
  ASSERT_TRUE(coordinator_.WaitForReports(1));
  EXPECT_OK(Leave());
  EXPECT_EQ(coordinator_.reports()[0].key().trial(), 2);
  EXPECT_THAT(outbox_->List(), IsEmpty());
}

TEST_F(AgentTest, AResultFoundInvalidIsReportedAsAFailure) {
  coordinator_.FailNext("Report", 1, absl::InvalidArgumentError("accuracy is nan"));
  StartAgent(Succeed);
  coordinator_.Grant(Lease(1, 1));
  ASSERT_TRUE(coordinator_.WaitForReports(1));
  EXPECT_OK(Leave());
  const v1::ReportRequest report = coordinator_.reports()[0];
  EXPECT_EQ(report.failure().cause(), v1::FAILURE_CAUSE_INTERNAL);
  EXPECT_THAT(report.failure().message(), HasSubstr("accuracy is nan"));
  EXPECT_EQ(report.usage_size(), 4);
}

TEST_F(AgentTest, HeartbeatsNameLeasesAndEachEpochUntilAnswered) {
  std::atomic<bool> running{false};
  coordinator_.FailNext("Heartbeat", 1, absl::UnavailableError("restarting"));
  StartAgent([&running](const TrialOrder&, const StopEvent& stop, OnEpoch on_epoch) {
    v1::EpochMetrics epoch;
    epoch.set_epoch(1);
    on_epoch(epoch);
    running = true;
    stop.Wait();
    return Ended(TrialStopped());
  });
  coordinator_.Grant(Lease(1, 1));
  ASSERT_TRUE(coordinator_.WaitUntil([&running] { return running.load(); }));
  for (int i = 1; i <= 3; ++i) {
    Beat();
    ASSERT_TRUE(coordinator_.WaitForCalls("Heartbeat", i));
  }
  EXPECT_OK(Leave());
  const std::vector<v1::HeartbeatRequest> answered = coordinator_.heartbeats();
  ASSERT_GE(answered.size(), 2);
  ASSERT_EQ(answered[0].leases_size(), 1);
  EXPECT_EQ(answered[0].incarnation(), "abc");
  EXPECT_EQ(answered[0].leases(0).token(), 1);
  EXPECT_EQ(answered[0].leases(0).epochs_size(), 1);
  ASSERT_EQ(answered[1].leases_size(), 1);
  EXPECT_EQ(answered[1].leases(0).epochs_size(), 0);
  EXPECT_EQ(answered.back().leases_size(), 0);  // the last, after giving back
}

TEST_F(AgentTest, AStoppedAttemptIsKilledAndReportsNothing) {
  StartAgent([](const TrialOrder& order, const StopEvent& stop, OnEpoch on_epoch) {
    return order.input.task().key().trial() == 1 ? RunUntilStopped(order, stop, on_epoch)
                                                 : Ended(v1::TrialResult());
  });
  coordinator_.Grant(Lease(1, 1));
  ASSERT_TRUE(BeatUntilLeases(1));
  coordinator_.Direct(Stop(1));
  Beat();
  coordinator_.Grant(Lease(2, 2));
  ASSERT_TRUE(coordinator_.WaitForReports(1));
  EXPECT_OK(Leave());
  EXPECT_EQ(coordinator_.reports()[0].key().trial(), 2);
  EXPECT_THAT(coordinator_.give_backs(), IsEmpty());
}

TEST_F(AgentTest, AnOutcomeWhoseLeaseIsTakenAwayWhileReportingIsDropped) {
  coordinator_.FailNext("Report", -1, absl::UnavailableError("cut off"));
  StartAgent(Succeed);
  coordinator_.Grant(Lease(1, 1));
  ASSERT_TRUE(coordinator_.WaitForCalls("Report", 1));
  coordinator_.Direct(Stop(1));
  Beat();
  coordinator_.Grant(Lease(2, 2));  // taken only once the first is settled
  ASSERT_TRUE(coordinator_.WaitUntil([this] { return runner_->runs() == 2; }));
  coordinator_.FailNext("Report", 0, absl::OkStatus());
  ASSERT_TRUE(coordinator_.WaitForReports(1));
  EXPECT_OK(Leave());
  EXPECT_EQ(coordinator_.reports()[0].key().trial(), 2);
}

TEST_F(AgentTest, ALeaseBroughtByAHeartbeatRunsOnce) {
  StartAgent(Succeed);
  ASSERT_TRUE(coordinator_.WaitForCalls("Lease", 1));
  coordinator_.Direct(Start(Lease(1, 1)));
  Beat();
  ASSERT_TRUE(coordinator_.WaitForReports(1));
  coordinator_.Grant(Lease(1, 1));  // the late answer
  coordinator_.Direct(Start(Lease(1, 1)));
  Beat();
  coordinator_.Grant(Lease(2, 2));
  ASSERT_TRUE(coordinator_.WaitForReports(2));
  EXPECT_OK(Leave());
  EXPECT_EQ(runner_->runs(), 2);
}

TEST_F(AgentTest, RunsAsManyTrialsAsItHasSlots) {
  options_.slots = 2;
  StartAgent(RunUntilStopped);
  for (int i = 1; i <= 4; ++i) coordinator_.Grant(Lease(i, i));
  ASSERT_TRUE(BeatUntilLeases(2));
  ASSERT_TRUE(BeatUntilLeases(2));
  EXPECT_EQ(coordinator_.lease_requests().size(), 2);
  EXPECT_OK(Leave());
}

// Leaves a checkpoint behind, as a trial process does.
std::string LeaveCheckpoint(const TrialOrder& order) {
  EXPECT_OK(WriteFileAtomically(order.input.checkpoint_path(), "state"));
  return order.input.checkpoint_path();
}

TEST_F(AgentTest, ACheckpointStaysForATrialThatIsGivenBack) {
  options_.picks_path = "the picks";
  std::string path;
  StartAgent([&path](const TrialOrder& order, const StopEvent& stop, OnEpoch on_epoch) {
    EXPECT_EQ(order.input.picks_path(), "the picks");
    path = LeaveCheckpoint(order);
    return RunUntilStopped(order, stop, on_epoch);
  });
  coordinator_.Grant(Lease(1, 1));
  ASSERT_TRUE(BeatUntilLeases(1));
  ASSERT_TRUE(coordinator_.WaitUntil([this] { return runner_->runs() == 1; }));
  EXPECT_OK(Leave());
  EXPECT_OK(ReadFile(path));
}

TEST_F(AgentTest, ACheckpointGoesWithItsResultAndStaysForWhatIsTriedAgain) {
  std::string paths[4];
  StartAgent([&paths](const TrialOrder& order, const StopEvent&, OnEpoch) {
    const int64_t trial = order.input.task().key().trial();
    paths[trial] = LeaveCheckpoint(order);
    if (trial == 1) return Ended(v1::TrialResult());
    v1::Failure failure;
    failure.set_cause(trial == 2 ? v1::FAILURE_CAUSE_CRASHED : v1::FAILURE_CAUSE_DIVERGED);
    return Ended(failure);
  });
  for (const int64_t trial : {1, 2, 3}) coordinator_.Grant(Lease(trial, trial));
  ASSERT_TRUE(coordinator_.WaitForReports(3));
  EXPECT_OK(Leave());
  EXPECT_THAT(ReadFile(paths[1]), StatusIs(absl::StatusCode::kNotFound, HasSubstr("trial1")));
  EXPECT_OK(ReadFile(paths[2]));
  EXPECT_THAT(ReadFile(paths[3]), StatusIs(absl::StatusCode::kNotFound, HasSubstr("trial3")));
}

TEST_F(AgentTest, EachSlotHasItsCpusUnlessATrialNeedsMore) {
  options_.slots = 2;
  options_.slot_cpus = {{4, 5}, {6, 7}};
  options_.trial_defaults.threads = 2;
  options_.trial_defaults.most_threads = 4;
  Mutex mutex;
  std::multiset<std::vector<int>> seen;
  const auto note = [&](const TrialOrder& order) {
    MutexLock lock(&mutex);
    seen.insert(order.cpus);
  };
  StartAgent([&](const TrialOrder& order, const StopEvent& stop, OnEpoch on_epoch) {
    note(order);
    return RunUntilStopped(order, stop, on_epoch);
  });
  coordinator_.Grant(Lease(1, 1));
  v1::AttemptLease wide = Lease(2, 2);
  ASSERT_TRUE(coordinator_.WaitUntil([this] { return runner_->runs() == 1; }));
  wide.mutable_task()->mutable_limits()->set_threads(3);
  coordinator_.Grant(wide);
  ASSERT_TRUE(coordinator_.WaitUntil([this] { return runner_->runs() == 2; }));
  EXPECT_OK(Leave());
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(seen.count({}), 1u);
  EXPECT_EQ(seen.count({4, 5}) + seen.count({6, 7}), 1u);
}

}  // namespace
}  // namespace frontier::worker
