#include "coordinator/strategy/objectives.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace frontier::coordinator {
namespace {

absl::StatusOr<double> FindValue(const v1::TrialResult& result, v1::Metric metric) {
  for (const v1::Measurement& measurement : result.measurements()) {
    if (measurement.metric() != metric) continue;
    if (!std::isfinite(measurement.value())) {
      return absl::InvalidArgumentError(
          absl::StrCat(v1::Metric_Name(metric), " is ", measurement.value(), ", not finite"));
    }
    return measurement.value();
  }
  return absl::InvalidArgumentError(absl::StrCat(v1::Metric_Name(metric), " was not measured"));
}

// 0 if the constraint holds.
absl::StatusOr<double> RelativeViolation(const v1::Constraint& constraint, double value) {
  double excess = 0;
  switch (constraint.comparison()) {
    case v1::COMPARISON_AT_MOST:
      excess = value - constraint.bound();
      break;
    case v1::COMPARISON_AT_LEAST:
      excess = constraint.bound() - value;
      break;
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("constraint on ", v1::Metric_Name(constraint.metric()), " has comparison ",
                       static_cast<int>(constraint.comparison())));
  }
  if (excess <= 0) return 0;
  const double scale = constraint.bound() == 0 ? 1 : std::abs(constraint.bound());
  return std::min(excess / scale, std::numeric_limits<double>::max());
}

}  // namespace

absl::StatusOr<std::vector<double>> MinimizedObjectives(const v1::JobSpec& job,
                                                        const v1::TrialResult& result) {
  std::vector<double> values;
  values.reserve(job.objectives_size());
  for (const v1::Objective& objective : job.objectives()) {
    ASSIGN_OR_RETURN(const double value, FindValue(result, objective.metric()));
    switch (objective.direction()) {
      case v1::DIRECTION_MINIMIZE:
        values.push_back(value);
        break;
      case v1::DIRECTION_MAXIMIZE:
        values.push_back(-value);
        break;
      default:
        return absl::InvalidArgumentError(
            absl::StrCat("objective ", v1::Metric_Name(objective.metric()), " has direction ",
                         static_cast<int>(objective.direction())));
    }
  }
  return values;
}

absl::StatusOr<double> ConstraintViolation(const v1::JobSpec& job, const v1::TrialResult& result) {
  double sum = 0;
  for (const v1::Constraint& constraint : job.constraints()) {
    ASSIGN_OR_RETURN(const double value, FindValue(result, constraint.metric()));
    ASSIGN_OR_RETURN(const double violation, RelativeViolation(constraint, value));
    sum = std::min(sum + violation, std::numeric_limits<double>::max());
  }
  return sum;
}

bool MeetsAnalyticConstraints(const v1::JobSpec& job, int64_t parameters, int64_t macs) {
  return std::all_of(job.constraints().begin(), job.constraints().end(),
                     [&](const v1::Constraint& constraint) {
                       int64_t value = 0;
                       if (constraint.metric() == v1::METRIC_PARAMETERS) {
                         value = parameters;
                       } else if (constraint.metric() == v1::METRIC_MACS) {
                         value = macs;
                       } else {
                         return true;
                       }
                       const absl::StatusOr<double> violation =
                           RelativeViolation(constraint, static_cast<double>(value));
                       return violation.ok() && *violation == 0;
                     });
}

}  // namespace frontier::coordinator
