// What plans promise beside the right numbers.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "common/architecture/builder.h"
#include "common/architecture/reference.h"
#include "common/model_io/model_file.h"
#include "common/model_io/parameters.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/random_architecture.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/engine/engine_cases.h"
#include "worker/engine/inference_plan.h"
#include "worker/engine/training_plan.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

v1::Architecture Mobile() {
  return ReferenceArchitecture("mobilenetv2-like", MakeShape(1, 14, 14), 5).value();
}

std::string TrainedBytes(const v1::Architecture& architecture, int threads, uint64_t seed) {
  auto plan = TrainingPlan::Create(architecture, 8, PlanOptions{threads}).value();
  EXPECT_OK(plan->ImportModel(InitialModel(architecture, seed).value()));
  Rng rng(seed);
  for (int s = 0; s < 4; ++s) {
    const Batch batch = RandomBatch(architecture.input(), architecture.classes(), 8, &rng);
    EXPECT_OK(plan->Step(batch.images, batch.labels, {0.05f, 0.9f, 1e-4f}));
  }
  v1::Model model;
  EXPECT_OK(plan->ExportModel(&model));
  return model.SerializeAsString();
}

TEST(TrainingPlanTest, SameSeedAndThreadsGiveTheSameBits) {
  for (const int threads : {1, 2, 3}) {
    const std::string bytes = TrainedBytes(Mobile(), threads, 4);
    EXPECT_EQ(TrainedBytes(Mobile(), threads, 4), bytes) << threads << " threads";
    EXPECT_NE(TrainedBytes(Mobile(), threads, 5), bytes);
  }
}

v1::Architecture WithDropout() {
  ArchitectureBuilder b(MakeShape(2, 9, 7), 5);
  int x = b.ConvolutionNormRelu("conv", b.input(), SquareConvolution(21, 3));
  x = b.Dropout("maps", x, 0.2f);
  x = b.GlobalAveragePool("pool", b.Convolution("conv2", x, SquareConvolution(16, 3)));
  b.Linear("classifier", b.Dropout("vector", x, 0.5f), 5);
  return b.Build().value();
}

// Weights after steps [begin, end) from `model`, without momentum.
v1::Model TrainedWithDropout(const v1::Model& model, uint64_t seed, int begin, int end,
                             int threads) {
  auto plan = TrainingPlan::Create(model.architecture(), 6, PlanOptions{threads}).value();
  EXPECT_OK(plan->ImportModel(model));
  plan->SeedDropout(seed, begin);
  for (int s = begin; s < end; ++s) {
    Rng rng(11, static_cast<uint64_t>(s));
    const Batch batch = RandomBatch(MakeShape(2, 9, 7), 5, 6, &rng);
    EXPECT_OK(plan->Step(batch.images, batch.labels, {0.05f, 0.0f, 0.0f}));
  }
  v1::Model trained;
  EXPECT_OK(plan->ExportModel(&trained));
  return trained;
}

TEST(TrainingPlanTest, DropoutFollowsSeedAndStepAlone) {
  const v1::Model initial = InitialModel(WithDropout(), 3).value();
  const v1::Model whole = TrainedWithDropout(initial, 8, 0, 5, 1);
  const std::string bytes = whole.SerializeAsString();
  EXPECT_EQ(TrainedWithDropout(initial, 8, 0, 5, 1).SerializeAsString(), bytes);
  EXPECT_NE(TrainedWithDropout(initial, 9, 0, 5, 1).SerializeAsString(), bytes);
  // A resumed training goes on with the masks it would have had.
  const v1::Model half = TrainedWithDropout(initial, 8, 0, 2, 1);
  EXPECT_EQ(TrainedWithDropout(half, 8, 2, 5, 1).SerializeAsString(), bytes);
  // Without its place in the sequence it would not.
  auto plan = TrainingPlan::Create(WithDropout(), 6, PlanOptions{}).value();
  ASSERT_OK(plan->ImportModel(initial));
  Rng rng(11, 0);
  const Batch batch = RandomBatch(MakeShape(2, 9, 7), 5, 6, &rng);
  plan->SeedDropout(8, 0);
  ASSERT_OK_AND_ASSIGN(const StepStats first, plan->Step(batch.images, batch.labels, {}));
  ASSERT_OK_AND_ASSIGN(const StepStats second, plan->Step(batch.images, batch.labels, {}));
  EXPECT_NE(first.loss, second.loss);
  plan->SeedDropout(8, 0);
  ASSERT_OK_AND_ASSIGN(const StepStats again, plan->Step(batch.images, batch.labels, {}));
  EXPECT_EQ(first.loss, again.loss);
}

TEST(TrainingPlanTest, ANetworkOfZerosHasTheLossOfAGuess) {
  ArchitectureBuilder b(MakeShape(4, 3, 3), 4);
  b.GlobalAveragePool("pool", b.Zero("zero", b.input()));
  const v1::Architecture architecture = b.Build().value();
  ASSERT_OK_AND_ASSIGN(auto plan, TrainingPlan::Create(architecture, 2, PlanOptions{}));
  Rng rng(1);
  const Batch batch = RandomBatch(architecture.input(), 4, 2, &rng);
  ASSERT_OK_AND_ASSIGN(const StepStats stats, plan->Step(batch.images, batch.labels, {}));
  EXPECT_NEAR(stats.loss, std::log(4.0), 1e-6);
}

TEST(TrainingPlanTest, ExportGivesBackWhatWasImported) {
  const v1::Model initial = InitialModel(Mobile(), 9).value();
  ASSERT_OK_AND_ASSIGN(auto plan, TrainingPlan::Create(Mobile(), 2, PlanOptions{}));
  ASSERT_OK(plan->ImportModel(initial));
  v1::Model model;
  ASSERT_OK(plan->ExportModel(&model));
  EXPECT_EQ(model.SerializeAsString(), initial.SerializeAsString());
}

TEST(TrainingPlanTest, DeadNodesKeepTheirWeights) {
  ArchitectureBuilder b(MakeShape(2, 4, 4), 3);
  b.ConvolutionNorm("unused", b.input(), SquareConvolution(5, 3));
  b.Classifier(b.Convolution("used", b.input(), SquareConvolution(4, 3)));
  const v1::Architecture architecture = b.Build().value();
  const v1::Model initial = InitialModel(architecture, 1).value();
  ASSERT_OK_AND_ASSIGN(auto plan, TrainingPlan::Create(architecture, 4, PlanOptions{}));
  ASSERT_OK(plan->ImportModel(initial));
  Rng rng(1);
  const Batch batch = RandomBatch(architecture.input(), 3, 4, &rng);
  ASSERT_OK(plan->Step(batch.images, batch.labels, {0.1f, 0.0f, 0.0f}));
  v1::Model model;
  ASSERT_OK(plan->ExportModel(&model));
  ASSERT_OK(CheckTensors(model));
  for (int i = 0; i < model.tensors_size(); ++i) {
    const bool unused = model.tensors(i).node() <= 2;
    EXPECT_EQ(model.tensors(i).data() == initial.tensors(i).data(), unused) << i;
  }
}

TEST(TrainingPlanTest, LearnsABatchByHeart) {
  ASSERT_OK_AND_ASSIGN(auto plan, TrainingPlan::Create(Mobile(), 8, PlanOptions{}));
  ASSERT_OK(plan->ImportModel(InitialModel(Mobile(), 2).value()));
  Rng rng(2);
  const Batch batch = RandomBatch(MakeShape(1, 14, 14), 5, 8, &rng);
  StepStats stats;
  for (int s = 0; s < 60; ++s) {
    ASSERT_OK_AND_ASSIGN(stats, plan->Step(batch.images, batch.labels, {0.02f, 0.9f, 0.0f}));
  }
  EXPECT_LT(stats.loss, 0.1);
  EXPECT_EQ(stats.correct, 8);
}

TEST(TrainingPlanTest, BatchNormOfASingleValueGivesTheShift) {
  ArchitectureBuilder b(MakeShape(3, 1, 1), 2);
  b.Linear("classifier", b.BatchNorm("norm", b.Convolution("c", 0, SquareConvolution(4, 1))), 2);
  const v1::Architecture architecture = b.Build().value();
  v1::Model model = InitialModel(architecture, 1).value();
  ASSERT_OK_AND_ASSIGN(auto plan, TrainingPlan::Create(architecture, 1, PlanOptions{}));
  ASSERT_OK(plan->ImportModel(model));
  ASSERT_OK_AND_ASSIGN(const StepStats stats,
                       plan->Step(std::vector<float>{1, 2, 3}, std::vector<uint8_t>{1}, {}));
  EXPECT_NEAR(stats.loss, std::log(2.0), 1e-6);  // shift 0, so both logits are 0
  ASSERT_OK(plan->ExportModel(&model));
  ASSERT_OK(CheckTensors(model));
}

TEST(TrainingPlanTest, NonFiniteAndHugeLossesAreDivergence) {
  ArchitectureBuilder b(MakeShape(1, 2, 2), 2);
  b.Linear("classifier", b.Relu("relu", b.Convolution("c", 0, SquareConvolution(4, 1))), 2);
  const v1::Architecture architecture = b.Build().value();
  const v1::Model initial = InitialModel(architecture, 1).value();
  ASSERT_OK_AND_ASSIGN(auto plan, TrainingPlan::Create(architecture, 1, PlanOptions{}));
  ASSERT_OK(plan->ImportModel(initial));
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float bad : {nan, infinity, -infinity, 1e30f}) {
    bool diverged = false;
    for (const uint8_t label : {0, 1}) {
      const auto stats = plan->Step(std::vector<float>{1, bad, 2, 3}, std::vector<uint8_t>{label},
                                    {1.0f, 0.0f, 0.0f});
      if (stats.ok()) continue;
      diverged = true;
      EXPECT_THAT(stats, StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("not finite")));
    }
    EXPECT_TRUE(diverged) << bad;
    ASSERT_OK(plan->ImportModel(initial));
  }
}

TEST(TrainingPlanTest, ProfileNamesEachStepAndLeavesTheWeights) {
  const v1::Architecture architecture =
      ReferenceArchitecture("resnet20", MakeShape(1, 9, 9), 5).value();
  ASSERT_OK_AND_ASSIGN(auto plan, TrainingPlan::Create(architecture, 4, PlanOptions()));
  ASSERT_OK(plan->ImportModel(InitialModel(architecture, 1).value()));
  v1::Model before, after;
  ASSERT_OK(plan->ExportModel(&before));
  Rng rng(3);
  const Batch batch = RandomBatch(MakeShape(1, 9, 9), 5, 4, &rng);
  SystemClock clock;
  ASSERT_OK_AND_ASSIGN(const std::vector<StepTime> times,
                       plan->Profile(batch.images, batch.labels, &clock));
  std::string steps;
  for (const StepTime& time : times) {
    EXPECT_GE(time.milliseconds, 0);
    EXPECT_FALSE(time.implementation.empty()) << time.label;
    steps += time.label + "\n";
  }
  EXPECT_THAT(steps, HasSubstr("loss"));
  EXPECT_THAT(steps, HasSubstr("backward.weights"));
  ASSERT_OK(plan->ExportModel(&after));
  for (int i = 0; i < before.tensors_size(); ++i) {
    const std::string& name = before.tensors(i).name();
    if (name == "mean" || name == "variance") continue;
    EXPECT_EQ(before.tensors(i).data(), after.tensors(i).data()) << name;
  }
  EXPECT_THAT(plan->Profile(batch.images, {}, &clock).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "labels: 0 values, expected 4"));
}

TEST(TrainingPlanTest, BadArguments) {
  const v1::Architecture architecture = Mobile();
  EXPECT_THAT(TrainingPlan::Create(architecture, 0, PlanOptions{}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("batch_size: 0 is below 1")));
  EXPECT_THAT(TrainingPlan::Create(architecture, 1, PlanOptions{0}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("threads: 0 is not between 1 and 1024")));
  EXPECT_THAT(TrainingPlan::Create(v1::Architecture(), 1, PlanOptions{}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("input.channels")));
  EXPECT_THAT(TrainingPlan::Create(architecture, 1 << 30, PlanOptions{}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 2^31 elements")));
  EXPECT_THAT(
      TrainingPlan::Create(ReferenceArchitecture("small-cnn", MakeShape(1, 8, 8), 257).value(), 1,
                           PlanOptions{}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("classes: 257")));
  ASSERT_OK_AND_ASSIGN(auto plan, TrainingPlan::Create(architecture, 2, PlanOptions{}));
  const std::vector<float> images(2 * 14 * 14);
  EXPECT_THAT(plan->Step(std::vector<float>(5), std::vector<uint8_t>{0, 1}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "images: 5 values, expected 392"));
  EXPECT_THAT(plan->Step(images, std::vector<uint8_t>{0}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "labels: 1 values, expected 2"));
  EXPECT_THAT(
      plan->Step(images, std::vector<uint8_t>{0, 5}, {}),
      StatusIs(absl::StatusCode::kInvalidArgument, "label 5 of sample 1 is not below 5 classes"));
  v1::Model other = InitialModel(architecture, 1).value();
  other.mutable_architecture()->mutable_nodes(1)->set_name("renamed");
  EXPECT_THAT(plan->ImportModel(other),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("another architecture")));
}

TEST(InferencePlanTest, BatchAndThreadsDoNotChangeTheAnswer) {
  const v1::Model model = InitialModel(Mobile(), 3).value();
  Rng rng(3);
  const Batch batch = RandomBatch(MakeShape(1, 14, 14), 5, 4, &rng);
  std::vector<float> together(20);
  ASSERT_OK_AND_ASSIGN(auto wide, InferencePlan::Create(model, 4, InferenceOptions{2}));
  ASSERT_OK(wide->Run(batch.images, absl::MakeSpan(together)));
  ASSERT_OK_AND_ASSIGN(auto single, InferencePlan::Create(model, 1, InferenceOptions{1}));
  for (size_t i = 0; i < 4; ++i) {
    std::vector<float> alone(5);
    ASSERT_OK(single->Run(absl::MakeConstSpan(batch.images).subspan(i * 196, 196),
                          absl::MakeSpan(alone)));
    for (size_t c = 0; c < 5; ++c) EXPECT_NEAR(alone[c], together[i * 5 + c], 1e-4);
  }
  EXPECT_THAT(single->Run(batch.images, absl::MakeSpan(together)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("images: 784 values")));
}

TEST(InferencePlanTest, DropoutDoesNothing) {
  const v1::Model model = InitialModel(WithDropout(), 3).value();
  v1::Model without = model;
  for (v1::Node& node : *without.mutable_architecture()->mutable_nodes()) {
    if (node.op() != v1::OPERATOR_DROPOUT) continue;
    node.set_op(v1::OPERATOR_IDENTITY);
    node.clear_attributes();
  }
  Rng rng(4);
  const Batch batch = RandomBatch(MakeShape(2, 9, 7), 5, 3, &rng);
  std::vector<float> logits(15), wanted(15);
  ASSERT_OK_AND_ASSIGN(auto plan, InferencePlan::Create(model, 3, InferenceOptions{}));
  ASSERT_OK_AND_ASSIGN(auto other, InferencePlan::Create(without, 3, InferenceOptions{}));
  ASSERT_OK(plan->Run(batch.images, absl::MakeSpan(logits)));
  ASSERT_OK(other->Run(batch.images, absl::MakeSpan(wanted)));
  EXPECT_EQ(logits, wanted);
  EXPECT_EQ(plan->memory_bytes(), other->memory_bytes());
}

TEST(InferencePlanTest, ImportReplacesTheWeights) {
  ASSERT_OK_AND_ASSIGN(
      auto plan, InferencePlan::Create(InitialModel(Mobile(), 1).value(), 1, InferenceOptions{}));
  Rng rng(3);
  const Batch batch = RandomBatch(MakeShape(1, 14, 14), 5, 1, &rng);
  std::vector<float> first(5), second(5), again(5);
  ASSERT_OK(plan->Run(batch.images, absl::MakeSpan(first)));
  ASSERT_OK(plan->ImportModel(InitialModel(Mobile(), 2).value()));
  ASSERT_OK(plan->Run(batch.images, absl::MakeSpan(second)));
  ASSERT_OK(plan->ImportModel(InitialModel(Mobile(), 1).value()));
  ASSERT_OK(plan->Run(batch.images, absl::MakeSpan(again)));
  EXPECT_NE(first, second);
  EXPECT_EQ(first, again);
}

TEST(InitialModelTest, DependsOnTheSeedAndHasTheStatedSpread) {
  ArchitectureBuilder b(MakeShape(64, 8, 8), 10);
  v1::Convolution grouped = SquareConvolution(64, 3, 1, 4);
  b.Linear("classifier", b.BatchNorm("norm", b.Convolution("c", 0, grouped)), 10);
  const v1::Architecture architecture = b.Build().value();
  const v1::Model model = InitialModel(architecture, 7).value();
  EXPECT_OK(CheckTensors(model));
  EXPECT_EQ(model.SerializeAsString(), InitialModel(architecture, 7).value().SerializeAsString());
  EXPECT_NE(model.SerializeAsString(), InitialModel(architecture, 8).value().SerializeAsString());
  for (const v1::Tensor& tensor : model.tensors()) {
    if (tensor.name() != "weight") continue;
    double squares = 0;
    const std::vector<float> values = TensorValues(tensor);
    for (const float v : values) squares += double{v} * v;
    const double wanted = tensor.node() == 1 ? 2.0 / (16 * 9) : 1.0 / 4096;
    EXPECT_NEAR(squares / static_cast<double>(values.size()), wanted, 0.05 * wanted);
  }
}

TEST(EngineDescriptionTest, NamesLibraryAndInstructionSet) {
  EXPECT_THAT(EngineDescription(), ::testing::MatchesRegex("oneDNN [0-9.]+ \\([a-z0-9_]+\\)"));
}

}  // namespace
}  // namespace frontier::worker
