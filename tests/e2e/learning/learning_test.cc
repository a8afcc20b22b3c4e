// A fixed small network learns Fashion-MNIST, and does so again bit for bit.
#include <string>

#include "common/architecture/reference.h"
#include "gtest/gtest.h"
#include "tests/support/fashion_trial.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "worker/trial/evaluate.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::FashionShape;
using ::frontier::testing::FashionTrial;
using ::frontier::testing::kFashionFolder;
using ::frontier::testing::MetricOf;
using ::frontier::testing::RunPrinting;

v1::TrialProcessInput SmallCnn(const std::string& weights_path) {
  v1::TrialProcessInput input =
      FashionTrial(ReferenceArchitecture("small-cnn", FashionShape(), 10).value(), /*epochs=*/3,
                   /*learning_rate=*/0.1, weights_path);
  input.mutable_task()->mutable_limits()->set_threads(2);
  return input;
}

class LearningTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!frontier::testing::HasFashion()) {
      GTEST_SKIP() << "dataset-fashion-mnist is not installed";
    }
  }
};

TEST_F(LearningTest, SmallCnnReachesItsTestAccuracy) {
  const frontier::testing::TempFolder temp;
  const std::string path = temp.File("model");
  const v1::TrialProcessInput input = SmallCnn(path);
  const v1::TrialProcessUpdate end = RunPrinting(input);
  ASSERT_TRUE(end.has_result()) << end.ShortDebugString();
  const v1::TrialResult& result = end.result();
  ASSERT_OK_AND_ASSIGN(
      const Evaluation test,
      EvaluateModel(path, kFashionFolder, input.task().dataset(), EvaluationPart::kTest,
                    /*threads=*/2));
  printf("test accuracy %.4f, loss %.4f; latency %.3f ms\n", test.accuracy, test.loss,
         MetricOf(result, v1::METRIC_LATENCY_MS));
  EXPECT_EQ(test.samples, 10000);
  EXPECT_GE(test.accuracy, 0.89);
  // The file gives the reported figures again, exactly.
  ASSERT_OK_AND_ASSIGN(const Evaluation validation,
                       EvaluateModel(path, kFashionFolder, input.task().dataset(),
                                     EvaluationPart::kValidation, /*threads=*/2));
  EXPECT_EQ(validation.accuracy, MetricOf(result, v1::METRIC_ACCURACY));
  EXPECT_EQ(validation.loss, MetricOf(result, v1::METRIC_LOSS));
}

TEST_F(LearningTest, SameSeedGivesTheSameWeights) {
  const frontier::testing::TempFolder temp;
  const std::string path = temp.File("model");
  v1::TrialProcessInput input = SmallCnn(path);
  input.mutable_task()->set_reproducible(true);
  input.mutable_task()->mutable_dataset()->set_train_samples(6000);
  input.mutable_task()->mutable_dataset()->set_validation_samples(1000);
  std::string digests[2];
  for (std::string& digest : digests) {
    const v1::TrialProcessUpdate end = RunPrinting(input);
    ASSERT_TRUE(end.has_result()) << end.ShortDebugString();
    digest = end.result().weights_sha256();
  }
  EXPECT_EQ(digests[0], digests[1]);
  input.mutable_task()->set_seed(2);
  const v1::TrialProcessUpdate other = RunPrinting(input);
  ASSERT_TRUE(other.has_result()) << other.ShortDebugString();
  EXPECT_NE(other.result().weights_sha256(), digests[0]);
}

}  // namespace
}  // namespace frontier::worker
