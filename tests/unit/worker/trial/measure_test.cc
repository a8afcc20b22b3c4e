#include "worker/trial/measure.h"

#include <limits>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/model_io/parameters.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/trial/trial_cases.h"
#include "worker/batching/batches.h"
#include "worker/engine/inference_plan.h"
#include "worker/engine/training_plan.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

class MeasureTest : public ::testing::Test {
 protected:
  void SetUp() override {
    frontier::testing::IdxFolder folder;
    WriteStripes(folder);
    samples_ = ReadSamples(folder.path(), Part::kTrain, kTrialClasses).value();
    v1::DatasetSpec spec;
    spec.set_validation_fraction(0.25);
    split_ = SplitTraining(samples_, spec).value();
    model_ = InitialModel(StripesTask(folder).task().architecture(), 5).value();
    *model_.mutable_normalization() = MeasureNormalization(samples_, split_.train);
    latency_.set_metric(v1::METRIC_LATENCY_MS);
    latency_.set_value(0.5);
    latency_.set_hardware_class("test-class");
    options_.latency = {0, 6, 6, absl::ZeroDuration()};
  }

  Evaluation EvaluateF32(const std::vector<int32_t>& indices) {
    auto plan = InferencePlan::Create(model_, kEvaluationBatch, InferenceOptions()).value();
    return Evaluate(plan.get(), samples_, indices, model_.normalization(), kTrialClasses).value();
  }

  absl::StatusOr<std::vector<MeasuredPrecision>> Measure() {
    return MeasurePrecisions(model_, samples_, split_, EvaluateF32(split_.validation), latency_,
                             &clock_, options_);
  }

  absl::StatusOr<std::vector<v1::PrecisionResult>> Run() {
    ASSIGN_OR_RETURN(const std::vector<MeasuredPrecision> measured, Measure());
    std::vector<v1::PrecisionResult> results;
    for (const MeasuredPrecision& each : measured) results.push_back(each.result);
    return results;
  }

  Samples samples_;
  Split split_;
  v1::Model model_;
  v1::Measurement latency_;
  MeasureOptions options_;
  SystemClock clock_;
};

TEST_F(MeasureTest, EveryPrecisionHasItsFiguresOrAReason) {
  ASSERT_OK_AND_ASSIGN(const std::vector<v1::PrecisionResult> results, Run());
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].precision(), "f32");
  EXPECT_EQ(results[1].precision(), "bf16");
  EXPECT_EQ(results[2].precision(), "int8");
  EXPECT_EQ(results[0].accuracy().value(), EvaluateF32(split_.validation).accuracy);
  EXPECT_EQ(results[0].latency().SerializeAsString(), latency_.SerializeAsString());
  EXPECT_EQ(results[0].accuracy().method(), "validation-split");
  EXPECT_EQ(results[2].accuracy().method(), "validation-split; calibrated on 180 training samples");
  for (const v1::PrecisionResult& result : results) {
    if (!result.reason().empty()) {
      // A CPU without bf16 arithmetic.
      EXPECT_EQ(result.precision(), "bf16");
      EXPECT_THAT(result.reason(), HasSubstr("no bf16 arithmetic"));
      EXPECT_FALSE(result.has_accuracy());
      continue;
    }
    // Of untrained weights, but the same ones.
    EXPECT_NEAR(result.accuracy().value(), results[0].accuracy().value(), 0.1);
    EXPECT_LE(result.accuracy().low(), result.accuracy().value());
    EXPECT_GE(result.accuracy().high(), result.accuracy().value());
    EXPECT_GT(result.latency().value(), 0);
    EXPECT_EQ(result.latency().hardware_class(), "test-class");
    EXPECT_GT(result.weight_bytes(), 8 * 9 + 288 * 3);
  }
}

TEST_F(MeasureTest, TheSubsetIsBoundedSpreadAndTold) {
  options_.most_validation_samples = 20;
  options_.most_calibration_samples = 32;
  ASSERT_OK_AND_ASSIGN(const std::vector<v1::PrecisionResult> results, Run());
  std::vector<int32_t> chosen;
  for (size_t i = 0; i < split_.validation.size(); i += 3) chosen.push_back(split_.validation[i]);
  ASSERT_EQ(chosen.size(), 20u);
  EXPECT_EQ(results[0].accuracy().value(), EvaluateF32(chosen).accuracy);
  EXPECT_EQ(results[0].accuracy().method(), "validation-split, 20 of 60 samples");
  EXPECT_EQ(results[2].accuracy().method(),
            "validation-split, 20 of 60 samples; calibrated on 32 training samples");
}

TEST_F(MeasureTest, WhatAPrecisionFailsWithIsItsStatusAndReason) {
  // Finite in f32 as a weight, but not what comes out.
  for (v1::Tensor& tensor : *model_.mutable_tensors()) {
    std::vector<float> values = TensorValues(tensor);
    if (tensor.name() == "scale") values.assign(values.size(), 3e38f);
    SetTensorValues(values, &tensor);
  }
  ASSERT_OK_AND_ASSIGN(const std::vector<MeasuredPrecision> results, Measure());
  EXPECT_OK(results[0].status);
  // By its code a trial that is for int8 has diverged, and is no fault of its worker.
  EXPECT_THAT(results[2].status,
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("is not finite")));
  EXPECT_EQ(results[2].result.reason(), results[2].status.message());
  EXPECT_FALSE(results[2].result.has_accuracy());
}

TEST_F(MeasureTest, LatencyOfTheModel) {
  ASSERT_OK_AND_ASSIGN(const Latency latency,
                       MeasureModelLatency(model_, samples_, split_, &clock_, options_.latency));
  EXPECT_EQ(latency.runs, 6);
  EXPECT_GT(latency.median_ms, 0);
}

}  // namespace
}  // namespace frontier::worker
