#include "worker/engine/schedule.h"

#include <algorithm>
#include <cmath>

namespace frontier::worker {

CosineSchedule::CosineSchedule(double peak, int64_t steps, double warmup_steps)
    : peak_(peak),
      steps_(static_cast<double>(steps)),
      warmup_steps_(std::clamp(warmup_steps, 0.0, static_cast<double>(steps))) {}

double CosineSchedule::Rate(int64_t step) const {
  const double at = static_cast<double>(step);
  if (at < warmup_steps_) return peak_ * std::min(1.0, (at + 1) / warmup_steps_);
  const double length = std::max(1.0, steps_ - warmup_steps_);
  const double part = std::min(1.0, (at - warmup_steps_) / length);
  return peak_ * 0.5 * (1 + std::cos(3.14159265358979323846 * part));
}

}  // namespace frontier::worker
