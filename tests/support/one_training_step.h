// That the engine trains, runs and exports a network.
#ifndef FRONTIER_TESTS_SUPPORT_ONE_TRAINING_STEP_H_
#define FRONTIER_TESTS_SUPPORT_ONE_TRAINING_STEP_H_

#include <cmath>
#include <cstdint>
#include <vector>

#include "common/base/random.h"
#include "common/model_io/onnx_export.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "worker/engine/inference_plan.h"
#include "worker/engine/training_plan.h"

namespace frontier::testing {

// Trains `network` for one step of `batch` random samples, infers with the result, and exports it.
inline void ExpectTrainsAndExports(const v1::Architecture& network, int batch) {
  ASSERT_OK_AND_ASSIGN(const auto plan,
                       worker::TrainingPlan::Create(network, batch, worker::PlanOptions{1}));
  ASSERT_OK_AND_ASSIGN(const v1::Model initial, worker::InitialModel(network, /*seed=*/1));
  ASSERT_OK(plan->ImportModel(initial));
  const v1::Shape& input = network.input();
  Rng rng(2);
  std::vector<float> images(
      static_cast<size_t>(int64_t{batch} * input.channels() * input.height() * input.width()));
  for (float& value : images) value = static_cast<float>(rng.Normal());
  std::vector<uint8_t> labels;
  for (int i = 0; i < batch; ++i) {
    labels.push_back(static_cast<uint8_t>(rng.Uniform(static_cast<uint64_t>(network.classes()))));
  }
  ASSERT_OK_AND_ASSIGN(const worker::StepStats stats,
                       plan->Step(images, labels, {0.01f, 0.9f, 1e-4f}));
  EXPECT_TRUE(std::isfinite(stats.loss)) << stats.loss;
  v1::Model trained = initial;
  ASSERT_OK(plan->ExportModel(&trained));
  bool changed = false;
  for (int i = 0; i < trained.tensors_size() && !changed; ++i) {
    changed = trained.tensors(i).name() == "weight" &&
              trained.tensors(i).data() != initial.tensors(i).data();
  }
  EXPECT_TRUE(changed) << "no weight moved";

  ASSERT_OK_AND_ASSIGN(const auto inference,
                       worker::InferencePlan::Create(trained, 1, worker::InferenceOptions{1}));
  std::vector<float> logits(static_cast<size_t>(network.classes()));
  ASSERT_OK(inference->Run(absl::MakeConstSpan(images).subspan(0, images.size() / batch),
                           absl::MakeSpan(logits)));
  for (const float logit : logits) EXPECT_TRUE(std::isfinite(logit));

  for (int c = 0; c < input.channels(); ++c) {
    trained.mutable_normalization()->add_mean(0.5f);
    trained.mutable_normalization()->add_deviation(0.25f);
  }
  EXPECT_OK(ExportOnnx(trained, OnnxInput::kPixels));
}

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_ONE_TRAINING_STEP_H_
