#include "coordinator/core/job_state.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/core/budget.h"
#include "coordinator/core/composition.h"
#include "coordinator/core/legs.h"
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
  std::optional<RungPlace> pause = std::nullopt;  // if it came to a rung
  bool goes_on = false;                           // from there
  std::vector<double> curve = {};                 // of a trial's end
  bool whole = false;                             // that was trained by its whole recipe
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
  const auto trials = static_cast<size_t>(state->job().trials_created());
  ended.reserve(trials);
  state->hashes_.reserve(trials);
  const auto take = [&](const v1::Trial& trial) -> absl::Status {
    if (HasEnded(trial.state())) return state->TakeTrial(trial, elapsed, &ended);
    ASSIGN_OR_RETURN(const v1::Trial whole, store.GetTrial(trial.job_id(), trial.number()));
    return state->TakeTrial(whole, elapsed, &ended);
  };
  RETURN_IF_ERROR(store.ForEachOutline(state->job().id(), take));
  // Those that are alike stay in the order of their numbers.
  std::vector<std::tuple<int64_t, int64_t, size_t>> order;
  order.reserve(ended.size());
  for (size_t i = 0; i < ended.size(); ++i) {
    order.emplace_back(ended[i].order, ended[i].unix_us, i);
  }
  std::sort(order.begin(), order.end());
  state->history_.reserve(ended.size());
  for (const auto& [end_order, unix_us, i] : order) {
    Ended& trial = ended[i];
    if (trial.pause.has_value()) {
      state->rungs_.Add(*trial.pause, trial.observation);
      if (trial.goes_on) state->rungs_.GoOn(trial.observation.trial);
    }
    state->curves_.Add(trial.curve, trial.whole);
    state->history_.push_back(std::move(trial.observation));
  }
  state->rungs_.Keep();
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
  // What a screened network would have come to is not known.
  observation.succeeded = trial.state() == v1::TRIAL_STATE_SUCCEEDED ||
                          (trial.state() == v1::TRIAL_STATE_STOPPED &&
                           trial.early_stop().cause() != v1::STOP_CAUSE_SCREENED);
  observation.again = std::any_of(trial.rungs().begin(), trial.rungs().end(),
                                  [](const v1::RungResult& rung) { return rung.end_order() > 0; });
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
  for (const auto& [number, trial] : open_) {
    // Of one that came to a rung the history tells.
    const bool told = std::any_of(trial.rungs().begin(), trial.rungs().end(),
                                  [](const v1::RungResult& rung) { return rung.end_order() > 0; });
    if (!told) running.push_back({number.value(), &trial.genotype()});
  }
  for (size_t i = known_ends; i < history_.size(); ++i) {
    if (!history_[i].again) running.push_back({history_[i].trial, &history_[i].genotype});
  }
  std::sort(running.begin(), running.end(),
            [](const Running& a, const Running& b) { return a.trial < b.trial; });
  return running;
}

absl::Status JobState::TakeTrial(const v1::Trial& trial, absl::Duration elapsed,
                                 std::vector<Ended>* ended) {
  const TrialNumber number(trial.number());
  hashes_.insert(trial.canonical_hash());
  if (HasCheckpoint(record_, trial)) checkpoints_[trial.number()] = trial.checkpoint_sha256();
  RETURN_IF_ERROR(TakeRungs(trial, ended));
  if (!HasEnded(trial.state())) {
    v1::Trial& open = open_.emplace(number, trial).first->second;
    architectures_[number].Swap(open.mutable_architecture());
    open.clear_architecture();
    if (trial.state() == v1::TRIAL_STATE_QUEUED && !WaitsForPool(trial)) {
      queue_.push_back({number, elapsed});
    }
    return absl::OkStatus();
  }
  // The history tells of it at its last rung.
  if (trial.state() == v1::TRIAL_STATE_STOPPED && trial.end_order() == 0) return absl::OkStatus();
  // Of probes, which are of another space, and cancelled trials proposals know nothing.
  const bool counts =
      trial.state() != v1::TRIAL_STATE_CANCELLED &&
      trial.space_version() >= spec().search_space().auto_().composition().version();
  if (!counts && !trial.on_front()) return absl::OkStatus();
  ASSIGN_OR_RETURN(Observation observation, Observe(spec(), trial));
  if (trial.on_front()) front_.Insert(number.value(), observation.objectives);
  if (const auto score = ScoreAndAccuracy(trial); score.has_value()) scores_.push_back(*score);
  if (counts) {
    ended->push_back({trial.end_order(), trial.ended_unix_us(), std::move(observation)});
    if (curves_.wanted() && !IsProbing(spec()) && ended->back().observation.succeeded) {
      ended->back().curve = CurveOf(trial.result());
      ended->back().whole = trial.state() == v1::TRIAL_STATE_SUCCEEDED;
    }
  }
  return absl::OkStatus();
}

absl::Status JobState::TakeRungs(const v1::Trial& trial, std::vector<Ended>* ended) const {
  int rung = 0;  // of its ladder
  for (const v1::RungResult& result : trial.rungs()) {
    if (result.epochs() == 0) continue;
    const RungPlace place{ladders_.BracketOf(trial.number()), rung++};
    ASSIGN_OR_RETURN(Observation observation, ObserveRung(spec(), trial, result));
    Ended end{result.end_order(), 0, std::move(observation)};
    end.pause = place;
    end.goes_on = result.goes_on();
    ended->push_back(std::move(end));
  }
  return absl::OkStatus();
}

bool JobState::HasWork() const {
  const v1::Job& job = record_.job();
  if (job.state() != v1::JOB_STATE_RUNNING && job.state() != v1::JOB_STATE_DRAINING) return false;
  return !queue_.empty() || MayPropose(job) || NextToGoOn().has_value();
}

std::optional<TrialNumber> JobState::NextToGoOn() const {
  std::optional<int64_t> next = rungs_.Next();
  const v1::Job& job = record_.job();
  if (!next.has_value() && !MayProposeLater(job) && OwnSuccesses(job) == 0 &&
      job.trials_running() == 0 && job.trials_queued() == 0) {
    next = rungs_.Best();
  }
  if (!next.has_value()) return std::nullopt;
  return TrialNumber(*next);
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
                             trial.attempts().rbegin()->state() != v1::ATTEMPT_STATE_SUCCEEDED &&
                             trial.attempts().rbegin()->worker_id() == worker_id;
    if (failed_here && others_can_take_it && elapsed - queued.since < patience) continue;
    return queued.number;
  }
  return std::nullopt;
}

bool MayProposeLater(const v1::Job& job) {
  if (job.state() == v1::JOB_STATE_DRAINING || UsedTrialBudget(job).has_value()) return false;
  return !IsProbing(job.spec()) || !HasProposedAllProbes(job);
}

bool MayPropose(const v1::Job& job) {
  return job.state() == v1::JOB_STATE_RUNNING && MayProposeLater(job);
}

v1::Job ViewJob(const v1::JobRecord& record, const WorkerRegistry& workers, absl::Duration elapsed,
                absl::Time now) {
  v1::Job view = record.job();
  const bool proposes = MayPropose(view);  // which its probes tell
  StripParent(view.mutable_spec());
  StripProbes(view.mutable_spec());
  view.mutable_usage()->set_wall_seconds(WallSeconds(record, now));
  view.set_seconds_left(SecondsLeft(view));
  const bool active =
      view.state() == v1::JOB_STATE_RUNNING || view.state() == v1::JOB_STATE_DRAINING;
  // One that drains, and in which nothing runs, has trials that wait at rungs to go on.
  const bool waits = view.trials_queued() > 0 || proposes ||
                     (view.state() == v1::JOB_STATE_DRAINING && view.trials_running() == 0);
  if (active && waits) {
    view.set_waiting_for(workers.WhyNoWorker(view, elapsed, now));
  }
  return view;
}

}  // namespace frontier::coordinator
