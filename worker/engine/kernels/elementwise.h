// Element by element, over buffers of one memory format. f32, or uint16_t that holds bf16, computed
// in f32; outputs may be inputs.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_ELEMENTWISE_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_ELEMENTWISE_H_

#include <cstdint>

#include "absl/types/span.h"

namespace frontier::worker {

// out = inputs[0] + inputs[1] + ..., added from the left; negative sums become 0 if `relu`.
void Add(absl::Span<const float* const> inputs, int64_t count, bool relu, float* out);

void Add(absl::Span<const uint16_t* const> inputs, int64_t count, bool relu, uint16_t* out);

// out = max(x, 0); NaN stays.
void Relu(const float* x, int64_t count, float* out);
void Relu(const uint16_t* x, int64_t count, uint16_t* out);

// dx = dy where y > 0, else 0, for y = max(x, 0).
void ReluBackward(const float* y, const float* dy, int64_t count, float* dx);
void ReluBackward(const uint16_t* y, const uint16_t* dy, int64_t count, uint16_t* dx);

// out = min(max(x, 0), 6); NaN stays.
void Relu6(const float* x, int64_t count, float* out);

// dx = dy where 0 < y < 6, else 0, for y = min(max(x, 0), 6).
void Relu6Backward(const float* y, const float* dy, int64_t count, float* dx);

// out = x * min(max(x + 3, 0), 6) / 6 (Howard et al. 2019, section 5.2); NaN stays.
void HardSwish(const float* x, int64_t count, float* out);

// dx = dy * (0 for x <= -3, 1 for x >= 3, (2 x + 3) / 6 between).
void HardSwishBackward(const float* x, const float* dy, int64_t count, float* dx);

// out = min(max(x + 3, 0), 6) / 6 (Howard et al. 2019, section 5.2); NaN stays.
void HardSigmoid(const float* x, int64_t count, float* out);

// dx = dy / 6 where -3 < x < 3, else 0.
void HardSigmoidBackward(const float* x, const float* dy, int64_t count, float* dx);

// Moves running statistics towards those of a batch (PyTorch's rule): running = (1 - momentum) *
// running + momentum * batch; the variance of the batch, given over its `samples` values, is made
// unbiased by samples / (samples - 1), but for a single value, whose variance is 0.
void UpdateRunningStatistics(const float* mean, const float* variance, int64_t channels,
                             int64_t samples, float momentum, float* running_mean,
                             float* running_variance);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_ELEMENTWISE_H_
