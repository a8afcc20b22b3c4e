// Stochastic gradient descent with Nesterov momentum.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_SGD_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_SGD_H_

#include <cstdint>

#include "absl/types/span.h"

namespace frontier::worker {

struct SgdSettings {
  float learning_rate = 0;
  float momentum = 0;
  float weight_decay = 0;  // L2; for parameters marked as decayed
};

struct SgdParameter {
  float* weight = nullptr;
  const float* gradient = nullptr;
  float* velocity = nullptr;  // zero before the first step
  int64_t count = 0;
  bool decayed = false;
};

// PyTorch's formulation (torch.optim.SGD with nesterov=True, dampening 0; Sutskever et al. 2013):
// g += decay * w; v = momentum * v + g; w -= learning_rate * (g + momentum * v). Returns whether
// all new weights are finite.
[[nodiscard]] bool SgdStep(absl::Span<const SgdParameter> parameters, const SgdSettings& settings);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_SGD_H_
