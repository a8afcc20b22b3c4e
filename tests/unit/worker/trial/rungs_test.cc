// Trials that pause, go on, are scored only, or end themselves.
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/trial/trial_cases.h"
#include "worker/trial/checkpoint.h"
#include "worker/trial/trial_process.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::IdxFolder;
using ::testing::HasSubstr;

class RungsTest : public ::testing::Test {
 protected:
  RungsTest() {
    WriteStripes(folder_);
    input_ = StripesTask(folder_);
    input_.set_weights_path(folder_.File("kept"));
    task()->mutable_training()->set_epochs(4);
  }

  v1::TrialTask* task() { return input_.mutable_task(); }

  std::vector<v1::TrialProcessUpdate> Run() {
    SystemClock clock;
    std::vector<v1::TrialProcessUpdate> updates;
    RunTrial(input_, &clock,
             [&updates](const v1::TrialProcessUpdate& update) { updates.push_back(update); });
    return updates;
  }

  // Pauses after `epochs`; the bytes of the checkpoint.
  std::string PauseAfter(int epochs) {
    task()->set_until_epoch(epochs);
    const v1::TrialResult result = Run().back().result();
    EXPECT_EQ(result.epochs_size(), epochs);
    EXPECT_TRUE(result.weights_sha256().empty());
    const std::string bytes = ReadFile(input_.weights_path()).value();
    EXPECT_EQ(result.checkpoint_sha256(), Sha256Hex(bytes));
    task()->set_checkpoint_sha256(result.checkpoint_sha256());
    input_.set_checkpoint_path(folder_.File("checkpoint"));
    EXPECT_OK(WriteFileAtomically(input_.checkpoint_path(), bytes));
    return bytes;
  }

  static const v1::Measurement* Find(const v1::TrialResult& result, v1::Metric metric) {
    for (const v1::Measurement& m : result.measurements()) {
      if (m.metric() == metric) return &m;
    }
    return nullptr;
  }

  IdxFolder folder_;
  v1::TrialProcessInput input_;
};

TEST_F(RungsTest, InTwoPausesItComesToTheSameWeights) {
  const v1::TrialResult whole = Run().back().result();
  PauseAfter(1);
  PauseAfter(3);
  task()->set_until_epoch(0);
  const std::vector<v1::TrialProcessUpdate> updates = Run();
  EXPECT_EQ(updates.size(), 2u) << "one epoch and the result";
  const v1::TrialResult& result = updates.back().result();
  EXPECT_EQ(result.weights_sha256(), whole.weights_sha256());
  EXPECT_EQ(result.epochs_size(), 4);
  EXPECT_TRUE(result.engine().trained_elsewhere().empty());
}

TEST_F(RungsTest, APauseHasTheFiguresOfItsEpoch) {
  task()->set_until_epoch(2);
  const v1::TrialResult result = Run().back().result();
  ASSERT_NE(Find(result, v1::METRIC_ACCURACY), nullptr);
  EXPECT_EQ(Find(result, v1::METRIC_ACCURACY)->value(), result.epochs(1).validation_accuracy());
  EXPECT_NE(Find(result, v1::METRIC_LATENCY_MS), nullptr);
  EXPECT_TRUE(result.precisions().empty());
}

TEST_F(RungsTest, GoesOnWhereAnotherMachineLeftOff) {
  v1::Checkpoint checkpoint;
  ASSERT_TRUE(checkpoint.ParseFromString(PauseAfter(2)));
  checkpoint.set_hardware_class("another");
  checkpoint.set_threads(7);
  v1::Pick* pick = checkpoint.add_picks();
  pick->set_key("what only that machine has");
  pick->set_choice("magic");
  ASSERT_OK(WriteCheckpoint(input_.checkpoint_path(), checkpoint));
  task()->set_until_epoch(0);
  const std::vector<v1::TrialProcessUpdate> updates = Run();
  EXPECT_EQ(updates.size(), 3u) << "two epochs and the result";
  EXPECT_EQ(updates.back().result().engine().trained_elsewhere(), "another");
  EXPECT_EQ(updates.back().result().epochs_size(), 4);
  // One that nobody sent is of no use there.
  ASSERT_OK(WriteCheckpoint(input_.checkpoint_path(), checkpoint));
  task()->clear_checkpoint_sha256();
  EXPECT_EQ(Run().size(), 5u);
}

TEST_F(RungsTest, WithoutItsCheckpointItBeginsAnew) {
  const v1::TrialResult whole = Run().back().result();
  task()->set_checkpoint_sha256(Sha256Hex("gone"));
  input_.set_checkpoint_path(folder_.File("nothing"));
  EXPECT_EQ(Run().back().result().weights_sha256(), whole.weights_sha256());
}

TEST_F(RungsTest, EndsItselfByItsRule) {
  task()->mutable_stop_rule()->add_least_accuracy(0);
  task()->mutable_stop_rule()->add_least_accuracy(1.1);
  const v1::TrialResult stopped = Run().back().result();
  EXPECT_EQ(stopped.epochs_size(), 2);
  EXPECT_EQ(stopped.early_stop().cause(), v1::STOP_CAUSE_MEDIAN);
  EXPECT_FALSE(stopped.weights_sha256().empty());
  EXPECT_TRUE(stopped.checkpoint_sha256().empty());
  // The same training, as it is asked for to be run again.
  task()->mutable_stop_rule()->set_least_accuracy(1, 2);
  EXPECT_EQ(Run().back().result().weights_sha256(), stopped.weights_sha256());
}

TEST_F(RungsTest, KilledWhileItIsMeasuredAfterItsStopItStopsThereAgain) {
  input_.set_checkpoint_path(folder_.File("checkpoint"));
  task()->mutable_stop_rule()->add_least_accuracy(0);
  task()->mutable_stop_rule()->add_least_accuracy(1.1);
  const v1::TrialResult stopped = Run().back().result();
  ASSERT_EQ(stopped.epochs_size(), 2);
  // What a process that died then would have left is still there.
  ASSERT_OK_AND_ASSIGN(const v1::Checkpoint left, ReadCheckpoint(input_.checkpoint_path()));
  EXPECT_EQ(left.epochs_size(), 1);
  const std::vector<v1::TrialProcessUpdate> updates = Run();
  EXPECT_EQ(updates.size(), 2u) << "one epoch and the result";
  const v1::TrialResult& again = updates.back().result();
  EXPECT_EQ(again.epochs_size(), 2);
  EXPECT_EQ(again.early_stop().cause(), v1::STOP_CAUSE_MEDIAN);
  EXPECT_EQ(again.weights_sha256(), stopped.weights_sha256());
}

TEST_F(RungsTest, IsScoredWithoutTraining) {
  for (const v1::Proxy proxy : {v1::PROXY_NASWOT, v1::PROXY_SYNFLOW, v1::PROXY_GRADIENT_NORM}) {
    task()->set_proxy(proxy);
    const std::vector<v1::TrialProcessUpdate> updates = Run();
    ASSERT_EQ(updates.size(), 1u);
    const v1::TrialResult& result = updates.back().result();
    EXPECT_TRUE(result.epochs().empty());
    ASSERT_NE(Find(result, v1::METRIC_PROXY), nullptr) << updates.back().ShortDebugString();
    EXPECT_NE(Find(result, v1::METRIC_LATENCY_MS), nullptr);
    EXPECT_NE(Find(result, v1::METRIC_PARAMETERS), nullptr);
    EXPECT_EQ(Find(result, v1::METRIC_ACCURACY), nullptr);
  }
}

}  // namespace
}  // namespace frontier::worker
