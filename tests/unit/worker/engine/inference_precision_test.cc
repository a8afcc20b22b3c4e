// bf16 and int8 inference against f32.
#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "common/architecture/reference.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/random_architecture.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/engine/engine_cases.h"
#include "tests/unit/worker/engine/model_cases.h"
#include "worker/engine/inference_plan.h"
#include "worker/engine/training_plan.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::OperatorSet;
using ::frontier::testing::RandomArchitecture;
using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

constexpr int kImages = 32;

// Root of the mean square of the difference, relative to that of `wanted`.
double RelativeError(const std::vector<float>& got, const std::vector<float>& wanted) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    difference += std::pow(double{got[i]} - double{wanted[i]}, 2);
    size += std::pow(double{wanted[i]}, 2);
  }
  if (!std::isfinite(difference)) return HUGE_VAL;
  return std::sqrt(difference / std::max(size, 1e-9));
}

// The bound of one case, and that of the mean over many. Rounding to bf16 is off by 2^-8 / sqrt(3)
// = 0.2 % in the mean square; a step of int8, of about 4.5 deviations / 127, by 1 %, and by 2 % for
// weights on CPUs that leave them one bit less. Some six roundings lie between input and logits;
// products of two maps double them.
struct Bound {
  double one = 0;
  double mean = 0;
};

Bound BoundOf(InferencePrecision precision) {
  return precision == InferencePrecision::kBf16 ? Bound{0.02, 0.008} : Bound{0.2, 0.05};
}

// Images serve for calibration, too; every layer is quantized, however small.
InferenceOptions OptionsFor(InferencePrecision precision, const std::vector<float>& images,
                            int threads) {
  InferenceOptions options;
  options.threads = threads;
  options.precision = precision;
  options.calibration.images = images;
  options.least_quantized_macs = 0;
  return options;
}

// Whether the CPU has it; f32 and int8 run everywhere.
bool Available(InferencePrecision precision) {
  ArchitectureBuilder b(MakeShape(1, 1, 1), 2);
  b.Linear("classifier", b.input(), 2);
  const std::vector<float> images = {1};
  const auto plan = InferencePlan::Create(InitialModel(b.Build().value(), 1).value(), 1,
                                          OptionsFor(precision, images, 1));
  return !absl::IsUnimplemented(plan.status());
}

std::vector<float> Logits(const v1::Model& model, int batch, const InferenceOptions& options,
                          const std::vector<float>& images) {
  auto plan = InferencePlan::Create(model, batch, options);
  EXPECT_OK(plan.status());
  const int classes = model.architecture().classes();
  std::vector<float> logits;
  if (!plan.ok()) return logits;
  const size_t step = static_cast<size_t>(batch) * images.size() / kImages;
  for (size_t begin = 0; begin < images.size(); begin += step) {
    std::vector<float> part(static_cast<size_t>(batch * classes));
    EXPECT_OK((*plan)->Run(absl::MakeConstSpan(images).subspan(begin, step), absl::MakeSpan(part)));
    logits.insert(logits.end(), part.begin(), part.end());
  }
  return logits;
}

double ErrorOf(const v1::Architecture& architecture, InferencePrecision precision, uint64_t seed) {
  const v1::Model model = RandomModel(architecture, seed);
  Rng rng(seed, 4000);
  const std::vector<float> images =
      RandomBatch(architecture.input(), architecture.classes(), kImages, &rng).images;
  const int threads = Threads(seed);
  const std::vector<float> wanted =
      Logits(model, kImages, OptionsFor(InferencePrecision::kF32, {}, threads), images);
  const int batches[] = {1, 8, kImages};
  const std::vector<float> got =
      Logits(model, batches[seed % 3], OptionsFor(precision, images, threads), images);
  return got.size() == wanted.size() ? RelativeError(got, wanted) : HUGE_VAL;
}

class PrecisionTest : public ::testing::TestWithParam<InferencePrecision> {
 protected:
  void SetUp() override {
    if (!Available(GetParam())) GTEST_SKIP() << "this CPU has no bf16 arithmetic";
  }
};

std::string NameOf(const ::testing::TestParamInfo<InferencePrecision>& test) {
  return std::string(InferencePrecisionName(test.param));
}

INSTANTIATE_TEST_SUITE_P(Precisions, PrecisionTest,
                         ::testing::Values(InferencePrecision::kF32, InferencePrecision::kBf16,
                                           InferencePrecision::kInt8),
                         NameOf);

// f32 is compared with plain loops elsewhere.
class NarrowTest : public PrecisionTest {};

INSTANTIATE_TEST_SUITE_P(Narrow, NarrowTest,
                         ::testing::Values(InferencePrecision::kBf16, InferencePrecision::kInt8),
                         NameOf);

TEST_P(NarrowTest, LayersAreCloseToF32) {
  const Bound bound = BoundOf(GetParam());
  constexpr uint64_t kSeeds = 8;
  for (const Layer layer : AllLayers()) {
    double sum = 0;
    for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
      const Case c = RandomLayerCase(layer, seed);
      const double error = ErrorOf(c.architecture, GetParam(), seed);
      ASSERT_LT(error, bound.one) << "layer " << static_cast<int>(layer) << ", " << c.text;
      sum += error;
    }
    EXPECT_LT(sum / kSeeds, bound.mean) << "layer " << static_cast<int>(layer);
  }
}

TEST_P(NarrowTest, RandomNetworksAreCloseToF32) {
  // Of up to twelve layers behind each other; errors of independent roundings add up as squares.
  const Bound bound = BoundOf(GetParam());
  constexpr uint64_t kSeeds = 25;
  double sum = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Rng rng(seed, 5000);
    const v1::Architecture architecture =
        RandomArchitecture(Between(&rng, 3, 12), &rng, OperatorSet::kAll);
    const double error = ErrorOf(architecture, GetParam(), seed);
    sum += error;
    ASSERT_LT(error, 3 * bound.one) << "seed " << seed << "\n" << architecture.ShortDebugString();
  }
  EXPECT_LT(sum / kSeeds, 2 * bound.mean);
}

v1::Architecture Reference(const std::string& name) {
  return ReferenceArchitecture(name, MakeShape(3, 16, 16), 10).value();
}

TEST_P(NarrowTest, ReferenceNetworksAreCloseToF32) {
  for (const std::string& name : ReferenceNames()) {
    EXPECT_LT(ErrorOf(Reference(name), GetParam(), 1), BoundOf(GetParam()).one) << name;
  }
}

TEST_P(PrecisionTest, BatchAndThreadsDoNotChangeTheAnswer) {
  const v1::Model model = RandomModel(Reference("mobilenetv2-like"), 3);
  Rng rng(3);
  const std::vector<float> images =
      RandomBatch(model.architecture().input(), 10, kImages, &rng).images;
  const std::vector<float> wanted = Logits(model, 1, OptionsFor(GetParam(), images, 1), images);
  for (const int batch : {4, 16}) {
    for (const int threads : {1, 2}) {
      const std::vector<float> got =
          Logits(model, batch, OptionsFor(GetParam(), images, threads), images);
      // Sums in another order may round to the neighbour, which then spreads.
      const double bound = GetParam() == InferencePrecision::kF32 ? 1e-5 : BoundOf(GetParam()).one;
      EXPECT_LT(RelativeError(got, wanted), bound) << batch << " x " << threads;
    }
  }
}

TEST_P(PrecisionTest, TheSamePlanGivesTheSameBits) {
  const v1::Model model = RandomModel(Reference("resnet20"), 3);
  Rng rng(3);
  const std::vector<float> images =
      RandomBatch(model.architecture().input(), 10, kImages, &rng).images;
  for (const int threads : {1, 2}) {
    const InferenceOptions options = OptionsFor(GetParam(), images, threads);
    EXPECT_EQ(Logits(model, 4, options, images), Logits(model, 4, options, images));
  }
}

TEST(InferencePlanTest, BadCalibrationAndBadImages) {
  const v1::Model model = RandomModel(Reference("small-cnn"), 3);
  const int64_t sample = 3 * 16 * 16;
  const auto create = [&](const std::vector<float>& images) {
    return InferencePlan::Create(model, 1, OptionsFor(InferencePrecision::kInt8, images, 1));
  };
  EXPECT_THAT(create({}), StatusIs(absl::StatusCode::kInvalidArgument,
                                   HasSubstr("calibration images: 0 values, expected a multiple")));
  EXPECT_THAT(create(std::vector<float>(sample + 1)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("769 values")));
  std::vector<float> images(2 * sample, 0.5f);
  images[sample + 2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(create(images),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("value 2 of image 1 is nan")));
  // Finite, but not what the first layer makes of it.
  images.assign(sample, 3e38f);
  EXPECT_THAT(create(images), StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("not finite")));

  // A calibration set of zeros leaves nothing to scale by, and is no error.
  images.assign(sample, 0.0f);
  ASSERT_OK_AND_ASSIGN(auto plan, create(images));
  std::vector<float> logits(10);
  for (const float bad : {1.0f, 1e30f, std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::infinity()}) {
    EXPECT_OK(plan->Run(std::vector<float>(sample, bad), absl::MakeSpan(logits)));
    for (const float v : logits) EXPECT_TRUE(std::isfinite(v)) << bad;
  }
  EXPECT_THAT(plan->Run(std::vector<float>(5), absl::MakeSpan(logits)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("images: 5 values")));
  EXPECT_THAT(plan->ImportModel(model),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another model")));
}

TEST(InferencePlanTest, NarrowPlansTakeLessMemory) {
  const v1::Model model = RandomModel(Reference("resnet20"), 3);
  const std::vector<float> images(3 * 16 * 16, 0.5f);
  ASSERT_OK_AND_ASSIGN(
      auto f32, InferencePlan::Create(model, 1, OptionsFor(InferencePrecision::kF32, {}, 1)));
  ASSERT_OK_AND_ASSIGN(
      auto int8, InferencePlan::Create(model, 1, OptionsFor(InferencePrecision::kInt8, images, 1)));
  EXPECT_LT(int8->weight_bytes(), f32->weight_bytes() / 3);
  EXPECT_LT(int8->memory_bytes(), f32->memory_bytes() / 2);
  EXPECT_GT(int8->memory_bytes(), int8->weight_bytes());
}

// Which sixth of the image is bright, in noise.
Batch Blobs(int count, Rng* rng) {
  constexpr int kSide = 12;
  Batch batch;
  for (int i = 0; i < count; ++i) {
    const int label = static_cast<int>(rng->Uniform(6));
    batch.labels.push_back(static_cast<uint8_t>(label));
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        const bool bright = y / 6 == label / 3 && x / 4 == label % 3;
        batch.images.push_back(static_cast<float>((bright ? 1.0 : 0.0) + 1.2 * rng->Normal()));
      }
    }
  }
  return batch;
}

double Accuracy(const v1::Model& model, InferencePrecision precision, const Batch& test,
                const std::vector<float>& calibration) {
  InferenceOptions options;
  options.precision = precision;
  options.calibration.images = calibration;
  const int count = static_cast<int>(test.labels.size());
  auto plan = InferencePlan::Create(model, count, options);
  EXPECT_OK(plan.status());
  if (!plan.ok()) return 0;
  std::vector<float> logits(static_cast<size_t>(count) * 6);
  EXPECT_OK((*plan)->Run(test.images, absl::MakeSpan(logits)));
  int correct = 0;
  for (int i = 0; i < count; ++i) {
    const auto begin = logits.begin() + 6 * i;
    correct += std::max_element(begin, begin + 6) - begin == test.labels[static_cast<size_t>(i)];
  }
  return static_cast<double>(correct) / count;
}

TEST_P(NarrowTest, ATrainedNetworkKeepsItsAccuracy) {
  // Inverted residuals and a concatenation, with a large map for the stem to be quantized.
  ArchitectureBuilder b(MakeShape(1, 12, 12), 6);
  int x = b.ConvolutionNormRelu("stem", b.input(), SquareConvolution(16, 3));
  int y = b.ConvolutionNormRelu("expand", x, SquareConvolution(32, 1));
  y = b.ConvolutionNormRelu("depthwise", y, SquareConvolution(32, 3, 1, /*groups=*/0));
  y = b.ConvolutionNorm("project", y, SquareConvolution(16, 1));
  x = b.Add("add", {x, y});
  x = b.Concat("concat", {b.ConvolutionNormRelu("narrow", x, SquareConvolution(8, 1, 2)),
                          b.ConvolutionNormRelu("wide", x, SquareConvolution(16, 3, 2))});
  b.Linear("classifier", x, 6);
  const v1::Architecture architecture = b.Build().value();
  auto training = TrainingPlan::Create(architecture, 32, PlanOptions{}).value();
  ASSERT_OK(training->ImportModel(InitialModel(architecture, 1).value()));
  Rng rng(7);
  for (int step = 0; step < 120; ++step) {
    const Batch batch = Blobs(32, &rng);
    ASSERT_OK(training->Step(batch.images, batch.labels, {0.05f, 0.9f, 1e-4f}));
  }
  v1::Model model;
  ASSERT_OK(training->ExportModel(&model));
  const Batch calibration = Blobs(64, &rng), test = Blobs(1000, &rng);
  const double f32 = Accuracy(model, InferencePrecision::kF32, test, {});
  EXPECT_GT(f32, 0.9);
  // Of 1,000 samples a few lie so near to a border that rounding decides.
  EXPECT_NEAR(Accuracy(model, GetParam(), test, calibration.images), f32,
              GetParam() == InferencePrecision::kBf16 ? 0.005 : 0.02);
}

TEST(InferencePlanTest, ProfileNamesEachStep) {
  const v1::Model model = RandomModel(Reference("mobilenetv2-like"), 3);
  const std::vector<float> images(3 * 16 * 16, 0.5f);
  ASSERT_OK_AND_ASSIGN(
      auto plan, InferencePlan::Create(model, 1, OptionsFor(InferencePrecision::kInt8, images, 1)));
  SystemClock clock;
  std::vector<float> logits(10), wanted(10);
  ASSERT_OK_AND_ASSIGN(const std::vector<StepTime> times,
                       plan->Profile(images, absl::MakeSpan(logits), &clock));
  ASSERT_OK(plan->Run(images, absl::MakeSpan(wanted)));
  EXPECT_EQ(logits, wanted);
  std::string labels;
  for (const StepTime& time : times) {
    EXPECT_GE(time.milliseconds, 0);
    EXPECT_FALSE(time.implementation.empty()) << time.label;
    labels += time.label + "\n";
  }
  EXPECT_THAT(labels, HasSubstr("stem"));
  EXPECT_THAT(labels, HasSubstr("classifier"));
}

}  // namespace
}  // namespace frontier::worker
