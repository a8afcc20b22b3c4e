#include "coordinator/core/job_state.h"

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

absl::StatusOr<std::unique_ptr<JobState>> JobState::Create(v1::JobRecord record) {
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
  RETURN_IF_ERROR(store.ForEachTrial(
      state->job().id(), [&](const v1::Trial& trial) { return state->TakeTrial(trial, elapsed); }));
  return state;
}

absl::Status JobState::Build() {
  absl::StatusOr<std::unique_ptr<Space>> space =
      CreateSpace(spec().search_space(), spec().dataset().input(), spec().dataset().classes());
  if (!space.ok()) return PrefixField("search_space", space.status());
  absl::StatusOr<std::unique_ptr<Strategy>> strategy = CreateStrategy(spec().strategy());
  if (!strategy.ok()) return PrefixField("strategy", strategy.status());
  space_ = *std::move(space);
  strategy_ = IsProbing(spec()) ? CreateGridStrategy() : *std::move(strategy);
  return absl::OkStatus();
}

absl::Status JobState::TakeTrial(const v1::Trial& trial, absl::Duration elapsed) {
  const TrialNumber number(trial.number());
  hashes_.insert(trial.canonical_hash());
  if (!HasEnded(trial.state())) {
    open_.emplace(number, trial);
    if (trial.state() == v1::TRIAL_STATE_QUEUED) queue_.push_back({number, elapsed});
  } else if (trial.on_front()) {
    absl::StatusOr<std::vector<double>> objectives = MinimizedObjectives(spec(), trial.result());
    if (!objectives.ok()) {
      return absl::DataLossError(absl::StrCat(id().ToString(), " ", number.ToString(),
                                              " is on the front but ",
                                              objectives.status().message()));
    }
    front_.Insert(number.value(), *objectives);
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
