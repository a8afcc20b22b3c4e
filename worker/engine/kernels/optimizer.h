// Weight updates. All f32, in place; the same values and number of threads give the same bits.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_OPTIMIZER_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_OPTIMIZER_H_

#include <cstdint>

#include "absl/types/span.h"

namespace frontier::worker {

enum class OptimizerKind { kNesterov, kSgd, kAdamW };

struct OptimizerSettings {
  float learning_rate = 0;
  float momentum = 0;      // of AdamW: beta 1
  float weight_decay = 0;  // for parameters marked as decayed
  OptimizerKind kind = OptimizerKind::kNesterov;
  float beta2 = 0.999f;     // of AdamW
  float epsilon = 1e-8f;    // of AdamW
  float clip_norm = 0;      // 0 = no limit
  float average_decay = 0;  // of the moving average of the weights, if there is one
};

struct OptimizedParameter {
  float* weight = nullptr;
  float* gradient = nullptr;  // changed by ClipGradients alone
  float* velocity = nullptr;  // zero before the first step; of AdamW: first moment
  int64_t count = 0;
  bool decayed = false;
  float* second_moment = nullptr;  // of AdamW; zero before the first step
};

// PyTorch's formulation (torch.optim.SGD, dampening 0; Sutskever et al. 2013, "On the importance of
// initialization and momentum in deep learning"): g += decay * w; v = momentum * v + g;
// w -= learning_rate * (g + momentum * v) for kNesterov, learning_rate * v for kSgd. Returns
// whether all new weights are finite.
[[nodiscard]] bool SgdStep(absl::Span<const OptimizedParameter> parameters,
                           const OptimizerSettings& settings);

// Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2, in PyTorch's
// formulation (torch.optim.AdamW): w -= learning_rate * decay * w; m = b1 * m + (1 - b1) * g;
// v = b2 * v + (1 - b2) * g^2; w -= learning_rate / (1 - b1^t) * m / (sqrt(v / (1 - b2^t)) +
// epsilon). `step` is t, from 1. Returns whether all new weights are finite.
[[nodiscard]] bool AdamWStep(absl::Span<const OptimizedParameter> parameters,
                             const OptimizerSettings& settings, int64_t step);

// Euclidean norm of all gradients together, summed in double in an order that does not depend on
// the number of threads. Pascanu et al. 2013, "On the difficulty of training recurrent neural
// networks", algorithm 1, as torch.nn.utils.clip_grad_norm_: gradients are scaled by limit / (norm
// + 1e-6) if that is below 1. Returns the norm before; gradients stay if it is not finite.
double ClipGradients(absl::Span<const OptimizedParameter> parameters, double limit);

// average = decay * average + (1 - decay) * weight (Polyak and Juditsky 1992).
void UpdateAverage(const float* weight, int64_t count, float decay, float* average);

// Decay after `step` steps, from 1: young averages forget their beginning faster, min(decay,
// (1 + step) / (10 + step)), as TensorFlow's ExponentialMovingAverage with num_updates.
float AverageDecay(float decay, int64_t step);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_OPTIMIZER_H_
