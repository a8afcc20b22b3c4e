// Sets values to zero at random.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_DROPOUT_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_DROPOUT_H_

#include "worker/engine/kernels/channel_layout.h"
#include "worker/engine/kernels/dropout_mask.h"

namespace frontier::worker {

// out = x * scale where the mask keeps, else 0; also the backward pass, of a gradient. f32; `out`
// may be `x`. Padded channels become 0.
void Dropout(const DropoutMask& mask, const ChannelLayout& layout, const float* x, float* out);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_DROPOUT_H_
