// A fixed small network learns Fashion-MNIST, and does so again bit for bit.
#include <algorithm>
#include <filesystem>
#include <string>

#include "common/architecture/reference.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "worker/trial/evaluate.h"
#include "worker/trial/trial_process.h"

namespace frontier::worker {
namespace {

constexpr char kFolder[] = "/usr/share/datasets/fashion-mnist";

v1::TrialProcessInput SmallCnn(const std::string& weights_path) {
  v1::Shape shape;
  shape.set_channels(1);
  shape.set_height(28);
  shape.set_width(28);
  v1::TrialProcessInput input;
  input.set_dataset_path(kFolder);
  input.set_weights_path(weights_path);
  input.set_hardware_class("test");
  v1::TrialTask* task = input.mutable_task();
  *task->mutable_architecture() = ReferenceArchitecture("small-cnn", shape, 10).value();
  task->mutable_dataset()->set_name("fashion-mnist");
  task->mutable_training()->set_epochs(3);
  task->mutable_training()->set_batch_size(64);
  task->mutable_training()->set_learning_rate(0.1);
  task->mutable_training()->set_momentum(0.9);
  task->mutable_training()->set_weight_decay(5e-4);
  task->mutable_training()->set_warmup_epochs(0.5);
  task->mutable_training()->set_horizontal_flip(true);
  task->mutable_limits()->set_threads(2);
  task->set_seed(1);
  return input;
}

// The last update of a run; prints the epochs.
v1::TrialProcessUpdate TrainWith(const v1::TrialProcessInput& input) {
  SystemClock clock;
  v1::TrialProcessUpdate last;
  RunTrial(input, &clock, [&last](const v1::TrialProcessUpdate& update) {
    if (update.has_epoch()) printf("%s\n", update.epoch().ShortDebugString().c_str());
    last = update;
  });
  return last;
}

double Value(const v1::TrialResult& result, v1::Metric metric) {
  for (const v1::Measurement& m : result.measurements()) {
    if (m.metric() == metric) return m.value();
  }
  ADD_FAILURE() << "no " << v1::Metric_Name(metric);
  return 0;
}

class LearningTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kFolder)) {
      GTEST_SKIP() << "dataset-fashion-mnist is not installed";
    }
  }
};

TEST_F(LearningTest, SmallCnnReachesItsTestAccuracy) {
  const std::string path = ::testing::TempDir() + "frontier-learning.model";
  const v1::TrialProcessInput input = SmallCnn(path);
  const v1::TrialProcessUpdate end = TrainWith(input);
  ASSERT_TRUE(end.has_result()) << end.ShortDebugString();
  const v1::TrialResult& result = end.result();
  ASSERT_OK_AND_ASSIGN(const Evaluation test,
                       EvaluateModel(path, kFolder, input.task().dataset(), EvaluationPart::kTest,
                                     /*threads=*/2));
  printf("test accuracy %.4f, loss %.4f; latency %.3f ms\n", test.accuracy, test.loss,
         Value(result, v1::METRIC_LATENCY_MS));
  EXPECT_EQ(test.samples, 10000);
  EXPECT_GE(test.accuracy, 0.89);
  // The file gives the reported figures again, exactly.
  ASSERT_OK_AND_ASSIGN(const Evaluation validation,
                       EvaluateModel(path, kFolder, input.task().dataset(),
                                     EvaluationPart::kValidation, /*threads=*/2));
  EXPECT_EQ(validation.accuracy, Value(result, v1::METRIC_ACCURACY));
  EXPECT_EQ(validation.loss, Value(result, v1::METRIC_LOSS));
}

TEST_F(LearningTest, SameSeedGivesTheSameWeights) {
  const std::string path = ::testing::TempDir() + "frontier-learning-repeat.model";
  v1::TrialProcessInput input = SmallCnn(path);
  input.mutable_task()->set_reproducible(true);
  input.mutable_task()->mutable_dataset()->set_train_samples(6000);
  input.mutable_task()->mutable_dataset()->set_validation_samples(1000);
  std::string digests[2];
  for (std::string& digest : digests) {
    const v1::TrialProcessUpdate end = TrainWith(input);
    ASSERT_TRUE(end.has_result()) << end.ShortDebugString();
    digest = end.result().weights_sha256();
  }
  EXPECT_EQ(digests[0], digests[1]);
  input.mutable_task()->set_seed(2);
  const v1::TrialProcessUpdate other = TrainWith(input);
  ASSERT_TRUE(other.has_result()) << other.ShortDebugString();
  EXPECT_NE(other.result().weights_sha256(), digests[0]);
}

}  // namespace
}  // namespace frontier::worker
