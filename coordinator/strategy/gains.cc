#include "coordinator/strategy/gains.h"

#include <algorithm>

#include "common/pareto/pareto.h"
#include "coordinator/strategy/preference.h"

namespace frontier::coordinator {

double Gains::Add(const Observation& trial) {
  if (trial.violation > 0) {
    const double before = least_violation_;
    least_violation_ = std::min(least_violation_, LimitedViolation(trial.violation));
    return feasible_ ? 0 : before - least_violation_;
  }
  const double found_feasible = feasible_ ? 0 : least_violation_;
  feasible_ = true;
  std::vector<double> values;
  for (const double value : trial.objectives) values.push_back(Bounded(value));
  if (MoveReference(values)) Rebuild(front_.size());
  if (Keep(values)) Rebuild(front_.size() - 1);
  const double gained = archive_->Insert(values);
  const double volume = archive_->volume();
  return std::max(found_feasible, volume > 0 ? gained / volume : 0.0);
}

bool Gains::MoveReference(const std::vector<double>& values) {
  if (reference_.empty()) {
    reference_ = values;
    return true;
  }
  bool moved = false;
  for (size_t m = 0; m < values.size(); ++m) {
    moved |= values[m] > reference_[m];
    reference_[m] = std::max(reference_[m], values[m]);
  }
  return moved;
}

// Makes `values` the last of the front, unless it is dominated; whether another had to go for it
// that it does not dominate.
bool Gains::Keep(const std::vector<double>& values) {
  for (const std::vector<double>& point : front_) {
    if (point == values || Dominates(point, values)) return false;
  }
  front_.erase(std::remove_if(front_.begin(), front_.end(),
                              [&](const auto& point) { return Dominates(values, point); }),
               front_.end());
  front_.push_back(values);
  if (front_.size() <= (values.size() > 3 ? kMostKeptOfMany : kMostKept)) return false;
  front_.pop_front();
  return true;
}

// Of the first `points` of the front.
void Gains::Rebuild(size_t points) {
  archive_ = *HypervolumeArchive::Create(reference_);
  for (size_t i = 0; i < points; ++i) archive_->Insert(front_[i]);
}

}  // namespace frontier::coordinator
