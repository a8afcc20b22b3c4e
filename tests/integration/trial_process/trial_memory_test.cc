// Memory of real trials: foretold, and kept to.
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/architecture/reference.h"
#include "common/base/random.h"
#include "tests/support/idx_files.h"
#include "tests/support/status_matchers.h"
#include "worker/agent/trial_process_runner.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::IdxBytes;
using ::frontier::testing::IdxFolder;
using ::testing::HasSubstr;

constexpr int kSamples = 640;
constexpr int kSide = 28;
constexpr int kClasses = 10;

struct Case {
  std::string network;
  int batch = 0;
  bool reproducible = true;  // if not, plans are made to be timed first
  bool heavy = false;
  bool keeps_more = false;  // AdamW's second moments and an average of the weights
};

class TrialMemoryTest : public ::testing::TestWithParam<Case> {
 protected:
  TrialMemoryTest() {
    Rng rng(5);
    std::vector<uint8_t> images, labels;
    for (int i = 0; i < kSamples; ++i) labels.push_back(static_cast<uint8_t>(i % kClasses));
    for (int i = 0; i < kSamples * kSide * kSide; ++i) {
      images.push_back(static_cast<uint8_t>(rng.Uniform(256)));
    }
    dataset_.Write("train-images-idx3-ubyte", IdxBytes({kSamples, kSide, kSide}, images));
    dataset_.Write("train-labels-idx1-ubyte", IdxBytes({kSamples}, labels));
    v1::Shape shape;
    shape.set_channels(1);
    shape.set_height(kSide);
    shape.set_width(kSide);
    v1::TrialTask* task = order_.input.mutable_task();
    *task->mutable_architecture() =
        ReferenceArchitecture(GetParam().network, shape, kClasses).value();
    task->mutable_dataset()->set_name("noise");
    task->mutable_dataset()->set_validation_samples(64);
    task->mutable_training()->set_epochs(2);
    task->mutable_training()->set_batch_size(GetParam().batch);
    task->mutable_training()->set_learning_rate(0.001);
    task->mutable_limits()->set_threads(1);
    // Two steps are enough for networks that take long for one.
    if (GetParam().heavy) task->mutable_dataset()->set_train_samples(2 * GetParam().batch);
    task->set_reproducible(GetParam().reproducible);
    if (GetParam().keeps_more) {
      task->mutable_training()->set_optimizer(v1::OPTIMIZER_ADAMW);
      task->mutable_training()->set_average_decay(0.99);
    }
    order_.input.set_dataset_path(dataset_.path());
    order_.input.set_weights_path(dataset_.File("weights"));
    order_.input.set_checkpoint_path(dataset_.File("checkpoint"));
    order_.wall_limit = absl::Minutes(4);
  }

  TrialEnd Run() {
    TrialProcessRunnerOptions options;
    options.program = FRONTIER_WORKER;
    return NewTrialProcessRunner(options, &clock_)->Run(order_, stop_, [](const v1::EpochMetrics&) {
    });
  }

  IdxFolder dataset_;
  SystemClock clock_;
  StopEvent stop_;
  TrialOrder order_;
};

TEST_P(TrialMemoryTest, IsForetoldWithin15Percent) {
  const TrialEnd end = Run();
  const auto* result = std::get_if<v1::TrialResult>(&end.outcome);
  ASSERT_NE(result, nullptr) << std::get<v1::Failure>(end.outcome).message();
  const double predicted = static_cast<double>(result->engine().predicted_memory_bytes());
  const double measured = static_cast<double>(result->engine().peak_memory_bytes());
  RecordProperty("predicted_mib", absl::StrCat(predicted / (1 << 20)));
  RecordProperty("measured_mib", absl::StrCat(measured / (1 << 20)));
  EXPECT_GT(predicted, 0.85 * measured) << measured;
  EXPECT_LT(predicted, 1.15 * measured) << measured;
  // The process's own figure is the kernel's.
  EXPECT_NEAR(measured, static_cast<double>(end.peak_memory_bytes), 0.05 * measured);
}

using TooLargeTrialTest = TrialMemoryTest;

TEST_P(TooLargeTrialTest, IsRefusedBeforeItTrains) {
  order_.memory_bytes = int64_t{40} << 20;
  order_.input.mutable_task()->mutable_limits()->set_memory_bytes(order_.memory_bytes);
  const TrialEnd end = Run();
  const auto* failure = std::get_if<v1::Failure>(&end.outcome);
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->cause(), v1::FAILURE_CAUSE_OUT_OF_MEMORY) << failure->message();
  EXPECT_THAT(failure->message(), HasSubstr("training needs "));
  EXPECT_THAT(failure->message(), HasSubstr("the limit is 40 MiB"));
}

std::string NameOf(const ::testing::TestParamInfo<Case>& tested) {
  std::string name = tested.param.network;
  for (char& c : name) {
    if (c == '-') c = '_';
  }
  return absl::StrCat(name, "_batch_", tested.param.batch,
                      tested.param.reproducible ? "" : "_timed",
                      tested.param.keeps_more ? "_more" : "");
}

INSTANTIATE_TEST_SUITE_P(
    Networks, TrialMemoryTest,
    ::testing::Values(Case{"resnet20", 16}, Case{"resnet20", 128}, Case{"resnet20", 512},
                      Case{"mobilenetv2-like", 16}, Case{"mobilenetv2-like", 128},
                      Case{"mobilenetv2-like", 512}, Case{"small-cnn", 16}, Case{"small-cnn", 128},
                      Case{"small-cnn", 512}, Case{"resnet20", 128, false},
                      // 11 million parameters: what a checkpoint takes counts.
                      Case{"resnet-18", 16, true, true}, Case{"resnet-18", 16, true, true, true},
                      Case{"resnet-18", 16, false, true, true}),
    NameOf);
INSTANTIATE_TEST_SUITE_P(Networks, TooLargeTrialTest,
                         ::testing::Values(Case{"resnet20", 128}, Case{"mobilenetv2-like", 512},
                                           Case{"small-cnn", 512}),
                         NameOf);

}  // namespace
}  // namespace frontier::worker
