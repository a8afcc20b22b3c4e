// Products of maps, and of maps with one factor for each sample and channel (squeeze-and-excite, Hu
// et al. 2018, section 3.2). All f32; outputs may be inputs of the same format.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_GATE_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_GATE_H_

#include <cstdint>

#include "worker/engine/kernels/channel_layout.h"

namespace frontier::worker {

// out = a * b, element by element.
void Multiply(const float* a, const float* b, int64_t count, float* out);

// out = x * gate; `gate` is batch x channels. Padded channels become 0. Also the derivative by x,
// given that of the output.
void Gate(const ChannelLayout& layout, const float* x, const float* gate, float* out);

// dgate (batch x channels) = sum over the positions of dy * x, in a fixed order.
void GateGradient(const ChannelLayout& layout, const float* x, const float* dy, float* dgate);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_GATE_H_
