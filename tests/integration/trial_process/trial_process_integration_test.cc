// `frontier-worker run-trial` under the runner of the daemon: real training, real limits.
#include <vector>

#include "common/base/file.h"
#include "tests/support/idx_files.h"
#include "tests/support/status_matchers.h"
#include "worker/agent/trial_process_runner.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::IdxBytes;
using ::frontier::testing::IdxFolder;
using ::testing::HasSubstr;

constexpr int kSide = 8;
constexpr uint32_t kSamples = 256;

// Two classes told apart by which half of the image is bright.
class TrialProcessIntegrationTest : public ::testing::Test {
 protected:
  TrialProcessIntegrationTest() {
    for (const char* part : {"train", "t10k"}) {
      std::vector<uint8_t> images, labels;
      for (uint32_t i = 0; i < kSamples; ++i) {
        labels.push_back(i % 2);
        for (int p = 0; p < kSide * kSide; ++p) {
          images.push_back((p % kSide < kSide / 2) == (i % 2 == 0) ? 200 + i % 50 : i % 50);
        }
      }
      dataset_.Write(std::string(part) + "-images-idx3-ubyte",
                     IdxBytes({kSamples, kSide, kSide}, images));
      dataset_.Write(std::string(part) + "-labels-idx1-ubyte", IdxBytes({kSamples}, labels));
    }
    v1::TrialTask* task = order_.input.mutable_task();
    task->mutable_key()->set_job_id(1);
    task->mutable_key()->set_trial(1);
    task->mutable_key()->set_attempt(1);
    task->mutable_dataset()->set_name("halves");
    task->mutable_training()->set_epochs(3);
    task->mutable_training()->set_batch_size(32);
    task->mutable_training()->set_learning_rate(0.1);
    task->mutable_training()->set_momentum(0.9);
    task->mutable_limits()->set_threads(1);
    v1::Architecture* net = task->mutable_architecture();
    net->mutable_input()->set_channels(1);
    net->mutable_input()->set_height(kSide);
    net->mutable_input()->set_width(kSide);
    net->set_classes(2);
    net->add_nodes()->set_op(v1::OPERATOR_INPUT);
    v1::Node* linear = net->add_nodes();
    linear->set_op(v1::OPERATOR_LINEAR);
    linear->add_inputs(0);
    linear->mutable_linear()->set_out_features(2);
    linear->mutable_linear()->set_bias(true);
    order_.input.set_dataset_path(dataset_.path());
    order_.input.set_weights_path(dataset_.File("weights.model"));
    order_.wall_limit = absl::Minutes(2);
  }

  TrialEnd Run() {
    TrialProcessRunnerOptions options;
    options.program = FRONTIER_WORKER;
    StopEvent stop;
    return NewTrialProcessRunner(options, &clock_)
        ->Run(order_, stop, [&](const v1::EpochMetrics& epoch) {
          epochs_.push_back(epoch.epoch());
          if (epoch.epoch() == kill_at_epoch_) stop.Raise();
        });
  }

  IdxFolder dataset_;
  SystemClock clock_;
  int kill_at_epoch_ = 0;
  TrialOrder order_;
  std::vector<int> epochs_;
};

TEST_F(TrialProcessIntegrationTest, TrainsAndLeavesItsWeights) {
  const TrialEnd end = Run();
  const auto* result = std::get_if<v1::TrialResult>(&end.outcome);
  ASSERT_NE(result, nullptr) << std::get<v1::Failure>(end.outcome).message();
  EXPECT_THAT(epochs_, ::testing::ElementsAre(1, 2, 3));
  double accuracy = -1;
  for (const v1::Measurement& measurement : result->measurements()) {
    if (measurement.metric() == v1::METRIC_ACCURACY) accuracy = measurement.value();
  }
  EXPECT_GT(accuracy, 0.95);
  EXPECT_EQ(result->engine().threads(), 1);
  EXPECT_OK(ReadFile(dataset_.File("weights.model")));
  EXPECT_GT(end.cpu, absl::ZeroDuration());
}

TEST_F(TrialProcessIntegrationTest, AKilledTrialGoesOnFromItsCheckpointToTheSameWeights) {
  constexpr int kEpochs = 40;  // so that the kill comes before the end
  order_.input.mutable_task()->mutable_training()->set_epochs(kEpochs);
  order_.input.mutable_task()->set_reproducible(true);
  const TrialEnd whole = Run();
  ASSERT_TRUE(std::holds_alternative<v1::TrialResult>(whole.outcome));
  epochs_.clear();

  order_.input.set_checkpoint_path(dataset_.File("checkpoint"));
  kill_at_epoch_ = 1;
  EXPECT_TRUE(std::holds_alternative<TrialStopped>(Run().outcome));
  EXPECT_THAT(epochs_, ::testing::Contains(1));
  ASSERT_OK(ReadFile(dataset_.File("checkpoint")));

  kill_at_epoch_ = 0;
  epochs_.clear();
  const TrialEnd resumed = Run();
  const auto* result = std::get_if<v1::TrialResult>(&resumed.outcome);
  ASSERT_NE(result, nullptr) << std::get<v1::Failure>(resumed.outcome).message();
  EXPECT_THAT(epochs_, ::testing::Not(::testing::Contains(1)));
  EXPECT_EQ(result->epochs_size(), kEpochs);
  EXPECT_EQ(result->weights_sha256(), std::get<v1::TrialResult>(whole.outcome).weights_sha256());
}

TEST_F(TrialProcessIntegrationTest, ANetworkWithoutMemoryIsATypedFailure) {
  order_.memory_bytes = int64_t{20} << 20;
  const TrialEnd end = Run();
  const auto* failure = std::get_if<v1::Failure>(&end.outcome);
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->cause(), v1::FAILURE_CAUSE_OUT_OF_MEMORY) << failure->message();
}

TEST_F(TrialProcessIntegrationTest, ADataSetThatIsGoneIsATypedFailure) {
  order_.input.set_dataset_path("/nowhere");
  const TrialEnd end = Run();
  const auto* failure = std::get_if<v1::Failure>(&end.outcome);
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->cause(), v1::FAILURE_CAUSE_DATASET) << failure->message();
  EXPECT_THAT(failure->message(), HasSubstr("nowhere"));
}

}  // namespace
}  // namespace frontier::worker
