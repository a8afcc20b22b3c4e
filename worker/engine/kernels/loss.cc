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
    sums.weight += 1;
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

namespace {

// Weight and target of class `c` of sample `i`.
struct Soft {
  const Targets& targets;
  const LossSettings& settings;
  float spread;  // of the smoothing, to each class

  float weight(int64_t c) const {
    return settings.class_weights.empty() ? 1.0f : settings.class_weights[static_cast<size_t>(c)];
  }
  float share(size_t i) const { return targets.shares.empty() ? 1.0f : targets.shares[i]; }
  float given(size_t i, int64_t c) const {
    float q = c == targets.labels[i] ? share(i) : 0.0f;
    if (!targets.others.empty() && c == targets.others[i]) q += 1.0f - share(i);
    return q;
  }
  float target(size_t i, int64_t c) const {
    return weight(c) * ((1.0f - settings.label_smoothing) * given(i, c) + spread);
  }
};

}  // namespace

LossSums TargetCrossEntropy(const float* logits, const Targets& targets, int64_t classes,
                            const LossSettings& settings, float* gradient) {
  if (settings.label_smoothing == 0 && settings.class_weights.empty() && targets.others.empty()) {
    return SoftmaxCrossEntropy(logits, targets.labels, classes, gradient);
  }
  const Soft soft{targets, settings, settings.label_smoothing / static_cast<float>(classes)};
  LossSums sums;
  const size_t samples = targets.labels.size();
  for (size_t i = 0; i < samples; ++i) {
    const int64_t label = targets.labels[i];
    sums.weight += static_cast<double>(soft.share(i)) * soft.weight(label);
    if (targets.others.empty()) continue;
    sums.weight += (1.0 - soft.share(i)) * soft.weight(targets.others[i]);
  }
  const float scale = static_cast<float>(1.0 / sums.weight);
  for (size_t i = 0; i < samples; ++i) {
    const float* row = logits + static_cast<int64_t>(i) * classes;
    int64_t best = 0;
    for (int64_t c = 1; c < classes; ++c) {
      if (row[c] > row[best]) best = c;
    }
    const float largest = row[best];
    double total = 0;
    for (int64_t c = 0; c < classes; ++c) total += std::exp(row[c] - largest);
    const double log_total = std::log(total);
    double loss = 0, mass = 0;
    for (int64_t c = 0; c < classes; ++c) {
      const double target = soft.target(i, c);
      mass += target;
      // A logit of minus infinity is no loss where nothing is wanted of it.
      if (target > 0) loss += target * (log_total - (static_cast<double>(row[c]) - largest));
    }
    // NaN in a class nobody wants is divergence all the same.
    if (std::isnan(total)) loss = total;
    sums.loss += loss;
    sums.squares += loss * loss;
    sums.correct += best == targets.labels[i] ? 1 : 0;
    if (gradient == nullptr) continue;
    float* out = gradient + static_cast<int64_t>(i) * classes;
    const float inverse = static_cast<float>(mass / total);
    for (int64_t c = 0; c < classes; ++c) {
      out[c] = (std::exp(row[c] - largest) * inverse - soft.target(i, c)) * scale;
    }
  }
  return sums;
}

}  // namespace frontier::worker
