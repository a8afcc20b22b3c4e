#include "worker/engine/activation_histogram.h"

#include <algorithm>
#include <cmath>

namespace frontier::worker {

void ActivationHistogram::Widen(float largest) {
  if (width_ == 0) {
    // A power of two, so that bins can be put together exactly.
    width_ = std::ldexp(1.0f, std::ilogb(largest) + 1) / kBins;
    return;
  }
  while (width_ * kBins <= largest) {
    for (size_t i = 0; i < kBins; ++i) {
      counts_[i] = i < kBins / 2 ? counts_[2 * i] + counts_[2 * i + 1] : 0;
    }
    width_ *= 2;
  }
}

void ActivationHistogram::Add(absl::Span<const float> values) {
  float largest = 0;
  for (const float v : values) {
    if (!std::isfinite(v)) {
      finite_ = false;
      return;
    }
    negative_ = negative_ || v < 0;
    largest = std::max(largest, std::fabs(v));
  }
  // Below this a bin's width is no normal number; such values are zeros to any quantization.
  if (largest < 1e-30f) return;
  largest_ = std::max(largest_, largest);
  Widen(largest);
  const float bins_per_unit = 1 / width_;
  for (const float v : values) {
    if (v == 0) continue;
    const int bin = static_cast<int>(std::fabs(v) * bins_per_unit);
    ++counts_[static_cast<size_t>(std::min(bin, kBins - 1))];
  }
}

float ActivationHistogram::BestLimit(int steps) const {
  if (width_ == 0) return 0;
  double within = 0;  // counted values
  for (const int64_t count : counts_) within += static_cast<double>(count);
  // Of the values beyond the limit: how many, their sum, the sum of their squares.
  double beyond = 0, sum = 0, squares = 0;
  float best = largest_;
  const double whole_step = double{largest_} / steps;
  double least = within * whole_step * whole_step / 12;
  for (int bin = kBins - 1; bin > 0; --bin) {
    const double count = static_cast<double>(counts_[static_cast<size_t>(bin)]);
    const double middle = (bin + 0.5) * double{width_};
    within -= count;
    beyond += count;
    sum += count * middle;
    squares += count * middle * middle;
    const double limit = bin * double{width_};  // this bin and those above are clipped
    if (limit >= double{largest_}) continue;
    const double step = limit / steps;
    const double error =
        within * step * step / 12 + squares - 2 * limit * sum + limit * limit * beyond;
    if (error < least) {
      least = error;
      best = static_cast<float>(limit);
    }
  }
  return best;
}

}  // namespace frontier::worker
