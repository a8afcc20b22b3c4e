#include "worker/engine/kernels/loss.h"

#include <cmath>

namespace frontier::worker {

LossSums SoftmaxCrossEntropy(const float* logits, absl::Span<const uint8_t> labels, int64_t classes,
                             float* gradient) {
  LossSums sums;
  const float scale = 1.0f / static_cast<float>(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    const float* row = logits + static_cast<int64_t>(i) * classes;
    const int64_t label = labels[i];
    int64_t best = 0;
    for (int64_t c = 1; c < classes; ++c) {
      if (row[c] > row[best]) best = c;
    }
    const float largest = row[best];
    const float wanted = row[label];
    double total = 0;
    for (int64_t c = 0; c < classes; ++c) total += std::exp(row[c] - largest);
    const double loss = std::log(total) - (static_cast<double>(wanted) - largest);
    sums.loss += loss;
    sums.squares += loss * loss;
    sums.correct += best == label ? 1 : 0;
    if (gradient == nullptr) continue;
    float* out = gradient + static_cast<int64_t>(i) * classes;
    const float inverse = static_cast<float>(1.0 / total);
    for (int64_t c = 0; c < classes; ++c) {
      const float probability = std::exp(row[c] - largest) * inverse;
      out[c] = (probability - (c == label ? 1.0f : 0.0f)) * scale;
    }
  }
  return sums;
}

}  // namespace frontier::worker
