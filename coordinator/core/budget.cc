#include "coordinator/core/budget.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace frontier::coordinator {
namespace {

constexpr double kJoulesPerKwh = 3.6e6;

// Best first.
constexpr absl::string_view kMethods[] = {
    "external",         "rapl-powercap", "rapl-perf",     "host-tree",
    "model-calibrated", "model-tdp",     "model-default", "none"};

int MethodRank(absl::string_view method) {
  const auto* end = std::end(kMethods);
  return static_cast<int>(std::find(std::begin(kMethods), end, method) - std::begin(kMethods));
}

bool IsUsable(double value) { return std::isfinite(value) && value >= 0; }

// The interval of a measurement, repaired so that it contains the value.
struct Interval {
  double low, high;
};
Interval IntervalOf(const v1::Measurement& m) {
  if (!IsUsable(m.low()) || !IsUsable(m.high()) || m.low() > m.value() || m.high() < m.value()) {
    return {m.value(), m.value()};
  }
  return {m.low(), m.high()};
}

// Seconds until `limit` at the pace `used` per `wall`; nothing if there is no pace yet.
std::optional<double> TimeTo(double limit, double used, double wall) {
  if (used >= limit) return 0.0;
  if (used <= 0 || wall <= 0) return std::nullopt;
  return (limit - used) / used * wall;
}

// Trials that ended here and were not cancelled.
int64_t EndedByAttempts(const v1::Job& job) {
  return OwnSuccesses(job) + job.trials_failed() + job.trials_stopped();
}

}  // namespace

int64_t OwnSuccesses(const v1::Job& job) { return job.trials_succeeded() - job.trials_reused(); }

double WallSeconds(const v1::JobRecord& record, absl::Time now) {
  const v1::Job& job = record.job();
  int64_t until = absl::ToUnixMicros(now);
  if (job.ended_unix_us() != 0) until = job.ended_unix_us();
  double pauses = record.paused_seconds();
  if (record.paused_unix_us() != 0) {
    pauses += static_cast<double>(std::max<int64_t>(0, until - record.paused_unix_us())) * 1e-6;
  }
  const double elapsed = static_cast<double>(until - job.submitted_unix_us()) * 1e-6;
  return std::max(0.0, elapsed - pauses);
}

std::optional<std::string> UsedTrialBudget(const v1::Job& job) {
  const v1::Budget& budget = job.spec().budget();
  if (!budget.has_trials() || job.trials_created() - job.trials_reused() < budget.trials()) {
    return std::nullopt;
  }
  return absl::StrCat("budget of ", budget.trials(), " trials used");
}

std::optional<std::string> UsedResourceBudget(const v1::Job& job, double wall_seconds) {
  const v1::Budget& budget = job.spec().budget();
  const v1::JobUsage& usage = job.usage();
  if (budget.has_wall_seconds() && wall_seconds >= budget.wall_seconds()) {
    return absl::StrCat("budget of ", budget.wall_seconds(), " s wall time used");
  }
  if (budget.has_cpu_seconds() && usage.cpu_seconds() >= budget.cpu_seconds()) {
    return absl::StrCat("budget of ", budget.cpu_seconds(), " s CPU time used");
  }
  if (budget.has_energy_kwh() && usage.energy_kwh() >= budget.energy_kwh()) {
    return absl::StrCat("budget of ", budget.energy_kwh(), " kWh used");
  }
  return std::nullopt;
}

double SecondsLeft(const v1::Job& job) {
  if (job.ended_unix_us() != 0) return 0;
  const v1::Budget& budget = job.spec().budget();
  // Early on, with no trial ended, the wall-time limit is a bound but no estimate.
  if (budget.has_trials() && EndedByAttempts(job) == 0 &&
      job.usage().wall_seconds() < budget.wall_seconds() / 2) {
    return -1;
  }
  const double wall = job.usage().wall_seconds();
  std::optional<double> left;
  const auto consider = [&left](std::optional<double> candidate) {
    if (candidate.has_value()) left = left.has_value() ? std::min(*left, *candidate) : candidate;
  };
  if (budget.has_wall_seconds()) consider(std::max(0.0, budget.wall_seconds() - wall));
  if (budget.has_trials()) {
    const int64_t ended = EndedByAttempts(job) + job.trials_cancelled();
    consider(TimeTo(static_cast<double>(budget.trials()), static_cast<double>(ended), wall));
  }
  if (budget.has_cpu_seconds()) {
    consider(TimeTo(budget.cpu_seconds(), job.usage().cpu_seconds(), wall));
  }
  if (budget.has_energy_kwh()) {
    consider(TimeTo(budget.energy_kwh(), job.usage().energy_kwh(), wall));
  }
  return left.value_or(-1);
}

void RecordUsage(const google::protobuf::RepeatedPtrField<v1::Measurement>& measurements,
                 v1::Attempt* attempt) {
  for (const v1::Measurement& m : measurements) {
    if (!IsUsable(m.value())) continue;
    const Interval interval = IntervalOf(m);
    if (m.metric() == v1::METRIC_CPU_SECONDS) {
      attempt->set_cpu_seconds(m.value());
    } else if (m.metric() == v1::METRIC_ENERGY_J) {
      attempt->set_energy_j(m.value());
      attempt->set_energy_j_low(interval.low);
      attempt->set_energy_j_high(interval.high);
      attempt->set_energy_method(WeakerMethod(attempt->energy_method(), m.method()));
    } else if (m.metric() == v1::METRIC_CO2_G) {
      attempt->set_co2_g(m.value());
      attempt->set_co2_g_low(interval.low);
      attempt->set_co2_g_high(interval.high);
    }
  }
}

void AddUsage(const v1::Attempt& attempt, v1::JobUsage* usage) {
  usage->set_cpu_seconds(usage->cpu_seconds() + attempt.cpu_seconds());
  usage->set_energy_kwh(usage->energy_kwh() + attempt.energy_j() / kJoulesPerKwh);
  usage->set_energy_kwh_low(usage->energy_kwh_low() + attempt.energy_j_low() / kJoulesPerKwh);
  usage->set_energy_kwh_high(usage->energy_kwh_high() + attempt.energy_j_high() / kJoulesPerKwh);
  usage->set_co2_g(usage->co2_g() + attempt.co2_g());
  usage->set_co2_g_low(usage->co2_g_low() + attempt.co2_g_low());
  usage->set_co2_g_high(usage->co2_g_high() + attempt.co2_g_high());
  usage->set_method(WeakerMethod(usage->method(), attempt.energy_method()));
}

std::string WeakerMethod(const std::string& a, const std::string& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return MethodRank(a) >= MethodRank(b) ? a : b;
}

}  // namespace frontier::coordinator
