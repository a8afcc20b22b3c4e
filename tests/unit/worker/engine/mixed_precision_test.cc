// Training in mixed precision, against f32 and against itself.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "common/architecture/builder.h"
#include "common/architecture/reference.h"
#include "common/base/clock.h"
#include "common/model_io/parameters.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/small_networks.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/engine/engine_cases.h"
#include "worker/engine/training_plan.h"

namespace frontier::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

PlanOptions Mixed(int threads = 1) {
  PlanOptions options;
  options.threads = threads;
  options.precision = Precision::kMixed;
  return options;
}

// Mixed falls back to f32 where the CPU has no bf16 arithmetic.
bool HasMixed() {
  const auto plan = TrainingPlan::Create(
      ReferenceArchitecture("small-cnn", MakeShape(1, 8, 8), 3).value(), 2, Mixed());
  return plan.ok() && (*plan)->precision() == Precision::kMixed;
}

// The change of each tensor after a step, from the same model and batch.
std::vector<std::vector<double>> Change(const v1::Architecture& architecture,
                                        const v1::Model& model, const Batch& batch, int samples,
                                        const PlanOptions& options, double* loss) {
  auto plan = TrainingPlan::Create(architecture, samples, options).value();
  EXPECT_OK(plan->ImportModel(model));
  const auto stats = plan->Step(batch.images, batch.labels, {0.1f, 0, 0});
  EXPECT_OK(stats.status());
  if (stats.ok()) *loss = stats->loss;
  v1::Model trained;
  EXPECT_OK(plan->ExportModel(&trained));
  std::vector<std::vector<double>> changes;
  for (int t = 0; t < trained.tensors_size(); ++t) {
    const std::vector<float> before = TensorValues(model.tensors(t));
    const std::vector<float> after = TensorValues(trained.tensors(t));
    std::vector<double>& change = changes.emplace_back();
    for (size_t i = 0; i < after.size(); ++i) change.push_back(after[i] - before[i]);
  }
  return changes;
}

// To which each run seems to take less time than those before, so that the last implementation
// wins.
class LastIsFastest final : public Clock {
 public:
  absl::Time Now() override { return absl::UnixEpoch(); }
  absl::Duration Elapsed() override {
    step_ *= 0.95;
    return elapsed_ += step_;
  }

 private:
  absl::Duration step_ = absl::Hours(1000000);
  absl::Duration elapsed_;
};

double Norm(const std::vector<double>& a) {
  double sum = 0;
  for (const double v : a) sum += v * v;
  return std::sqrt(sum);
}

double Distance(std::vector<double> a, const std::vector<double>& b) {
  for (size_t i = 0; i < b.size(); ++i) a[i] -= b[i];
  return Norm(a);
}

TEST(MixedPrecisionTest, GoesWhereF32GoesForEveryLayer) {
  if (!HasMixed()) GTEST_SKIP() << "this CPU computes no bf16";
  for (const Layer layer : AllLayers()) {
    for (uint64_t seed = 1; seed <= 6; ++seed) {
      const Case c = RandomLayerCase(layer, seed);
      // A norm over a handful of values amplifies any rounding.
      if (c.batch < 2 || c.architecture.input().height() * c.architecture.input().width() < 9) {
        continue;
      }
      SCOPED_TRACE("layer " + std::to_string(static_cast<int>(layer)) + " " + c.text);
      Rng rng(seed, 99);
      const v1::Model model = InitialModel(c.architecture, seed).value();
      const Batch batch =
          RandomBatch(c.architecture.input(), c.architecture.classes(), c.batch, &rng);
      double f32_loss = 0, mixed_loss = 0;
      const auto f32 = Change(c.architecture, model, batch, c.batch, PlanOptions(), &f32_loss);
      double all = 0;
      for (const std::vector<double>& tensor : f32) all = std::hypot(all, Norm(tensor));
      LastIsFastest clock;
      PlanOptions last = Mixed();
      last.picking_clock = &clock;
      for (const PlanOptions& options : {Mixed(), last}) {
        const auto mixed = Change(c.architecture, model, batch, c.batch, options, &mixed_loss);
        EXPECT_NEAR(mixed_loss, f32_loss, 0.05 * (1 + f32_loss));
        for (int t = 0; t < model.tensors_size(); ++t) {
          const size_t i = static_cast<size_t>(t);
          // What rounding leaves of a gradient that is all but zero is no direction.
          EXPECT_LT(Distance(mixed[i], f32[i]), 0.1 * std::max(Norm(f32[i]), 0.1 * all))
              << model.tensors(t).name() << " of node " << model.tensors(t).node()
              << (options.picking_clock != nullptr ? ", last implementations" : "");
        }
      }
    }
  }
}

TEST(MixedPrecisionTest, APassMayBeFasterInF32) {
  if (!HasMixed()) GTEST_SKIP() << "this CPU computes no bf16";
  ArchitectureBuilder b(MakeShape(3, 9, 9), 5);
  int x = b.ConvolutionNormRelu("first", b.input(), SquareConvolution(24, 3));
  x = b.Relu("second.relu", b.Convolution("second", x, SquareConvolution(24, 3, 2)));
  b.Classifier(b.ConvolutionNormRelu("third", x, SquareConvolution(40, 1)));
  const v1::Architecture architecture = b.Build().value();
  LastIsFastest clock;
  PlanOptions options = Mixed();
  options.picking_clock = &clock;
  ASSERT_OK_AND_ASSIGN(const auto plan, TrainingPlan::Create(architecture, 4, options));
  std::map<std::string, int> passes;
  for (const auto& [key, choice] : plan->picks()) {
    if (absl::StartsWith(choice, "f32:")) ++passes[key.substr(0, key.find(" bf16"))];
  }
  EXPECT_THAT(passes, ElementsAre(Pair("backward data", 2), Pair("backward weights", 3),
                                  Pair("forward", 3)));

  // What is recorded gives the same bits without timing.
  Picks recorded = plan->picks();
  PlanOptions again = Mixed();
  again.picks = &recorded;
  Rng rng(3);
  const v1::Model model = InitialModel(architecture, 3).value();
  const Batch batch = RandomBatch(MakeShape(3, 9, 9), 5, 4, &rng);
  std::vector<std::string> trained;
  ASSERT_OK_AND_ASSIGN(const auto replayed, TrainingPlan::Create(architecture, 4, again));
  EXPECT_EQ(replayed->picks(), plan->picks());
  for (TrainingPlan* p : {plan.get(), replayed.get()}) {
    ASSERT_OK(p->ImportModel(model));
    for (int s = 0; s < 3; ++s) ASSERT_OK(p->Step(batch.images, batch.labels, {0.1f, 0.9f, 0}));
    v1::Model exported;
    ASSERT_OK(p->ExportModel(&exported));
    trained.push_back(exported.SerializeAsString());
  }
  EXPECT_EQ(trained[0], trained[1]);
}

TEST(MixedPrecisionTest, LearnsABatchByHeart) {
  if (!HasMixed()) GTEST_SKIP() << "this CPU computes no bf16";
  for (const std::string& name : testing::SmallNetworks()) {
    SCOPED_TRACE(name);
    const v1::Architecture architecture =
        ReferenceArchitecture(name, MakeShape(1, 20, 20), 5).value();
    ASSERT_OK_AND_ASSIGN(auto plan, TrainingPlan::Create(architecture, 16, Mixed()));
    ASSERT_OK(plan->ImportModel(InitialModel(architecture, 3).value()));
    Rng rng(11);
    const Batch batch = RandomBatch(MakeShape(1, 20, 20), 5, 16, &rng);
    StepStats stats;
    for (int s = 0; s < 40; ++s) {
      ASSERT_OK_AND_ASSIGN(stats, plan->Step(batch.images, batch.labels, {0.02f, 0.9f, 0}));
    }
    EXPECT_LT(stats.loss, 0.3);
    EXPECT_EQ(stats.correct, 16);
  }
}

TEST(MixedPrecisionTest, WithoutBf16ItIsF32AndTimesNothing) {
  if (HasMixed()) GTEST_SKIP() << "this CPU computes bf16";
  const v1::Architecture architecture =
      ReferenceArchitecture("small-cnn", MakeShape(1, 12, 12), 5).value();
  Picks picks;
  SystemClock clock;
  PlanOptions options;
  options.picks = &picks;
  options.picking_clock = &clock;
  for (const Precision precision : {Precision::kMixed, Precision::kAuto}) {
    options.precision = precision;
    ASSERT_OK_AND_ASSIGN(const auto plan, TrainingPlan::Create(architecture, 8, options));
    EXPECT_EQ(plan->precision(), Precision::kF32);
  }
  for (const auto& [key, choice] : picks) EXPECT_NE(key.rfind("precision", 0), 0u) << key;
}

TEST(MixedPrecisionTest, AutoTakesWhatIsRemembered) {
  if (!HasMixed()) GTEST_SKIP() << "this CPU computes no bf16";
  const v1::Architecture architecture =
      ReferenceArchitecture("small-cnn", MakeShape(1, 12, 12), 5).value();
  Picks picks;
  PlanOptions options;
  options.precision = Precision::kAuto;
  options.picks = &picks;
  ASSERT_OK_AND_ASSIGN(auto plan, TrainingPlan::Create(architecture, 8, options));
  EXPECT_EQ(plan->precision(), Precision::kMixed) << "follows from the CPU without timing";
  EXPECT_TRUE(picks.empty());
  SystemClock clock;
  options.picking_clock = &clock;
  ASSERT_OK_AND_ASSIGN(plan, TrainingPlan::Create(architecture, 8, options));
  std::string key;
  for (const auto& [k, choice] : picks) {
    if (k.rfind("precision", 0) == 0) key = k;
  }
  ASSERT_FALSE(key.empty());
  EXPECT_EQ(picks[key], plan->precision() == Precision::kMixed ? "mixed" : "f32");
  for (const char* choice : {"f32", "mixed"}) {
    picks[key] = choice;
    ASSERT_OK_AND_ASSIGN(plan, TrainingPlan::Create(architecture, 8, options));
    EXPECT_EQ(plan->precision() == Precision::kMixed ? "mixed" : "f32", std::string(choice));
    EXPECT_EQ(plan->picks().at(key), choice);
  }
}

TEST(MixedPrecisionTest, AutoIsMixedWhereF32DoesNotFit) {
  if (!HasMixed()) GTEST_SKIP() << "this CPU computes no bf16";
  constexpr int kBatch = 256;  // scratch memory of picks is small beside the maps
  const v1::Architecture architecture =
      ReferenceArchitecture("small-cnn", MakeShape(1, 28, 28), 5).value();
  Picks picks;
  SystemClock clock;
  PlanOptions options;
  options.picks = &picks;
  options.picking_clock = &clock;
  options.precision = Precision::kAuto;
  ASSERT_OK_AND_ASSIGN(auto plan, TrainingPlan::Create(architecture, kBatch, options));
  options.precision = Precision::kMixed;
  ASSERT_OK_AND_ASSIGN(plan, TrainingPlan::Create(architecture, kBatch, options));
  const int64_t mixed_bytes = plan->memory_bytes();
  options.precision = Precision::kF32;
  ASSERT_OK_AND_ASSIGN(plan, TrainingPlan::Create(architecture, kBatch, options));
  ASSERT_GT(plan->memory_bytes(), mixed_bytes);

  for (auto& [key, choice] : picks) {
    if (key.rfind("precision", 0) == 0) choice = "f32";
  }
  options.precision = Precision::kAuto;
  options.admit = [mixed_bytes](int64_t bytes) {
    return bytes <= mixed_bytes ? absl::OkStatus() : absl::ResourceExhaustedError("too much");
  };
  ASSERT_OK_AND_ASSIGN(plan, TrainingPlan::Create(architecture, kBatch, options));
  EXPECT_EQ(plan->precision(), Precision::kMixed);
  EXPECT_EQ(plan->memory_bytes(), mixed_bytes);
}

TEST(MixedPrecisionTest, AMemoryLimitIsNotRememberedAsATiming) {
  if (!HasMixed()) GTEST_SKIP() << "this CPU computes no bf16";
  constexpr int kBatch = 32;  // as many as precisions are compared on
  const v1::Architecture architecture =
      ReferenceArchitecture("small-cnn", MakeShape(1, 28, 28), 5).value();
  ASSERT_OK_AND_ASSIGN(auto plan, TrainingPlan::Create(architecture, kBatch, Mixed()));
  const int64_t mixed_bytes = plan->memory_bytes();
  ASSERT_OK_AND_ASSIGN(plan, TrainingPlan::Create(architecture, kBatch, PlanOptions()));
  const int64_t f32_bytes = plan->memory_bytes();
  ASSERT_GT(f32_bytes, mixed_bytes);
  const auto is_remembered = [&](int64_t limit) {
    Picks picks;
    SystemClock clock;
    PlanOptions options;
    options.precision = Precision::kAuto;
    options.picks = &picks;
    options.picking_clock = &clock;
    options.admit = [limit](int64_t bytes) {
      return bytes <= limit ? absl::OkStatus() : absl::ResourceExhaustedError("too much");
    };
    plan = TrainingPlan::Create(architecture, kBatch, options).value();
    return std::any_of(picks.begin(), picks.end(),
                       [](const auto& pick) { return absl::StartsWith(pick.first, "precision"); });
  };
  EXPECT_FALSE(is_remembered((mixed_bytes + f32_bytes) / 2)) << "f32 does not fit";
  EXPECT_EQ(plan->precision(), Precision::kMixed);
  EXPECT_TRUE(is_remembered(mixed_bytes * 100));
}

TEST(MixedPrecisionTest, RecordedPicksGiveTheSameBits) {
  const v1::Architecture architecture =
      ReferenceArchitecture("small-cnn", MakeShape(1, 12, 12), 5).value();
  SystemClock clock;
  const auto train = [&](bool timed, Picks* picks) {
    PlanOptions options = Mixed(2);
    if (timed) options.picking_clock = &clock;
    options.picks = picks;
    auto plan = TrainingPlan::Create(architecture, 8, options).value();
    EXPECT_OK(plan->ImportModel(InitialModel(architecture, 4).value()));
    Rng rng(6);
    for (int s = 0; s < 3; ++s) {
      const Batch batch = RandomBatch(MakeShape(1, 12, 12), 5, 8, &rng);
      EXPECT_OK(plan->Step(batch.images, batch.labels, {0.05f, 0.9f, 1e-4f}));
    }
    *picks = plan->picks();
    v1::Model model;
    EXPECT_OK(plan->ExportModel(&model));
    return model.SerializeAsString();
  };
  Picks timed;
  const std::string first = train(/*timed=*/true, &timed);
  EXPECT_FALSE(timed.empty());
  Picks again = timed;
  EXPECT_TRUE(train(/*timed=*/false, &again) == first);
  EXPECT_EQ(again, timed);
  // Without timing the picks follow from the CPU alone.
  Picks none, none_again;
  EXPECT_TRUE(train(/*timed=*/false, &none) == train(/*timed=*/false, &none_again));
  EXPECT_EQ(none, none_again);
}

}  // namespace
}  // namespace frontier::worker
