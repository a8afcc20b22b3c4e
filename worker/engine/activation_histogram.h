// What values an activation takes, for choosing its quantization.
#ifndef FRONTIER_WORKER_ENGINE_ACTIVATION_HISTOGRAM_H_
#define FRONTIER_WORKER_ENGINE_ACTIVATION_HISTOGRAM_H_

#include <array>
#include <cstdint>

#include "absl/types/span.h"

namespace frontier::worker {

// Counts absolute values; the width of a bin doubles whenever a value would not fit. Zeros are not
// counted: every quantization has them exactly.
class ActivationHistogram {
 public:
  void Add(absl::Span<const float> values);

  bool finite() const { return finite_; }      // no NaN and no infinity so far
  bool negative() const { return negative_; }  // a value below zero was seen
  float largest() const { return largest_; }   // absolute value, 0 = none but zeros

  // Where to clip so that the mean squared error is least when [0, limit] is divided into `steps`
  // equal steps: a value within is off by step^2 / 12 in the mean square, one beyond by its
  // distance (Sung et al. 2015, "Resiliency of Deep Neural Networks under Quantization", section
  // 2). At most largest().
  float BestLimit(int steps) const;

 private:
  static constexpr int kBins = 2048;

  void Widen(float largest);

  std::array<int64_t, kBins> counts_ = {};
  float width_ = 0;  // of a bin; 0 = nothing counted
  float largest_ = 0;
  bool finite_ = true;
  bool negative_ = false;
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_ACTIVATION_HISTOGRAM_H_
