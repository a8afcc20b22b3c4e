// A trained network prepared for inference.
#ifndef FRONTIER_WORKER_ENGINE_INFERENCE_PLAN_H_
#define FRONTIER_WORKER_ENGINE_INFERENCE_PLAN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/clock.h"
#include "frontier/v1/model.pb.h"
#include "worker/engine/training_plan.h"

namespace frontier::worker {

enum class InferencePrecision { kF32, kBf16, kInt8 };

// "f32", "bf16" or "int8".
absl::string_view InferencePrecisionName(InferencePrecision precision);

struct InferenceOptions {
  int threads = 1;  // compute threads, 1 to kMaxThreads
  InferencePrecision precision = InferencePrecision::kF32;
};

// Batch norm is folded into the convolution or linear layer before it where that has no other
// use; ReLU and additions run inside convolutions where they can; weights are packed beforehand.
// Not thread-safe; all calls come from one thread, whose number of OpenMP threads they set. A run
// allocates nothing.
class InferencePlan {
 public:
  virtual ~InferencePlan() = default;

  // Prepares `model`, which must fit its architecture (INVALID_ARGUMENT); other errors as
  // TrainingPlan::Create.
  static absl::StatusOr<std::unique_ptr<InferencePlan>> Create(const v1::Model& model, int batch,
                                                               const InferenceOptions& options);

  // Takes over the weights of another model of the same architecture.
  virtual absl::Status ImportModel(const v1::Model& model) = 0;

  // `images` is batch x C x H x W, normalized; `logits` batch x classes. INVALID_ARGUMENT for other
  // sizes.
  virtual absl::Status Run(absl::Span<const float> images, absl::Span<float> logits) = 0;

  // As Run, each step timed.
  virtual absl::StatusOr<std::vector<StepTime>> Profile(absl::Span<const float> images,
                                                        absl::Span<float> logits, Clock* clock) = 0;

  // Packed weights, activations and scratch memory of the plan.
  virtual int64_t memory_bytes() const = 0;
};

// Compute library, its version and the instruction set it uses: "oneDNN 2.6.3 (avx512_core_bf16)".
std::string EngineDescription();

// Sets the calling thread's number of OpenMP threads and starts them, so that later there is no
// need for memory for their stacks. At least 1.
void StartThreads(int threads);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_INFERENCE_PLAN_H_
