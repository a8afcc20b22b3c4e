#include <sys/resource.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "common/architecture/graph.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/sha256.h"
#include "common/data/dataset.h"
#include "common/model_io/model_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/idx_files.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/trial/trial_cases.h"
#include "worker/engine/inference_plan.h"
#include "worker/trial/checkpoint.h"
#include "worker/trial/evaluate.h"
#include "worker/trial/memory_reserve.h"
#include "worker/trial/pick_store.h"
#include "worker/trial/trial_process.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::IdxBytes;
using ::frontier::testing::IdxFolder;
using ::frontier::testing::StatusIs;
using ::testing::AnyOf;
using ::testing::HasSubstr;

std::vector<v1::TrialProcessUpdate> Updates(const v1::TrialProcessInput& input) {
  SystemClock clock;
  std::vector<v1::TrialProcessUpdate> updates;
  RunTrial(input, &clock,
           [&updates](const v1::TrialProcessUpdate& update) { updates.push_back(update); });
  return updates;
}

class RunTrialTest : public ::testing::Test {
 protected:
  RunTrialTest() {
    WriteStripes(folder_);
    input_ = StripesTask(folder_);
    input_.set_weights_path(folder_.File("weights"));
  }

  void ExpectFailure(v1::FailureCause cause, const std::string& message) {
    const std::vector<v1::TrialProcessUpdate> updates = Updates(input_);
    ASSERT_FALSE(updates.empty());
    EXPECT_EQ(v1::FailureCause_Name(updates.back().failure().cause()),
              v1::FailureCause_Name(cause));
    EXPECT_THAT(updates.back().failure().message(), HasSubstr(message));
    EXPECT_FALSE(std::filesystem::exists(input_.weights_path()));
  }

  v1::TrainingRecipe* recipe() { return input_.mutable_task()->mutable_training(); }
  v1::DatasetSpec* dataset() { return input_.mutable_task()->mutable_dataset(); }

  IdxFolder folder_;
  v1::TrialProcessInput input_;
};

TEST_F(RunTrialTest, ReportsEpochsAndEveryMeasurement) {
  const std::vector<v1::TrialProcessUpdate> updates = Updates(input_);
  ASSERT_EQ(updates.size(), 3u);
  for (int e = 0; e < 2; ++e) {
    const v1::EpochMetrics& epoch = updates[static_cast<size_t>(e)].epoch();
    EXPECT_EQ(epoch.epoch(), e + 1);
    EXPECT_GT(epoch.train_loss(), 0);
    EXPECT_GT(epoch.images_per_second(), 0);
  }
  ASSERT_TRUE(updates[2].has_result()) << updates[2].ShortDebugString();
  const v1::TrialResult& result = updates[2].result();
  EXPECT_EQ(result.epochs_size(), 2);
  std::set<v1::Metric> metrics;
  for (const v1::Measurement& m : result.measurements()) {
    EXPECT_TRUE(metrics.insert(m.metric()).second) << v1::Metric_Name(m.metric());
    EXPECT_LE(m.low(), m.value()) << v1::Metric_Name(m.metric());
    EXPECT_GE(m.high(), m.value()) << v1::Metric_Name(m.metric());
    EXPECT_EQ(m.hardware_class(), m.metric() == v1::METRIC_LATENCY_MS ? "test-class" : "");
    if (m.metric() == v1::METRIC_ACCURACY) {
      EXPECT_GT(m.value(), 0.9);
      EXPECT_EQ(m.method(), "validation-split");
      EXPECT_EQ(m.value(), result.epochs(1).validation_accuracy());
    }
    if (m.metric() == v1::METRIC_PARAMETERS) {
      EXPECT_EQ(m.value(), 8 * 9 + 16 + 288 * 3 + 3);
    }
    if (m.metric() == v1::METRIC_MACS) {
      EXPECT_EQ(m.value(), 8 * 9 * 36 + 288 * 3);
    }
  }
  EXPECT_EQ(metrics,
            (std::set<v1::Metric>{v1::METRIC_ACCURACY, v1::METRIC_LOSS, v1::METRIC_LATENCY_MS,
                                  v1::METRIC_PARAMETERS, v1::METRIC_MACS}));
  ASSERT_EQ(result.precisions_size(), 3);
  EXPECT_EQ(result.precisions(0).precision(), "f32");
  EXPECT_GT(result.precisions(2).accuracy().value(), 0.9);
  EXPECT_EQ(result.precisions(2).latency().hardware_class(), "test-class");
  EXPECT_THAT(result.engine().library(), HasSubstr("oneDNN 2."));
  EXPECT_THAT(result.engine().precision(), AnyOf("f32", "mixed"));
  EXPECT_EQ(result.engine().hardware_class(), "test-class");
  EXPECT_GT(result.engine().predicted_memory_bytes(), 0);
  EXPECT_GE(result.engine().peak_memory_bytes(), int64_t{1} << 20);
  EXPECT_EQ(result.engine().threads(), 1);
  EXPECT_EQ(result.engine().seed(), 3u);
  ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadFile(input_.weights_path()));
  EXPECT_EQ(result.weights_sha256(), Sha256Hex(bytes));
}

TEST_F(RunTrialTest, OtherDataThanTheJobsIsRefusedBeforeTraining) {
  recipe()->set_epochs(1);
  const v1::TrialResult result = Updates(input_).back().result();
  ASSERT_OK_AND_ASSIGN(const Samples samples,
                       ReadSamples(folder_.path(), Part::kTrain, kTrialClasses));
  EXPECT_EQ(result.engine().dataset_sha256(), DigestOf(samples));
  input_.mutable_task()->set_dataset_sha256(DigestOf(samples));
  EXPECT_TRUE(Updates(input_).back().has_result());
  std::filesystem::remove(input_.weights_path());
  input_.mutable_task()->set_dataset_sha256(std::string(64, '0'));
  ExpectFailure(v1::FAILURE_CAUSE_OTHER_DATA, "'stripes' in '" + folder_.path() + "' is another");
  EXPECT_EQ(Updates(input_).size(), 1u);
}

TEST_F(RunTrialTest, TheWeightsFileGivesTheReportedFiguresAgain) {
  const v1::TrialResult result = Updates(input_).back().result();
  for (const int threads : {1, 2}) {
    ASSERT_OK_AND_ASSIGN(const Evaluation evaluation,
                         EvaluateModel(input_.weights_path(), folder_.path(), *dataset(),
                                       EvaluationPart::kValidation, threads));
    EXPECT_EQ(evaluation.accuracy, result.epochs(1).validation_accuracy());
    EXPECT_EQ(evaluation.loss, result.epochs(1).validation_loss());
    EXPECT_EQ(evaluation.samples, 60);
  }
  EXPECT_THAT(
      EvaluateModel(input_.weights_path(), folder_.path(), *dataset(), EvaluationPart::kTest, 1),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("t10k-images")));
}

TEST_F(RunTrialTest, SameSeedSameWeights) {
  dataset()->set_train_samples(100);
  recipe()->set_horizontal_flip(true);
  std::vector<std::string> digests;
  for (const uint64_t seed : {1u, 1u, 2u}) {
    input_.mutable_task()->set_seed(seed);
    digests.push_back(Updates(input_).back().result().weights_sha256());
    EXPECT_TRUE(IsSha256Hex(digests.back()));
  }
  EXPECT_EQ(digests[0], digests[1]);
  EXPECT_NE(digests[0], digests[2]);
}

TEST_F(RunTrialTest, EveryPartOfTheRecipeTakesEffectAndRepeats) {
  using Change = void (*)(v1::TrainingRecipe*);
  const Change changes[] = {
      [](v1::TrainingRecipe*) {},
      [](v1::TrainingRecipe* r) { r->set_label_smoothing(0.1); },
      [](v1::TrainingRecipe* r) {
        for (const double w : {1.0, 2.0, 0.5}) r->add_class_weights(w);
      },
      [](v1::TrainingRecipe* r) { r->set_optimizer(v1::OPTIMIZER_SGD); },
      [](v1::TrainingRecipe* r) { r->set_optimizer(v1::OPTIMIZER_ADAMW); },
      [](v1::TrainingRecipe* r) { r->set_clip_norm(0.1); },
      [](v1::TrainingRecipe* r) { r->set_schedule(v1::SCHEDULE_CONSTANT); },
      [](v1::TrainingRecipe* r) {
        r->set_schedule(v1::SCHEDULE_STEP);
        r->set_step_epochs(1);
      },
      [](v1::TrainingRecipe* r) { r->set_schedule(v1::SCHEDULE_ONE_CYCLE); },
      [](v1::TrainingRecipe* r) { r->set_crop_padding(1); },
      [](v1::TrainingRecipe* r) { r->set_cutout_size(2); },
      [](v1::TrainingRecipe* r) { r->set_mixup_alpha(0.2); },
      [](v1::TrainingRecipe* r) { r->set_erasing_probability(0.5); },
      [](v1::TrainingRecipe* r) { r->set_average_decay(0.9); },
  };
  dataset()->set_train_samples(100);
  dataset()->set_validation_samples(10);
  const v1::TrialProcessInput good = input_;
  std::set<std::string> digests;
  for (const Change change : changes) {
    input_ = good;
    change(recipe());
    const std::string digest = Updates(input_).back().result().weights_sha256();
    EXPECT_TRUE(IsSha256Hex(digest)) << recipe()->ShortDebugString();
    EXPECT_TRUE(digests.insert(digest).second) << recipe()->ShortDebugString();
    EXPECT_EQ(Updates(input_).back().result().weights_sha256(), digest);
  }
}

TEST_F(RunTrialTest, DefaultsAreTheirNamedValues) {
  const std::string digest = Updates(input_).back().result().weights_sha256();
  recipe()->set_optimizer(v1::OPTIMIZER_NESTEROV);
  recipe()->set_schedule(v1::SCHEDULE_COSINE);
  EXPECT_EQ(Updates(input_).back().result().weights_sha256(), digest);
}

TEST_F(RunTrialTest, GoesOnFromACheckpointToTheSameBits) {
  recipe()->set_epochs(3);
  recipe()->set_optimizer(v1::OPTIMIZER_ADAMW);
  recipe()->set_horizontal_flip(true);
  recipe()->set_mixup_alpha(0.2);
  recipe()->set_average_decay(0.9);
  // With dropout, whose masks must go on, too.
  v1::Architecture* architecture = input_.mutable_task()->mutable_architecture();
  ArchitectureBuilder b(architecture->input(), kTrialClasses);
  int x = b.ConvolutionNormRelu("stem", b.input(), SquareConvolution(8, 3));
  b.Linear("classifier", b.Dropout("drop", x, 0.3f), kTrialClasses);
  *architecture = b.Build().value();
  const v1::TrialResult whole = Updates(input_).back().result();
  ASSERT_TRUE(IsSha256Hex(whole.weights_sha256()));

  // Stands for a process that was killed after each epoch: its file is copied at the update.
  input_.set_checkpoint_path(folder_.File("checkpoint"));
  SystemClock clock;
  std::vector<std::string> left;
  RunTrial(input_, &clock, [&](const v1::TrialProcessUpdate& update) {
    if (!update.has_epoch() || update.epoch().epoch() == 3) return;
    ASSERT_OK_AND_ASSIGN(left.emplace_back(), ReadFile(input_.checkpoint_path()));
  });
  ASSERT_EQ(left.size(), 2u);
  for (size_t done = 1; done <= 2; ++done) {
    ASSERT_OK(WriteFileAtomically(input_.checkpoint_path(), left[done - 1]));
    const std::vector<v1::TrialProcessUpdate> updates = Updates(input_);
    ASSERT_EQ(updates.size(), 4 - done);
    const v1::TrialResult& result = updates.back().result();
    EXPECT_EQ(result.weights_sha256(), whole.weights_sha256()) << done;
    ASSERT_EQ(result.epochs_size(), 3);
    for (int e = 0; e < 3; ++e) {
      EXPECT_EQ(result.epochs(e).validation_loss(), whole.epochs(e).validation_loss());
    }
  }

  // Of another task, or broken: from the beginning.
  std::string broken = left[0];
  broken[broken.size() / 2] = static_cast<char>(broken[broken.size() / 2] ^ 1);
  ASSERT_OK(WriteFileAtomically(input_.checkpoint_path(), broken));
  EXPECT_EQ(Updates(input_).size(), 4u);
  ASSERT_OK(WriteFileAtomically(input_.checkpoint_path(), left[0]));
  input_.mutable_task()->set_seed(4);
  EXPECT_EQ(Updates(input_).size(), 4u);
}

TEST_F(RunTrialTest, ACheckpointOfAnotherMachineReleaseOrParentIsNotResumed) {
  recipe()->set_epochs(2);
  input_.set_checkpoint_path(folder_.File("checkpoint"));
  ASSERT_EQ(Updates(input_).size(), 3u);
  ASSERT_OK_AND_ASSIGN(const v1::Checkpoint kept, ReadCheckpoint(input_.checkpoint_path()));
  const auto updates_after = [&](const v1::Checkpoint& checkpoint) {
    EXPECT_OK(WriteCheckpoint(input_.checkpoint_path(), checkpoint));
    return Updates(input_).size();
  };
  EXPECT_EQ(updates_after(kept), 2u) << "goes on after its first epoch";
  v1::Checkpoint other = kept;
  other.set_hardware_class("another");
  EXPECT_EQ(updates_after(other), 3u);
  other = kept;
  other.set_library("oneDNN 0.1");
  EXPECT_EQ(updates_after(other), 3u);
  other = kept;
  other.set_version("0.0.1");
  EXPECT_EQ(updates_after(other), 3u);
  other = kept;
  other.mutable_inheritance()->set_weights_sha256("aa");
  EXPECT_EQ(updates_after(other), 3u);
  other = kept;
  other.set_dataset_sha256(std::string(64, '0'));
  EXPECT_EQ(updates_after(other), 3u) << "trained on other data so far";
  other.clear_dataset_sha256();
  EXPECT_EQ(updates_after(other), 2u) << "of a release that did not say";
}

TEST_F(RunTrialTest, ACheckpointThatCannotBeWrittenCostsNoTrial) {
  input_.set_checkpoint_path(folder_.File("no-such-folder/checkpoint"));
  const std::vector<v1::TrialProcessUpdate> updates = Updates(input_);
  EXPECT_TRUE(updates.back().has_result()) << updates.back().ShortDebugString();
}

TEST_F(RunTrialTest, ACheckpointFixesPrecisionAndPicks) {
  recipe()->set_precision(v1::PRECISION_F32);
  input_.mutable_task()->set_reproducible(false);
  input_.set_checkpoint_path(folder_.File("checkpoint"));
  const v1::TrialResult whole = Updates(input_).back().result();
  ASSERT_OK_AND_ASSIGN(v1::Checkpoint checkpoint, ReadCheckpoint(input_.checkpoint_path()));
  EXPECT_EQ(checkpoint.precision(), "f32");
  EXPECT_EQ(checkpoint.picks_size(), whole.engine().picks_size());
  const v1::TrialResult resumed = Updates(input_).back().result();
  EXPECT_EQ(resumed.weights_sha256(), whole.weights_sha256());
  EXPECT_EQ(resumed.engine().picks_size(), whole.engine().picks_size());

  checkpoint.set_precision("f16");
  ASSERT_OK(WriteCheckpoint(input_.checkpoint_path(), checkpoint));
  EXPECT_THAT(Updates(input_).back().failure().message(), HasSubstr("precision 'f16'"));
}

TEST_F(RunTrialTest, PicksAreRememberedForOtherTrials) {
  // Who times layers looks at the clock more often. What else is timed does not depend on the
  // machine, since each look is as much later.
  class CountingClock final : public Clock {
   public:
    absl::Time Now() override { return absl::UnixEpoch(); }
    absl::Duration Elapsed() override { return ++looks * absl::Microseconds(100); }
    int looks = 0;
  };
  input_.mutable_task()->set_reproducible(false);
  recipe()->set_epochs(1);
  recipe()->set_precision(v1::PRECISION_F32);
  input_.set_picks_path(folder_.File("picks"));
  const auto looks = [this] {
    CountingClock clock;
    RunTrial(input_, &clock, [](const v1::TrialProcessUpdate&) {});
    return clock.looks;
  };
  const int first = looks();
  const Picks remembered = PickStore(input_.picks_path(), EngineDescription(), "test-class").Load();
  ASSERT_FALSE(remembered.empty()) << "nothing was timed";
  EXPECT_LT(looks(), first - static_cast<int>(remembered.size()));
  EXPECT_EQ(PickStore(input_.picks_path(), EngineDescription(), "test-class").Load(), remembered);
}

TEST_F(RunTrialTest, TheRecordedPicksGiveTheSameWeights) {
  input_.mutable_task()->set_reproducible(false);
  input_.set_picks_path(folder_.File("picks"));
  const v1::TrialResult first = Updates(input_).back().result();
  input_.clear_picks_path();
  *input_.mutable_task()->mutable_picks() = first.engine().picks();
  recipe()->set_precision(first.engine().precision() == "mixed" ? v1::PRECISION_MIXED
                                                                : v1::PRECISION_F32);
  input_.mutable_task()->set_reproducible(true);
  const v1::TrialResult again = Updates(input_).back().result();
  EXPECT_EQ(again.weights_sha256(), first.weights_sha256());
  EXPECT_EQ(again.engine().precision(), first.engine().precision());
}

TEST_F(RunTrialTest, ALongEpochGivesSignsOfLife) {
  // Each look at the clock is a second later.
  class HurryingClock final : public Clock {
   public:
    absl::Time Now() override { return absl::UnixEpoch(); }
    absl::Duration Elapsed() override { return elapsed_ += absl::Seconds(1); }

   private:
    absl::Duration elapsed_;
  } clock;
  std::vector<int64_t> steps;
  RunTrial(input_, &clock, [&](const v1::TrialProcessUpdate& update) {
    if (update.kind_case() == v1::TrialProcessUpdate::kSteps) steps.push_back(update.steps());
  });
  ASSERT_FALSE(steps.empty());
  // Also while it validates and measures, which does no steps.
  for (size_t i = 1; i < steps.size(); ++i) EXPECT_GE(steps[i], steps[i - 1]);
  EXPECT_GT(steps.back(), steps.front());
  EXPECT_LE(steps.back(), 22);
}

TEST_F(RunTrialTest, ATaskThatWillNotFitIsRefused) {
  input_.mutable_task()->mutable_limits()->set_memory_bytes(1 << 20);
  ExpectFailure(v1::FAILURE_CAUSE_OUT_OF_MEMORY, "the limit is 1 MiB");
}

TEST_F(RunTrialTest, AClassWithoutSamplesIsNoError) {
  std::vector<uint8_t> labels;
  for (int i = 0; i < kTrialSamples; ++i) labels.push_back(static_cast<uint8_t>(i % 2));
  folder_.Write("train-labels-idx1-ubyte", IdxBytes({kTrialSamples}, labels));
  for (const double weight : {1.0, 2.0, 100.0}) recipe()->add_class_weights(weight);
  recipe()->set_label_smoothing(0.1);
  EXPECT_TRUE(Updates(input_).back().has_result());
}

TEST_F(RunTrialTest, ABatchOfOneWithBatchNorm) {
  recipe()->set_batch_size(1);
  recipe()->set_epochs(1);
  recipe()->set_learning_rate(0.001);
  EXPECT_TRUE(Updates(input_).back().has_result());
}

TEST_F(RunTrialTest, ABatchOfAllSamples) {
  recipe()->set_batch_size(180);
  recipe()->set_learning_rate(0.001);
  EXPECT_TRUE(Updates(input_).back().has_result());
}

TEST_F(RunTrialTest, WithoutAPathNoWeightsAreKept) {
  input_.clear_weights_path();
  const v1::TrialProcessUpdate end = Updates(input_).back();
  ASSERT_TRUE(end.has_result());
  EXPECT_EQ(end.result().weights_sha256(), "");
}

TEST_F(RunTrialTest, DataSetFailures) {
  input_.set_dataset_path("/no/such/folder");
  ExpectFailure(v1::FAILURE_CAUSE_DATASET, "/no/such/folder");
  input_.set_dataset_path(folder_.path());
  folder_.Write("train-labels-idx1-ubyte", IdxBytes({3}, {0, 1, 2}));
  ExpectFailure(v1::FAILURE_CAUSE_DATASET, "has 240 images but");
  folder_.Write("train-labels-idx1-ubyte", IdxBytes({240}, std::vector<uint8_t>(240, 3)));
  ExpectFailure(v1::FAILURE_CAUSE_DATASET, "label 3 of sample 0 is not below 3 classes");
  folder_.Write("train-labels-idx1-ubyte", IdxBytes({240}, std::vector<uint8_t>(240, 2)));
  folder_.Write("train-images-idx3-ubyte", IdxBytes({240, 6, 5}, std::vector<uint8_t>(7200)));
  ExpectFailure(v1::FAILURE_CAUSE_DATASET, "has samples of 1x6x5, the architecture takes 1x6x6");
}

TEST_F(RunTrialTest, InvalidTasks) {
  const v1::TrialProcessInput good = input_;
  const struct {
    void (*change)(v1::TrialTask*);
    const char* message;
  } cases[] = {
      {[](v1::TrialTask* t) { t->mutable_training()->set_epochs(0); }, "training.epochs: 0"},
      {[](v1::TrialTask* t) { t->mutable_training()->set_batch_size(0); },
       "training.batch_size: 0"},
      {[](v1::TrialTask* t) { t->mutable_training()->set_batch_size(181); },
       "batch_size: 181 is more than the 180 training samples"},
      {[](v1::TrialTask* t) {
         t->mutable_training()->set_learning_rate(std::numeric_limits<double>::infinity());
       },
       "training.learning_rate: inf"},
      {[](v1::TrialTask* t) { t->mutable_training()->set_momentum(1); }, "training.momentum: 1"},
      {[](v1::TrialTask* t) { t->mutable_training()->set_weight_decay(-1); },
       "training.weight_decay: -1"},
      {[](v1::TrialTask* t) { t->mutable_training()->set_warmup_epochs(-1); },
       "training.warmup_epochs: -1"},
      {[](v1::TrialTask* t) { t->mutable_training()->set_label_smoothing(1); },
       "training.label_smoothing: 1 is not in [0, 1)"},
      {[](v1::TrialTask* t) { t->mutable_training()->add_class_weights(1); },
       "training.class_weights: 1 weights for 3 classes"},
      {[](v1::TrialTask* t) { t->mutable_training()->set_schedule(v1::SCHEDULE_STEP); },
       "training.step_epochs: 0 is not positive"},
      {[](v1::TrialTask* t) { t->mutable_training()->set_clip_norm(-1); },
       "training.clip_norm: -1"},
      {[](v1::TrialTask* t) { t->mutable_training()->set_erasing_probability(2); },
       "training.erasing_probability: 2"},
      {[](v1::TrialTask* t) { t->mutable_training()->set_average_decay(1); },
       "training.average_decay: 1"},
      {[](v1::TrialTask* t) { t->mutable_limits()->set_threads(-2); }, "limits.threads: -2"},
      {[](v1::TrialTask* t) { t->mutable_dataset()->set_classes(4); }, "dataset.classes: 4"},
      {[](v1::TrialTask* t) { t->mutable_dataset()->set_train_samples(181); },
       "train_samples: 181"},
      {[](v1::TrialTask* t) { t->mutable_architecture()->clear_nodes(); }, "nodes"},
      {[](v1::TrialTask* t) {
         t->mutable_architecture()->mutable_nodes(1)->mutable_convolution()->set_groups(3);
       },
       "nodes[1].convolution.groups"},
      {[](v1::TrialTask* t) { t->mutable_architecture()->mutable_input()->set_height(0); },
       "input.height: is 0"},
      {[](v1::TrialTask* t) {
         v1::Convolution* c = t->mutable_architecture()->mutable_nodes(1)->mutable_convolution();
         c->set_kernel_height(9);  // with a padding of 1 on 6 pixels
       },
       "9 pixels, more than the 8 of its padded input"},
      {[](v1::TrialTask* t) {
         v1::Architecture* a = t->mutable_architecture();
         for (const auto set :
              {&v1::Shape::set_channels, &v1::Shape::set_height, &v1::Shape::set_width}) {
           (a->mutable_input()->*set)(std::numeric_limits<int32_t>::max());
         }
       },
       "63 bits"},
  };
  for (const auto& c : cases) {
    input_ = good;
    c.change(input_.mutable_task());
    ExpectFailure(v1::FAILURE_CAUSE_INVALID, c.message);
  }
}

TEST_F(RunTrialTest, DivergenceIsTyped) {
  std::vector<uint8_t> labels;  // that cannot be told apart
  for (int i = 0; i < kTrialSamples; ++i) labels.push_back(static_cast<uint8_t>(i / 7 % 3));
  folder_.Write("train-labels-idx1-ubyte", IdxBytes({kTrialSamples}, labels));
  v1::Architecture* architecture = input_.mutable_task()->mutable_architecture();
  v1::Node classifier = architecture->nodes(4);
  classifier.set_inputs(0, 0);
  architecture->mutable_nodes()->DeleteSubrange(1, 4);
  *architecture->add_nodes() = classifier;  // no norm that tames it
  recipe()->set_learning_rate(1e9);
  ExpectFailure(v1::FAILURE_CAUSE_DIVERGED, "epoch 1, step 2 of 11: loss ");
}

TEST_F(RunTrialTest, UnwritableWeightsAreInternal) {
  input_.set_weights_path(folder_.path() + "/no/such/folder/weights");
  ExpectFailure(v1::FAILURE_CAUSE_INTERNAL, "no/such/folder/weights");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(MemoryReserveTest, ExhaustedMemoryThrows) {
  const MemoryReserve reserve(1 << 16);
  // Not a constant, or the compiler refuses what can never work.
  const volatile size_t impossible = size_t{1} << 60;
  for (int i = 0; i < 2; ++i) {  // the second time there is no reserve left
    EXPECT_THROW(std::vector<char>().reserve(impossible), std::bad_alloc);
  }
}

// Runs a wide network with `megabytes` of memory beyond what the process has; leaves with 0 if that
// failed as out of memory.
[[noreturn]] void RunOutOfMemory(v1::TrialProcessInput input, int64_t megabytes) {
  std::ifstream statm("/proc/self/statm");
  int64_t pages[6] = {};
  for (int64_t& p : pages) statm >> p;
  const rlim_t limit = static_cast<rlim_t>(pages[5] * 4096 + (megabytes << 20));
  const rlimit value = {limit, limit};
  setrlimit(RLIMIT_DATA, &value);
  v1::Architecture* architecture = input.mutable_task()->mutable_architecture();
  architecture->mutable_nodes(1)->mutable_convolution()->set_out_channels(4096);
  input.mutable_task()->mutable_training()->set_batch_size(128);
  // Timing has the library generate code, which crashes it without memory; that becomes a typed
  // failure in the handler of a trial's process, which is not at work here.
  input.mutable_task()->mutable_training()->set_precision(v1::PRECISION_F32);
  const v1::TrialProcessUpdate end = Updates(input).back();
  fprintf(stderr, "%s\n", end.ShortDebugString().substr(0, 300).c_str());
  _exit(end.failure().cause() == v1::FAILURE_CAUSE_OUT_OF_MEMORY ? 0 : 1);
}

TEST_F(RunTrialTest, ExhaustedMemoryIsTyped) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  for (const int64_t megabytes : {12, 20, 40, 80}) {
    EXPECT_EXIT(RunOutOfMemory(input_, megabytes), ::testing::ExitedWithCode(0), "OUT_OF_MEMORY")
        << megabytes;
  }
}
#endif

}  // namespace
}  // namespace frontier::worker
