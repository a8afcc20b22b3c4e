// An agent between a scripted runner and a coordinator played by the test.
#ifndef FRONTIER_TESTS_UNIT_WORKER_AGENT_AGENT_FIXTURE_H_
#define FRONTIER_TESTS_UNIT_WORKER_AGENT_AGENT_FIXTURE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "common/base/file.h"
#include "common/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_coordinator.h"
#include "tests/support/fake_pacer.h"
#include "tests/support/idx_files.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "worker/agent/agent.h"

namespace frontier::worker {

using ::testing::SizeIs;

inline constexpr absl::Duration kHeartbeat =
    absl::Milliseconds(frontier::testing::FakeCoordinator::kHeartbeatMs);
inline constexpr absl::Duration kShutdown = absl::Seconds(123);

using OnEpoch = absl::FunctionRef<void(const v1::EpochMetrics&)>;

// Runs what the test gives it, on the agent's slot threads.
class ScriptedRunner final : public TrialRunner {
 public:
  using Script = std::function<TrialEnd(const TrialOrder&, const StopEvent&, OnEpoch)>;

  explicit ScriptedRunner(Script script) : script_(std::move(script)) {}
  TrialEnd Run(const TrialOrder& order, const StopEvent& stop, OnEpoch on_epoch) override {
    ++runs_;
    return script_(order, stop, on_epoch);
  }
  int runs() const { return runs_; }

 private:
  const Script script_;
  std::atomic<int> runs_{0};
};

inline TrialEnd Ended(decltype(TrialEnd::outcome) outcome) {
  TrialEnd end;
  end.outcome = std::move(outcome);
  end.cpu = absl::Seconds(50);
  end.wall = absl::Seconds(100);
  return end;
}

// Leaves weights behind, as a trial process does.
inline TrialEnd SucceedWithWeights(const TrialOrder& order, const StopEvent&, OnEpoch) {
  v1::TrialResult result;
  EXPECT_OK(WriteFileAtomically(order.input.weights_path(), "weights"));
  result.set_weights_sha256(Sha256Hex("weights"));
  return Ended(result);
}
inline TrialEnd Succeed(const TrialOrder&, const StopEvent&, OnEpoch) {
  return Ended(v1::TrialResult());
}
inline TrialEnd RunUntilStopped(const TrialOrder&, const StopEvent& stop, OnEpoch on_epoch) {
  v1::EpochMetrics epoch;
  epoch.set_epoch(1);
  on_epoch(epoch);
  stop.Wait();
  return Ended(TrialStopped());
}

inline v1::AttemptLease Lease(int64_t trial, int64_t token, const std::string& dataset = "tiny") {
  v1::AttemptLease lease;
  lease.mutable_task()->mutable_key()->set_job_id(1);
  lease.mutable_task()->mutable_key()->set_trial(trial);
  lease.mutable_task()->mutable_key()->set_attempt(1);
  lease.mutable_task()->mutable_dataset()->set_name(dataset);
  lease.set_token(token);
  return lease;
}

inline v1::Directive Start(const v1::AttemptLease& lease) {
  v1::Directive directive;
  *directive.mutable_key() = lease.task().key();
  directive.set_token(lease.token());
  directive.set_action(v1::ACTION_START);
  *directive.mutable_lease() = lease;
  return directive;
}

inline v1::Directive Stop(int64_t token) {
  v1::Directive directive;
  directive.set_token(token);
  directive.set_action(v1::ACTION_STOP);
  directive.set_reason("the job was cancelled");
  return directive;
}

inline const v1::Measurement* Find(const google::protobuf::RepeatedPtrField<v1::Measurement>& all,
                                   v1::Metric metric) {
  for (const v1::Measurement& measurement : all) {
    if (measurement.metric() == metric) return &measurement;
  }
  return nullptr;
}

class AgentTest : public ::testing::Test {
 protected:
  AgentTest() {
    dataset_.Write("train-images-idx3-ubyte", frontier::testing::IdxBytes({2, 1, 1}, {1, 2}));
    dataset_.Write("train-labels-idx1-ubyte", frontier::testing::IdxBytes({2}, {0, 1}));
    dataset_.Write("t10k-images-idx3-ubyte", frontier::testing::IdxBytes({2, 1, 1}, {1, 2}));
    dataset_.Write("t10k-labels-idx1-ubyte", frontier::testing::IdxBytes({2}, {0, 1}));
    options_.worker_id = "gateway-1";
    options_.incarnation = "abc";
    options_.hardware.set_hardware_class("class-a");
    options_.shutdown_timeout = kShutdown;
    outbox_ = *Outbox::Open(state_.path() + "/outbox");
    checkpoints_ = *CheckpointFolder::Open(state_.path() + "/checkpoints", {}, &clock_);
    parents_ = *ParentFolder::Open(state_.path() + "/parents");
  }
  ~AgentTest() override {
    if (thread_.joinable()) Leave().IgnoreError();
  }

  void StartAgent(ScriptedRunner::Script script) {
    absl::StatusOr<DatasetCatalog> catalog =
        DatasetCatalog::Create({.datasets = {"tiny=" + dataset_.path()}, .root = ""});
    ASSERT_OK(catalog);
    catalog_ = *std::move(catalog);
    energy_ = *EnergyModel::Create({});
    runner_ = std::make_unique<ScriptedRunner>(std::move(script));
    agent_ = std::make_unique<Agent>(
        options_,
        AgentDependencies{&client_, &lease_client_, runner_.get(), &*catalog_, &*energy_,
                          outbox_.get(), checkpoints_.get(), parents_.get(), &clock_, &pacer_});
    thread_ = std::thread([this] { result_ = agent_->Run(); });
  }
  // Without being told to leave.
  absl::Status Join() {
    thread_.join();
    return result_;
  }
  absl::Status Leave() {
    agent_->Shutdown();
    return Join();
  }
  void Beat() { pacer_.Release(kHeartbeat); }
  // Beats until a heartbeat names `count` leases.
  bool BeatUntilLeases(size_t count) {
    for (int i = 0; i < 1000; ++i) {
      const size_t before = coordinator_.heartbeats().size();
      Beat();
      if (!coordinator_.WaitForCalls("Heartbeat", static_cast<int>(before) + 1)) return false;
      const auto beats = coordinator_.heartbeats();
      if (!beats.empty() && static_cast<size_t>(beats.back().leases_size()) == count) return true;
    }
    return false;
  }

  frontier::testing::IdxFolder dataset_;
  frontier::testing::TempFolder state_;
  frontier::testing::FakeClock clock_;
  frontier::testing::FakePacer pacer_{&clock_, {kHeartbeat, kShutdown}};
  frontier::testing::FakeCoordinator coordinator_;
  frontier::testing::FakeWorkerClient client_{&coordinator_};
  frontier::testing::FakeWorkerClient lease_client_{&coordinator_};
  AgentOptions options_;
  std::optional<DatasetCatalog> catalog_;
  std::optional<EnergyModel> energy_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<CheckpointFolder> checkpoints_;
  std::unique_ptr<ParentFolder> parents_;
  std::unique_ptr<ScriptedRunner> runner_;
  std::unique_ptr<Agent> agent_;
  std::thread thread_;
  absl::Status result_;
};

}  // namespace frontier::worker

#endif  // FRONTIER_TESTS_UNIT_WORKER_AGENT_AGENT_FIXTURE_H_
