// Losses, optimizers, clipping, averages and saved states: whole networks against plain loops.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/architecture/builder.h"
#include "common/base/random.h"
#include "common/model_io/parameters.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/engine/engine_cases.h"
#include "worker/engine/reference/network.h"
#include "worker/engine/schedule.h"
#include "worker/engine/training_plan.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

constexpr int kBatch = 4;
constexpr int kClasses = 5;

// Smooth throughout: at the bend of a ReLU rounding alone decides between two gradients.
v1::Architecture Network() {
  ArchitectureBuilder b(MakeShape(1, 9, 9), kClasses);
  const auto block = [&b](int x, const v1::Convolution& c) {
    const std::string name = absl::StrCat("after_", x);
    const int norm = b.BatchNorm(name + "_norm", b.Convolution(name, x, c));
    return b.Silu(name + "_silu", norm);
  };
  const v1::Convolution depthwise = SquareConvolution(24, 3, 2, 24);
  const int stem = block(b.input(), SquareConvolution(12, 3));
  const int wide = block(stem, SquareConvolution(24, 1));
  const int narrow = block(block(wide, depthwise), SquareConvolution(16, 1));
  const int sum = b.Add("sum", {narrow, block(narrow, SquareConvolution(16, 3))});
  b.Linear("classifier", b.GlobalAveragePool("pool", sum), kClasses);
  return b.Build().value();
}

OptimizerSettings Optimizer(OptimizerKind kind) {
  OptimizerSettings settings;
  settings.kind = kind;
  settings.learning_rate = 0.01f;
  settings.momentum = 0.9f;
  settings.weight_decay = 0.01f;
  // Large, or the first steps are the sign of gradients that rounding decides.
  if (kind == OptimizerKind::kAdamW) settings.epsilon = 0.01f;
  return settings;
}

struct Recipe {
  std::string name;
  OptimizerSettings optimizer;
  float smoothing = 0;
  std::vector<float> class_weights;
  bool mixed = false;
};

void PrintTo(const Recipe& recipe, std::ostream* out) { *out << recipe.name; }

std::vector<Recipe> Recipes() {
  std::vector<Recipe> recipes;
  recipes.push_back({"Sgd", Optimizer(OptimizerKind::kSgd), 0, {}, false});
  recipes.push_back({"AdamW", Optimizer(OptimizerKind::kAdamW), 0, {}, false});
  recipes.push_back({"Clipped", Optimizer(OptimizerKind::kNesterov), 0, {}, false});
  recipes.back().optimizer.clip_norm = 0.5f;
  recipes.push_back({"Smoothed", Optimizer(OptimizerKind::kNesterov), 0.1f, {}, false});
  recipes.push_back(
      {"Weighted", Optimizer(OptimizerKind::kNesterov), 0, {1, 2, 0.5f, 3, 0.1f}, false});
  recipes.push_back({"Mixed", Optimizer(OptimizerKind::kNesterov), 0, {}, true});
  recipes.push_back({"All", Optimizer(OptimizerKind::kAdamW), 0.2f, {1, 2, 0.5f, 3, 0.1f}, true});
  recipes.back().optimizer.clip_norm = 0.5f;
  return recipes;
}

class RecipeTest : public ::testing::TestWithParam<Recipe> {};

INSTANTIATE_TEST_SUITE_P(Recipes, RecipeTest, ::testing::ValuesIn(Recipes()),
                         [](const auto& test) { return test.param.name; });

double Difference(const v1::Tensor& got, const reference::Vector& wanted) {
  const std::vector<float> values = TensorValues(got);
  double largest = 0, difference = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    largest = std::max(largest, std::fabs(wanted[i]));
    difference = std::max(difference, std::fabs(values[i] - wanted[i]));
  }
  return difference / std::max(largest, 1e-2);
}

TEST_P(RecipeTest, IsThatOfPlainLoops) {
  Recipe recipe = GetParam();
  recipe.optimizer.average_decay = 0.25f;
  const v1::Model initial = InitialModel(Network(), 3).value();
  PlanOptions options;
  options.adamw = options.average = true;
  ASSERT_OK_AND_ASSIGN(auto plan, TrainingPlan::Create(Network(), kBatch, options));
  ASSERT_OK(plan->ImportModel(initial));
  ASSERT_OK_AND_ASSIGN(reference::Network network, reference::Network::Create(initial));
  Rng rng(7);
  for (int s = 0; s < 4; ++s) {
    const Batch batch = RandomBatch(MakeShape(1, 9, 9), kClasses, kBatch, &rng);
    Targets targets{batch.labels, {}, {}};
    reference::Wanted wanted;
    wanted.labels = batch.labels;
    wanted.smoothing = recipe.smoothing;
    wanted.class_weights.assign(recipe.class_weights.begin(), recipe.class_weights.end());
    const std::vector<uint8_t> others = {4, 0, 2, 1};
    const std::vector<float> shares = {0.75f, 1, 0.5f, 0.625f};
    if (recipe.mixed) {
      targets.others = others;
      targets.shares = shares;
      wanted.others = others;
      wanted.shares.assign(shares.begin(), shares.end());
    }
    ASSERT_OK_AND_ASSIGN(const StepStats stats,
                         plan->Step(batch.images, targets, recipe.optimizer,
                                    LossSettings{recipe.smoothing, recipe.class_weights}));
    const double loss = network.Step(batch.DoubleImages(), wanted, recipe.optimizer);
    EXPECT_NEAR(stats.loss, loss, 2e-3 * (1 + loss)) << "step " << s;
  }
  v1::Model trained, average;
  ASSERT_OK(plan->ExportModel(&trained));
  ASSERT_OK(plan->ExportAverage(&average));
  for (int i = 0; i < trained.tensors_size(); ++i) {
    const v1::Tensor& tensor = trained.tensors(i);
    EXPECT_LT(Difference(tensor, *network.tensor(tensor.node(), tensor.name())), 5e-4)
        << tensor.name() << " of node " << tensor.node();
    EXPECT_LT(Difference(average.tensors(i), network.averages().at({tensor.node(), tensor.name()})),
              5e-4)
        << "average " << tensor.name() << " of node " << tensor.node();
  }
  EXPECT_NE(trained.SerializeAsString(), average.SerializeAsString());
}

TEST_P(RecipeTest, ASavedStateGoesOnToTheSameBits) {
  const Recipe& recipe = GetParam();
  PlanOptions options;
  options.adamw = recipe.optimizer.kind == OptimizerKind::kAdamW;
  options.average = true;
  OptimizerSettings optimizer = recipe.optimizer;
  optimizer.average_decay = 0.9f;
  const auto make = [&] { return TrainingPlan::Create(Network(), kBatch, options).value(); };
  Rng rng(9);
  std::vector<Batch> batches;
  for (int s = 0; s < 5; ++s) {
    batches.push_back(RandomBatch(MakeShape(1, 9, 9), kClasses, kBatch, &rng));
  }
  const auto run = [&](TrainingPlan* plan, size_t begin, size_t end) {
    for (size_t s = begin; s < end; ++s) {
      ASSERT_OK(plan->Step(batches[s].images, Targets{batches[s].labels, {}, {}}, optimizer,
                           LossSettings{recipe.smoothing, recipe.class_weights}));
    }
  };
  auto whole = make();
  ASSERT_OK(whole->ImportModel(InitialModel(Network(), 3).value()));
  run(whole.get(), 0, 5);
  v1::TrainingState wanted, saved, got;
  ASSERT_OK(whole->ExportState(&wanted));

  auto first = make();
  ASSERT_OK(first->ImportModel(InitialModel(Network(), 3).value()));
  run(first.get(), 0, 2);
  ASSERT_OK(first->ExportState(&saved));
  EXPECT_EQ(saved.steps(), 2);
  auto second = make();
  ASSERT_OK(second->ImportState(saved));
  run(second.get(), 2, 5);
  ASSERT_OK(second->ExportState(&got));
  EXPECT_TRUE(got.SerializeAsString() == wanted.SerializeAsString());
}

TEST(TrainingStateTest, OfAnotherPlanIsRefused) {
  PlanOptions full;
  full.adamw = full.average = true;
  ASSERT_OK_AND_ASSIGN(auto plan, TrainingPlan::Create(Network(), kBatch, full));
  ASSERT_OK_AND_ASSIGN(auto plain, TrainingPlan::Create(Network(), kBatch, PlanOptions()));
  ASSERT_OK(plan->ImportModel(InitialModel(Network(), 3).value()));
  ASSERT_OK(plain->ImportModel(InitialModel(Network(), 3).value()));
  v1::TrainingState state, small;
  ASSERT_OK(plan->ExportState(&state));
  ASSERT_OK(plain->ExportState(&small));
  EXPECT_THAT(plain->ImportState(state),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("second moments")));
  EXPECT_THAT(plan->ImportState(small),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has no second moment of")));
  v1::TrainingState cut = state;
  cut.mutable_velocity(0)->mutable_data()->resize(4);
  EXPECT_THAT(plan->ImportState(cut),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has 4 bytes for")));
  EXPECT_THAT(plain->ExportAverage(small.mutable_model()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no average")));
}

TEST(TrainingPlanTest, BadTargetsAndSettings) {
  ASSERT_OK_AND_ASSIGN(auto plan, TrainingPlan::Create(Network(), 2, PlanOptions()));
  const std::vector<float> images(2 * 81);
  const std::vector<uint8_t> labels = {0, 1}, beyond = {0, 5};
  const std::vector<float> shares = {0.5f, 1.5f}, weights = {1, 1, 0, 1, 1};
  const auto step = [&](const Targets& targets, OptimizerKind kind, const LossSettings& loss) {
    return plan->Step(images, targets, Optimizer(kind), loss).status();
  };
  const Targets plain{labels, {}, {}};
  EXPECT_THAT(step({labels, labels, {}}, OptimizerKind::kSgd, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "shares: 0 values, expected 2"));
  EXPECT_THAT(step({labels, beyond, shares}, OptimizerKind::kSgd, {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "other label 5 of sample 1 is not below 5 classes"));
  EXPECT_THAT(
      step({labels, labels, shares}, OptimizerKind::kSgd, {}),
      StatusIs(absl::StatusCode::kInvalidArgument, "share 1.5 of sample 1 is not in [0, 1]"));
  EXPECT_THAT(step(plain, OptimizerKind::kSgd, {0, weights}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "weight 0 of class 2 is not positive and finite"));
  EXPECT_THAT(step(plain, OptimizerKind::kSgd, {0, shares}),
              StatusIs(absl::StatusCode::kInvalidArgument, "class weights: 2 values, expected 5"));
  EXPECT_THAT(step(plain, OptimizerKind::kSgd, {1, {}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "label smoothing 1 is not in [0, 1)"));
  EXPECT_THAT(step(plain, OptimizerKind::kAdamW, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "the plan has no memory for AdamW"));
}

TEST(TrainingPlanTest, NanInputIsDivergenceWithEveryLoss) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float smoothing : {0.0f, 0.1f}) {
    ASSERT_OK_AND_ASSIGN(auto plan, TrainingPlan::Create(Network(), 2, PlanOptions()));
    ASSERT_OK(plan->ImportModel(InitialModel(Network(), 3).value()));
    std::vector<float> images(2 * 81, 0.5f);
    images[5] = nan;
    const std::vector<uint8_t> labels = {0, 1};
    OptimizerSettings optimizer = Optimizer(OptimizerKind::kNesterov);
    optimizer.clip_norm = 1;
    EXPECT_THAT(plan->Step(images, Targets{labels, {}, {}}, optimizer, LossSettings{smoothing, {}}),
                StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("not finite")));
  }
}

TEST(ClipGradientsTest, ScalesToTheLimitAndOnlyThen) {
  std::vector<float> a = {3, 0, 0}, b(40, 0.0f), w(40), v(40);
  b[33] = 4;
  const std::vector<OptimizedParameter> parameters = {{w.data(), a.data(), v.data(), 3, false},
                                                      {w.data(), b.data(), v.data(), 40, false}};
  EXPECT_DOUBLE_EQ(ClipGradients(parameters, 6), 5);
  EXPECT_EQ(a[0], 3);
  EXPECT_DOUBLE_EQ(ClipGradients(parameters, 1), 5);
  EXPECT_NEAR(a[0], 0.6, 1e-6);
  EXPECT_NEAR(b[33], 0.8, 1e-6);
  b[0] = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(std::isfinite(ClipGradients(parameters, 1)));
  EXPECT_NEAR(a[0], 0.6, 1e-6);
}

TEST(AdamWTest, FirstStepIsTheSignAndDecayIsDecoupled) {
  float weight = 2, gradient = -5, first = 0, second = 0;
  OptimizerSettings settings = Optimizer(OptimizerKind::kAdamW);
  settings.epsilon = 1e-8f;
  ASSERT_TRUE(
      AdamWStep({OptimizedParameter{&weight, &gradient, &first, 1, true, &second}}, settings, 1));
  EXPECT_NEAR(weight, 2 * (1 - 0.01 * 0.01) + 0.01, 1e-6);
  EXPECT_NEAR(first, -0.5, 1e-6);
  EXPECT_NEAR(second, 0.025, 1e-6);
}

TEST(TargetCrossEntropyTest, ExtremeLogitsStayFinite) {
  const std::vector<float> logits = {1e4f, -1e4f};
  std::vector<float> gradient(2);
  const std::vector<uint8_t> labels = {0};
  const LossSums sums = TargetCrossEntropy(logits.data(), Targets{labels, {}, {}}, 2,
                                           LossSettings{0.1f, {}}, gradient.data());
  EXPECT_NEAR(sums.loss, 0.05 * 2e4, 1e-2);
  EXPECT_NEAR(gradient[0], 0.05, 1e-6);
  EXPECT_NEAR(gradient[1], -0.05, 1e-6);
}

TEST(ScheduledRateTest, Kinds) {
  ScheduleSettings s;
  s.peak = 0.2;
  s.steps = 100;
  s.warmup_steps = 10;
  const CosineSchedule cosine(0.2, 100, 10);
  for (int64_t i = 0; i < 100; ++i) EXPECT_EQ(ScheduledRate(s, i), cosine.Rate(i));
  s.kind = ScheduleKind::kConstant;
  EXPECT_DOUBLE_EQ(ScheduledRate(s, 4), 0.1);
  EXPECT_DOUBLE_EQ(ScheduledRate(s, 10), 0.2);
  EXPECT_DOUBLE_EQ(ScheduledRate(s, 99), 0.2);
  s.kind = ScheduleKind::kStep;
  s.period_steps = 40;
  EXPECT_DOUBLE_EQ(ScheduledRate(s, 4), 0.1);
  EXPECT_DOUBLE_EQ(ScheduledRate(s, 39), 0.2);
  EXPECT_NEAR(ScheduledRate(s, 40), 0.02, 1e-12);
  EXPECT_NEAR(ScheduledRate(s, 99), 0.002, 1e-12);
  s.kind = ScheduleKind::kOneCycle;
  s.warmup_steps = 0;
  EXPECT_DOUBLE_EQ(ScheduledRate(s, 0), 0.2 / 25);
  EXPECT_DOUBLE_EQ(ScheduledRate(s, 29), 0.2);
  EXPECT_NEAR(ScheduledRate(s, 99), 0.2 / 25e4, 1e-12);
  for (int64_t i = 1; i <= 29; ++i) EXPECT_GT(ScheduledRate(s, i), ScheduledRate(s, i - 1));
  for (int64_t i = 30; i < 100; ++i) EXPECT_LT(ScheduledRate(s, i), ScheduledRate(s, i - 1));
  s.steps = 1;
  EXPECT_DOUBLE_EQ(ScheduledRate(s, 0), 0.2);
}

}  // namespace
}  // namespace frontier::worker
