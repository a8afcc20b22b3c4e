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

// Samples that are typical of those the network will see: a few hundred of its training images.
struct CalibrationSet {
  absl::Span<const float> images;  // any number x C x H x W, normalized
};

struct InferenceOptions {
  int threads = 1;  // compute threads, 1 to kMaxThreads
  InferencePrecision precision = InferencePrecision::kF32;
  // Of kInt8. The calibration set is read by Create alone. A layer with fewer multiply-accumulates
  // for a sample than this, behind an f32 value, stays f32: to quantize its input costs more.
  CalibrationSet calibration = {};
  int64_t least_quantized_macs = 1 << 16;
};

// kF32: all f32. kBf16: weights and activations bf16, sums, biases and logits f32. kInt8: weights
// of convolutions and linear layers in 8 bits with a scale for each output, activations in 8 bits
// with a scale for each value, clipped where the mean squared error on the calibration set is
// least; sums in 32 bits; biases, logits, means over whole maps and the layers that have no
// quantized form (batch norm that is not folded, activations by themselves) f32. How much accuracy
// that costs is to be measured.
//
// Batch norm is folded into the convolution or linear layer before it where that has no other
// use; ReLU and additions run inside convolutions where they can; weights are packed beforehand.
// Not thread-safe; all calls come from one thread, whose number of OpenMP threads they set. A run
// takes no memory beside the plan's, but for short lists of arguments within the library.
class InferencePlan {
 public:
  virtual ~InferencePlan() = default;

  // Prepares `model`, which must fit its architecture (INVALID_ARGUMENT); other errors as
  // TrainingPlan::Create. UNIMPLEMENTED for kBf16 on a CPU without bf16 arithmetic. For kInt8
  // INVALID_ARGUMENT if the calibration set is empty, not a whole number of samples or not finite,
  // OUT_OF_RANGE if an activation on it is not finite.
  static absl::StatusOr<std::unique_ptr<InferencePlan>> Create(const v1::Model& model, int batch,
                                                               const InferenceOptions& options);

  // Takes over the weights of another model of the same architecture. FAILED_PRECONDITION for
  // kInt8: its formats are those of one model.
  virtual absl::Status ImportModel(const v1::Model& model) = 0;

  // `images` is batch x C x H x W, normalized; `logits` batch x classes. INVALID_ARGUMENT for other
  // sizes. For images that are not finite logits are without meaning, finite ones included.
  virtual absl::Status Run(absl::Span<const float> images, absl::Span<float> logits) = 0;

  // As Run, each step timed.
  virtual absl::StatusOr<std::vector<StepTime>> Profile(absl::Span<const float> images,
                                                        absl::Span<float> logits, Clock* clock) = 0;

  // Packed weights and biases.
  virtual int64_t weight_bytes() const = 0;
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
