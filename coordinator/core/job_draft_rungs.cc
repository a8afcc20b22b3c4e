// How trials pause at rungs and in pools, and go on or not; how they come from earlier jobs.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status.h"
#include "coordinator/core/budget.h"
#include "coordinator/core/composition.h"
#include "coordinator/core/job_draft.h"
#include "coordinator/core/legs.h"
#include "coordinator/core/search_context.h"
#include "coordinator/stopping/rank_correlation.h"
#include "coordinator/strategy/preference.h"

namespace frontier::coordinator {
namespace {

double ScoreOf(const v1::RungResult& rung) {
  for (const v1::Measurement& measurement : rung.measurements()) {
    if (measurement.metric() == v1::METRIC_PROXY) return measurement.value();
  }
  return 0;
}

}  // namespace

v1::RungResult* JobDraft::AddRung(const AttemptId& id, v1::Trial* trial, int epochs) {
  v1::RungResult* rung = trial->add_rungs();
  rung->set_epochs(epochs);
  rung->set_attempt(id.attempt);
  *rung->mutable_measurements() = trial->result().measurements();
  return rung;
}

absl::Status JobDraft::PauseAtRung(const AttemptId& id, v1::Trial* trial, const Leg& leg) {
  v1::RungResult* rung = AddRung(id, trial, leg.until_epoch);
  RETURN_IF_ERROR(SetState(trial, TrialEvent::kStopped));
  trial->mutable_early_stop()->set_cause(v1::STOP_CAUSE_RUNG);
  trial->mutable_early_stop()->set_message(
      absl::StrCat("waits at the rung of ", leg.until_epoch, " epochs"));
  ASSIGN_OR_RETURN(const Observation observation, ObserveRung(state_->spec(), *trial, *rung));
  rung->set_end_order(NoteObservation(observation));
  state_->rungs_.Add(leg.place, observation);
  v1::TrialResult* result = trial->mutable_result();
  if (!result->weights_sha256().empty()) weights_unused_.push_back(result->weights_sha256());
  result->clear_weights_sha256();
  if (!result->checkpoint_sha256().empty()) {
    trial->set_checkpoint_sha256(result->checkpoint_sha256());
    weights_kept_.push_back(trial->checkpoint_sha256());
    new_checkpoints_[trial->number()] = trial->checkpoint_sha256();
  }
  AddEvent(v1::EVENT_KIND_TRIAL_STOPPED, trial->number(), id.attempt,
           trial->attempts(id.attempt - 1).worker_id(),
           absl::StrCat("stopped: ", trial->early_stop().message()));
  return absl::OkStatus();
}

absl::Status JobDraft::Stop(const AttemptId& id, v1::Trial* trial,
                            const v1::EarlyStop& early_stop) {
  RETURN_IF_ERROR(SetState(trial, TrialEvent::kStopped));
  *trial->mutable_early_stop() = early_stop;
  RETURN_IF_ERROR(NoteEnd(trial).status());
  v1::TrialResult* result = trial->mutable_result();
  if (!result->weights_sha256().empty()) weights_unused_.push_back(result->weights_sha256());
  result->clear_weights_sha256();
  AddEvent(v1::EVENT_KIND_TRIAL_STOPPED, trial->number(), id.attempt,
           trial->attempts(id.attempt - 1).worker_id(),
           absl::StrCat("stopped: ", trial->early_stop().message()));
  return absl::OkStatus();
}

absl::Status JobDraft::GoOn(TrialNumber number,
                            absl::FunctionRef<absl::StatusOr<v1::Trial>(TrialNumber)> load) {
  ASSIGN_OR_RETURN(v1::Trial loaded, load(number));
  v1::Trial* trial = &(trials_[number] = std::move(loaded));
  if (!HasCheckpoint(record_, *trial)) trial->clear_checkpoint_sha256();
  RETURN_IF_ERROR(SetState(trial, TrialEvent::kGoesOn));
  v1::RungResult* rung = trial->mutable_rungs(trial->rungs_size() - 1);
  rung->set_goes_on(true);
  trial->clear_early_stop();
  trial->clear_result();
  state_->rungs_.GoOn(number.value());
  queue_.push_front({number, elapsed_});
  AddEvent(
      v1::EVENT_KIND_TRIAL_GOES_ON, number.value(), 0, "",
      absl::StrCat("goes on: from epoch ", rung->epochs(), ", among the best that came so far"));
  return absl::OkStatus();
}

bool JobDraft::MayGoOn() const {
  if (state_->rungs_.Next().has_value()) return true;
  return OwnSuccesses(record_.job()) == 0 && state_->rungs_.Best().has_value();
}

void JobDraft::DropCheckpoint(v1::Trial* trial) {
  if (trial->checkpoint_sha256().empty()) return;
  weights_released_.push_back(trial->checkpoint_sha256());
  new_checkpoints_[trial->number()].clear();
  trial->clear_checkpoint_sha256();
}

void JobDraft::ReleaseCheckpoints() {
  for (const auto& [trial, sha256] : state_->checkpoints_) {
    if (new_checkpoints_.count(trial) == 0) weights_released_.push_back(sha256);
  }
  for (auto& [trial, sha256] : new_checkpoints_) {
    if (!sha256.empty()) weights_released_.push_back(sha256);
  }
}

absl::Status JobDraft::WaitInPool(const AttemptId& id, v1::Trial* trial) {
  const v1::RungResult* rung = AddRung(id, trial, 0);
  trial->clear_result();
  RETURN_IF_ERROR(SetState(trial, TrialEvent::kRequeued));
  v1::ScreeningReport* report = record_.mutable_job()->mutable_screening();
  report->set_scored(report->scored() + 1);
  AddEvent(v1::EVENT_KIND_TRIAL_STOPPED, trial->number(), id.attempt,
           trial->attempts(id.attempt - 1).worker_id(),
           absl::StrCat("stopped: scored ", ScoreOf(*rung), " untrained, waits for its pool"));
  return absl::OkStatus();
}

absl::Status JobDraft::DecidePools() {
  const v1::Job& job = record_.job();
  if (!job.spec().has_screening() || IsProbing(job.spec()) || HasEnded(job.state())) {
    return absl::OkStatus();
  }
  struct Pool {
    std::vector<TrialNumber> scored;
    bool awaits = false;
  };
  std::map<int64_t, Pool> pools;
  const auto look = [&](const v1::Trial& trial) {
    if (HasEnded(trial.state())) return;
    Pool& pool = pools[PoolOf(job.spec(), trial.number())];
    if (WaitsForPool(trial)) {
      pool.scored.emplace_back(trial.number());
    } else if (trial.rungs().empty()) {
      pool.awaits = true;
    }
  };
  for (const auto& [number, trial] : state_->open_) {
    if (trials_.count(number) == 0) look(trial);
  }
  for (const auto& [number, trial] : trials_) look(trial);
  for (auto& [number, pool] : pools) {
    const bool all_proposed =
        EndOfPool(job.spec(), number) <= job.trials_created() || !MayProposeLater(job);
    if (pool.scored.empty() || pool.awaits || !all_proposed) continue;
    std::sort(pool.scored.begin(), pool.scored.end());
    RETURN_IF_ERROR(DecidePool(pool.scored));
  }
  return absl::OkStatus();
}

absl::Status JobDraft::DecidePool(const std::vector<TrialNumber>& scored) {
  std::vector<Observation> scores;
  for (const TrialNumber number : scored) {
    const v1::Trial& trial = *FindTrial(number);
    ASSIGN_OR_RETURN(Observation score, ObserveRung(state_->spec(), trial, trial.rungs(0)));
    scores.push_back(std::move(score));
  }
  const std::vector<Ranked> ranked = RankSuccesses(scores, scores.size());
  for (size_t place = 0; place < ranked.size(); ++place) {
    const TrialNumber number = scored[ranked[place].index];
    ASSIGN_OR_RETURN(v1::Trial * trial, Edit(number));
    const double score = ScoreOf(trial->rungs(0));
    if (place == 0) {
      trial->mutable_rungs(0)->set_goes_on(true);
      queue_.push_front({number, elapsed_});
      AddEvent(v1::EVENT_KIND_TRIAL_GOES_ON, number.value(), 0, "",
               absl::StrFormat("goes on: its score %.4g is the best of %d", score, scored.size()));
      continue;
    }
    RETURN_IF_ERROR(SetState(trial, TrialEvent::kStopped));
    trial->mutable_early_stop()->set_cause(v1::STOP_CAUSE_SCREENED);
    trial->mutable_early_stop()->set_message(
        absl::StrFormat("score %.4g is number %d of %d", score, place + 1, scored.size()));
    RETURN_IF_ERROR(NoteEnd(trial).status());
    AddEvent(v1::EVENT_KIND_TRIAL_STOPPED, number.value(), 0, "",
             absl::StrCat("stopped: ", trial->early_stop().message()));
  }
  return absl::OkStatus();
}

void JobDraft::NoteScreening(const v1::Trial& trial) {
  const auto score = ScoreAndAccuracy(trial);
  if (!score.has_value()) return;
  new_scores_.push_back(*score);
  const size_t count = state_->scores_.size() + new_scores_.size();
  v1::ScreeningReport* report = record_.mutable_job()->mutable_screening();
  report->set_compared(static_cast<int64_t>(count));
  // All are sorted for it, so of many it is told anew for each hundredth more.
  if (count > 100 && count % (count / 100) != 0) return;
  std::vector<std::pair<double, double>> all = state_->scores_;
  all.insert(all.end(), new_scores_.begin(), new_scores_.end());
  report->set_rank_correlation(RankCorrelation(all));
}

absl::StatusOr<Candidate> JobDraft::FirstToTry(const SearchContext& context) const {
  const v1::Job& job = record_.job();
  const v1::WarmStart& warm_start = job.spec().warm_start();
  const int64_t made = job.trials_created() - job.trials_reused();
  if (made >= warm_start.genotypes_size()) return absl::NotFoundError("");
  // Where architectures do not repeat, those that were tried or reused are not admitted.
  const bool repeats = job.spec().strategy().allow_repeats();
  for (int i = repeats ? static_cast<int>(made) : 0; i < warm_start.genotypes_size(); ++i) {
    std::optional<Candidate> candidate = context.Admit(warm_start.genotypes(i));
    if (!candidate.has_value()) continue;
    candidate->origin.set_strategy(kWarmStart);
    return *std::move(candidate);
  }
  return absl::NotFoundError("");
}

absl::Status JobDraft::Reuse(v1::Trial trial,
                             absl::FunctionRef<absl::StatusOr<v1::Trial>(TrialNumber)> load) {
  v1::Job* job = record_.mutable_job();
  const TrialNumber number(job->trials_created() + 1);
  job->set_trials_created(number.value());
  job->set_trials_reused(job->trials_reused() + 1);
  Count(job, v1::TRIAL_STATE_SUCCEEDED, 1);
  new_hashes_.push_back(trial.canonical_hash());
  trial.set_job_id(job->id());
  trial.set_number(number.value());
  trial.set_space_version(state_->spec().search_space().version());
  trial.mutable_origin()->set_strategy(kWarmStart);
  NoteDataset(trial.result(), /*worker_id=*/"");
  trials_[number] = std::move(trial);
  touched_ = true;
  return EndWell(&trials_[number], load);
}

}  // namespace frontier::coordinator
