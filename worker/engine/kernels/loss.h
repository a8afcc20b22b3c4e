// Softmax cross-entropy.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_LOSS_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_LOSS_H_

#include <cstdint>

#include "absl/types/span.h"

namespace frontier::worker {

struct LossSums {
  double loss = 0;      // sum over samples, nats
  double weight = 0;    // what the sum is divided by for the mean: samples, or their weights
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

// What a batch should be classified as. Samples may be mixed of two classes: sample i is of class
// labels[i] with shares[i], of class others[i] with the rest. Without `others` and `shares` (both
// empty) each is of one class.
struct Targets {
  absl::Span<const uint8_t> labels;
  absl::Span<const uint8_t> others;
  absl::Span<const float> shares;  // in [0, 1]
};

struct LossSettings {
  float label_smoothing = 0;              // [0, 1)
  absl::Span<const float> class_weights;  // one for each class, above 0; empty = all 1
};

// As SoftmaxCrossEntropy for soft targets q: with smoothing s over K classes (Szegedy et al. 2016,
// "Rethinking the Inception Architecture", section 7) t_c = (1 - s) q_c + s / K; the loss of a
// sample is -sum_c w_c t_c log p_c, and the mean is the sum of losses by the sum of w_c q_c: for
// plain labels that of torch.nn.CrossEntropyLoss, for mixed ones mixup's (Zhang et al. 2018,
// equation 2). A mixed sample is correct if its largest logit is that of `labels`. Without
// smoothing, weights and mixing: SoftmaxCrossEntropy itself.
LossSums TargetCrossEntropy(const float* logits, const Targets& targets, int64_t classes,
                            const LossSettings& settings, float* gradient);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_LOSS_H_
