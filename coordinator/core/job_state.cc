#include "coordinator/core/job_state.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/core/budget.h"
#include "coordinator/core/composition.h"
#include "coordinator/core/parent.h"
#include "coordinator/core/trial_machine.h"
#include "coordinator/strategy/grid.h"
#include "coordinator/strategy/objectives.h"

namespace frontier::coordinator {

// Releases before this one did not count the order; their trials come first, by their times.
struct JobState::Ended {
  int64_t order = 0;
  int64_t unix_us = 0;
  Observation observation;
};

absl::StatusOr<std::unique_ptr<JobState>> JobState::Create(v1::JobRecord record) {
  CompleteStrategy(record.mutable_job()->mutable_spec());
  std::unique_ptr<JobState> state(new JobState(std::move(record)));
  RETURN_IF_ERROR(state->Build());
  *state->record_.mutable_strategy() = state->strategy_->Save();
  state->record_.mutable_job()->set_space_size(state->space_->Size());
  return state;
}

absl::StatusOr<std::unique_ptr<JobState>> JobState::Restore(v1::JobRecord record,
                                                            const Store& store,
                                                            absl::Duration elapsed) {
  std::unique_ptr<JobState> state(new JobState(std::move(record)));
  RETURN_IF_ERROR(state->Build());
  RETURN_IF_ERROR(state->strategy_->Restore(state->record_.strategy()));
  std::vector<Ended> ended;
  RETURN_IF_ERROR(store.ForEachTrial(state->job().id(), [&](const v1::Trial& trial) {
    return state->TakeTrial(trial, elapsed, &ended);
  }));
  std::stable_sort(ended.begin(), ended.end(), [](const Ended& a, const Ended& b) {
    return std::tie(a.order, a.unix_us) < std::tie(b.order, b.unix_us);
  });
  for (Ended& trial : ended) state->history_.push_back(std::move(trial.observation));
  return state;
}

absl::Status JobState::Build() {
  absl::StatusOr<std::unique_ptr<Space>> space =
      CreateSpace(spec().search_space(), spec().dataset().input(), spec().dataset().classes());
  if (!space.ok()) return PrefixField("search_space", space.status());
  absl::StatusOr<std::unique_ptr<Strategy>> strategy = CreateStrategy(spec());
  if (!strategy.ok()) return PrefixField("strategy", strategy.status());
  space_ = *std::move(space);
  strategy_ = IsProbing(spec()) ? CreateGridStrategy() : *std::move(strategy);
  return absl::OkStatus();
}

absl::StatusOr<Observation> JobState::Observe(const v1::JobSpec& spec, const v1::Trial& trial) {
  Observation observation;
  observation.trial = trial.number();
  observation.genotype = trial.genotype();
  observation.origin = trial.origin();
  observation.succeeded = trial.state() == v1::TRIAL_STATE_SUCCEEDED;
  if (!observation.succeeded) return observation;
  absl::StatusOr<std::vector<double>> objectives = MinimizedObjectives(spec, trial.result());
  const absl::StatusOr<double> violation = ConstraintViolation(spec, trial.result());
  for (const absl::Status& status : {objectives.status(), violation.status()}) {
    if (!status.ok()) {
      return absl::DataLossError(absl::StrCat("job ", trial.job_id(), " trial ", trial.number(),
                                              " has succeeded but ", status.message()));
    }
  }
  observation.objectives = *std::move(objectives);
  observation.violation = *violation;
  return observation;
}

std::vector<Running> JobState::RunningAfter(size_t known_ends) const {
  std::vector<Running> running;
  for (const auto& [number, trial] : open_) running.push_back({number.value(), &trial.genotype()});
  for (size_t i = known_ends; i < history_.size(); ++i) {
    running.push_back({history_[i].trial, &history_[i].genotype});
  }
  std::sort(running.begin(), running.end(),
            [](const Running& a, const Running& b) { return a.trial < b.trial; });
  return running;
}

absl::Status JobState::TakeTrial(const v1::Trial& trial, absl::Duration elapsed,
                                 std::vector<Ended>* ended) {
  const TrialNumber number(trial.number());
  hashes_.insert(trial.canonical_hash());
  if (!HasEnded(trial.state())) {
    open_.emplace(number, trial);
    if (trial.state() == v1::TRIAL_STATE_QUEUED) queue_.push_back({number, elapsed});
    return absl::OkStatus();
  }
  // Of probes, which are of another space, and cancelled trials proposals know nothing.
  const bool counts =
      trial.state() != v1::TRIAL_STATE_CANCELLED &&
      trial.space_version() >= spec().search_space().auto_().composition().version();
  if (!counts && !trial.on_front()) return absl::OkStatus();
  ASSIGN_OR_RETURN(Observation observation, Observe(spec(), trial));
  if (trial.on_front()) front_.Insert(number.value(), observation.objectives);
  if (counts) {
    ended->push_back({trial.end_order(), trial.ended_unix_us(), std::move(observation)});
  }
  return absl::OkStatus();
}

const v1::Trial* JobState::FindOpen(TrialNumber number) const {
  const auto it = open_.find(number);
  return it == open_.end() ? nullptr : &it->second;
}

std::optional<TrialNumber> JobState::NextQueued(absl::string_view worker_id,
                                                bool others_can_take_it, absl::Duration elapsed,
                                                absl::Duration patience) const {
  for (const QueuedTrial& queued : queue_) {
    const v1::Trial& trial = open_.at(queued.number);
    const bool failed_here = trial.attempts_size() > 0 &&
                             trial.attempts(trial.attempts_size() - 1).worker_id() == worker_id;
    if (failed_here && others_can_take_it && elapsed - queued.since < patience) continue;
    return queued.number;
  }
  return std::nullopt;
}

bool MayPropose(const v1::Job& job) {
  if (job.state() != v1::JOB_STATE_RUNNING || UsedTrialBudget(job).has_value()) return false;
  return !IsProbing(job.spec()) || !HasProposedAllProbes(job);
}

bool HasWork(const v1::Job& job) {
  if (job.state() != v1::JOB_STATE_RUNNING && job.state() != v1::JOB_STATE_DRAINING) return false;
  return job.trials_queued() > 0 || MayPropose(job);
}

v1::Job ViewJob(const v1::JobRecord& record, const WorkerRegistry& workers, absl::Duration elapsed,
                absl::Time now) {
  v1::Job view = record.job();
  StripParent(view.mutable_spec());
  StripProbes(view.mutable_spec());
  view.mutable_usage()->set_wall_seconds(WallSeconds(record, now));
  view.set_seconds_left(SecondsLeft(view));
  if (HasWork(record.job()))
    view.set_waiting_for(workers.WhyNoWorker(view.spec().dataset(), elapsed));
  return view;
}

}  // namespace frontier::coordinator
