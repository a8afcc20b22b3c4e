#include "coordinator/core/legs.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/core/composition.h"
#include "coordinator/core/trial_machine.h"
#include "coordinator/core/trial_task.h"
#include "coordinator/strategy/objectives.h"

namespace frontier::coordinator {
namespace {

constexpr int kPool = 4;

int64_t PoolSize(const v1::JobSpec& spec) {
  return spec.screening().pool() == 0 ? kPool : spec.screening().pool();
}

bool IsProbe(const v1::JobSpec& spec, const v1::Trial& trial) {
  return IsProbing(spec) ||
         trial.space_version() < spec.search_space().auto_().composition().version();
}

bool FollowsTraining(v1::Metric metric) {
  return metric == v1::METRIC_ACCURACY || metric == v1::METRIC_LOSS;
}

bool IsOfAttempts(v1::Metric metric) {
  return metric == v1::METRIC_ENERGY_J || metric == v1::METRIC_CO2_G ||
         metric == v1::METRIC_CPU_SECONDS || metric == v1::METRIC_WALL_SECONDS;
}

// The job as it looks on untrained networks: the score in the place of accuracy and loss, nothing
// of what training costs.
v1::JobSpec UntrainedSpec(const v1::JobSpec& spec) {
  v1::JobSpec untrained;
  v1::Objective* score = untrained.add_objectives();
  score->set_metric(v1::METRIC_PROXY);
  score->set_direction(v1::DIRECTION_MAXIMIZE);
  for (const v1::Objective& objective : spec.objectives()) {
    if (FollowsTraining(objective.metric()) || IsOfAttempts(objective.metric())) continue;
    *untrained.add_objectives() = objective;
  }
  for (const v1::Constraint& constraint : spec.constraints()) {
    if (FollowsTraining(constraint.metric()) || IsOfAttempts(constraint.metric())) continue;
    *untrained.add_constraints() = constraint;
  }
  return untrained;
}

}  // namespace

Leg NextLeg(const v1::JobSpec& spec, const Ladders& ladders, const v1::Trial& trial) {
  Leg leg;
  leg.probes = IsProbe(spec, trial);
  if (leg.probes) return leg;
  leg.screens = spec.has_screening() && trial.rungs().empty();
  if (leg.screens) return leg;
  leg.place.bracket = ladders.BracketOf(trial.number());
  leg.place.rung =
      static_cast<int>(std::count_if(trial.rungs().begin(), trial.rungs().end(),
                                     [](const v1::RungResult& rung) { return rung.epochs() > 0; }));
  const Ladder& ladder = ladders.ladder(leg.place.bracket);
  const auto next = static_cast<size_t>(leg.place.rung);
  // A trial whose own recipe ends by then does not pause.
  if (next + 1 < ladder.size() && ladder[next] < RecipeOf(spec, trial).epochs()) {
    leg.until_epoch = ladder[next];
  }
  return leg;
}

bool WaitsForPool(const v1::Trial& trial) {
  return trial.state() == v1::TRIAL_STATE_QUEUED && trial.rungs_size() == 1 &&
         trial.rungs(0).epochs() == 0 && !trial.rungs(0).goes_on();
}

int64_t PoolOf(const v1::JobSpec& spec, int64_t trial) { return (trial - 1) / PoolSize(spec); }

int64_t EndOfPool(const v1::JobSpec& spec, int64_t pool) { return (pool + 1) * PoolSize(spec); }

absl::StatusOr<Observation> ObserveRung(const v1::JobSpec& spec, const v1::Trial& trial,
                                        const v1::RungResult& rung) {
  v1::TrialResult result;
  *result.mutable_measurements() = rung.measurements();
  const v1::JobSpec seen = rung.epochs() == 0 ? UntrainedSpec(spec) : spec;
  absl::StatusOr<std::vector<double>> objectives = MinimizedObjectives(seen, result);
  const absl::StatusOr<double> violation = ConstraintViolation(seen, result);
  for (const absl::Status& status : {objectives.status(), violation.status()}) {
    if (!status.ok()) {
      return absl::DataLossError(absl::StrCat("job ", trial.job_id(), " trial ", trial.number(),
                                              " came to epoch ", rung.epochs(), " but ",
                                              status.message()));
    }
  }
  Observation observation;
  observation.trial = trial.number();
  observation.genotype = trial.genotype();
  observation.origin = trial.origin();
  observation.succeeded = true;
  observation.objectives = *std::move(objectives);
  observation.violation = *violation;
  for (const v1::RungResult& other : trial.rungs()) {
    if (other.end_order() > 0 && other.epochs() < rung.epochs()) observation.again = true;
  }
  return observation;
}

std::optional<std::pair<double, double>> ScoreAndAccuracy(const v1::Trial& trial) {
  if (trial.state() != v1::TRIAL_STATE_SUCCEEDED || trial.rungs().empty()) return std::nullopt;
  const auto find = [](const auto& measurements, v1::Metric metric) -> std::optional<double> {
    for (const v1::Measurement& measurement : measurements) {
      if (measurement.metric() == metric) return measurement.value();
    }
    return std::nullopt;
  };
  const auto score = find(trial.rungs(0).measurements(), v1::METRIC_PROXY);
  const auto accuracy = find(trial.result().measurements(), v1::METRIC_ACCURACY);
  if (!score.has_value() || !accuracy.has_value()) return std::nullopt;
  return std::pair(*score, *accuracy);
}

std::vector<double> CurveOf(const v1::TrialResult& result) {
  std::vector<double> curve;
  for (const v1::EpochMetrics& epoch : result.epochs()) {
    curve.push_back(epoch.validation_accuracy());
  }
  return curve;
}

std::vector<v1::Metric> NeededMetrics(const v1::JobSpec& spec, const Leg& leg) {
  const v1::JobSpec seen = leg.screens ? UntrainedSpec(spec) : spec;
  std::vector<v1::Metric> needed;
  for (const v1::Objective& objective : seen.objectives()) needed.push_back(objective.metric());
  for (const v1::Constraint& constraint : seen.constraints()) {
    needed.push_back(constraint.metric());
  }
  return needed;
}

void AddEarlierLegs(const v1::Trial& trial, v1::TrialResult* result) {
  if (trial.rungs().empty()) return;
  // The last pause's figures have those of the legs before it.
  for (const v1::Measurement& earlier : trial.rungs().rbegin()->measurements()) {
    if (!IsOfAttempts(earlier.metric())) continue;
    for (v1::Measurement& measurement : *result->mutable_measurements()) {
      if (measurement.metric() != earlier.metric()) continue;
      measurement.set_value(measurement.value() + earlier.value());
      measurement.set_low(measurement.low() + earlier.low());
      measurement.set_high(measurement.high() + earlier.high());
    }
  }
}

bool HasCheckpoint(const v1::JobRecord& record, const v1::Trial& trial) {
  if (trial.checkpoint_sha256().empty()) return false;
  return !HasEnded(trial.state()) || trial.ended_unix_us() >= record.reopened_unix_us();
}

}  // namespace frontier::coordinator
