// Softmax cross-entropy.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_LOSS_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_LOSS_H_

#include <cstdint>

#include "absl/types/span.h"

namespace frontier::worker {

struct LossSums {
  double loss = 0;      // sum over samples, nats
  double squares = 0;   // sum of the squares of the samples' losses
  int64_t correct = 0;  // samples whose largest logit is that of their label; of equal ones the
                        // first counts
};

// `logits` is samples x classes, row-major; labels[i] < classes. Adds samples in their order, in
// double. `gradient`, if not null, gets the derivative of the *mean* loss by the logits; it may be
// `logits`. The logarithm of the sum is taken relative to the largest logit, so that it cannot
// overflow.
LossSums SoftmaxCrossEntropy(const float* logits, absl::Span<const uint8_t> labels, int64_t classes,
                             float* gradient);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_LOSS_H_
