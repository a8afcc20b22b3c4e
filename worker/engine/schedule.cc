#include "worker/engine/schedule.h"

#include <algorithm>
#include <cmath>

namespace frontier::worker {
namespace {

constexpr double kPi = 3.14159265358979323846;

double HalfCosine(double from, double to, double part) {
  return to + (from - to) * 0.5 * (1 + std::cos(kPi * part));
}

double OneCycleRate(const ScheduleSettings& s, double at) {
  const double start = s.peak / 25;
  const double last = static_cast<double>(s.steps) - 1;
  const double warmup = s.warmup_steps > 0 ? s.warmup_steps : 0.3 * static_cast<double>(s.steps);
  const double turn = std::clamp(warmup - 1, 0.0, std::max(last, 0.0));  // the step of the peak
  if (at < turn) return HalfCosine(start, s.peak, at / turn);
  if (last <= turn) return s.peak;
  return HalfCosine(s.peak, start / 1e4, std::min(1.0, (at - turn) / (last - turn)));
}

}  // namespace

double ScheduledRate(const ScheduleSettings& settings, int64_t step) {
  const CosineSchedule cosine(settings.peak, settings.steps, settings.warmup_steps);
  if (settings.kind == ScheduleKind::kCosine) return cosine.Rate(step);
  const double at = static_cast<double>(step);
  if (settings.kind == ScheduleKind::kOneCycle) return OneCycleRate(settings, at);
  if (at < std::min(settings.warmup_steps, static_cast<double>(settings.steps))) {
    return cosine.Rate(step);
  }
  if (settings.kind == ScheduleKind::kConstant) return settings.peak;
  return settings.peak * std::pow(settings.factor, std::floor(at / settings.period_steps));
}

CosineSchedule::CosineSchedule(double peak, int64_t steps, double warmup_steps)
    : peak_(peak),
      steps_(static_cast<double>(steps)),
      warmup_steps_(std::clamp(warmup_steps, 0.0, static_cast<double>(steps))) {}

double CosineSchedule::Rate(int64_t step) const {
  const double at = static_cast<double>(step);
  if (at < warmup_steps_) return peak_ * std::min(1.0, (at + 1) / warmup_steps_);
  const double length = std::max(1.0, steps_ - warmup_steps_);
  const double part = std::min(1.0, (at - warmup_steps_) / length);
  return peak_ * 0.5 * (1 + std::cos(kPi * part));
}

}  // namespace frontier::worker
