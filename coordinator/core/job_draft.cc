#include "coordinator/core/job_draft.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/enum_names.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "coordinator/core/budget.h"
#include "coordinator/core/composition.h"
#include "coordinator/core/legs.h"
#include "coordinator/core/result_check.h"
#include "coordinator/core/search_context.h"
#include "coordinator/core/trial_task.h"
#include "coordinator/strategy/objectives.h"

namespace frontier::coordinator {
namespace {

// `from` is as before.
void CopyWithoutSpec(v1::JobRecord* from, v1::JobRecord* to) {
  v1::JobSpec* spec = from->mutable_job()->unsafe_arena_release_spec();
  *to = *from;
  from->mutable_job()->unsafe_arena_set_allocated_spec(spec);
}

}  // namespace

void JobDraft::Count(v1::Job* job, v1::TrialState state, int64_t change) {
  switch (state) {
    case v1::TRIAL_STATE_QUEUED:
      return job->set_trials_queued(job->trials_queued() + change);
    case v1::TRIAL_STATE_RUNNING:
      return job->set_trials_running(job->trials_running() + change);
    case v1::TRIAL_STATE_SUCCEEDED:
      return job->set_trials_succeeded(job->trials_succeeded() + change);
    case v1::TRIAL_STATE_FAILED:
      return job->set_trials_failed(job->trials_failed() + change);
    case v1::TRIAL_STATE_CANCELLED:
      return job->set_trials_cancelled(job->trials_cancelled() + change);
    case v1::TRIAL_STATE_STOPPED:
      return job->set_trials_stopped(job->trials_stopped() + change);
    default:
      return;
  }
}

JobDraft::JobDraft(JobState* state, absl::Time now, absl::Duration elapsed)
    : state_(state), now_(now), elapsed_(elapsed), queue_(state->queue_) {
  CopyWithoutSpec(&state->record_, &record_);
  v1::JobSpec* spec = state->record_.mutable_job()->mutable_spec();
  record_.mutable_job()->unsafe_arena_set_allocated_spec(spec);
}

JobDraft::~JobDraft() {
  if (!owns_spec_) record_.mutable_job()->unsafe_arena_release_spec();
  if (applied_) return;
  state_->rungs_.Rollback();
  if (!strategy_touched_) return;
  const absl::Status status = state_->strategy_->Restore(state_->record_.strategy());
  if (!status.ok()) {
    LogError({.job = state_->id().value()},
             absl::StrCat("strategy cannot be put back: ", status.ToString()));
  }
}

v1::JobSpec* JobDraft::OwnSpec() {
  v1::Job* job = record_.mutable_job();
  if (!owns_spec_) {
    job->unsafe_arena_release_spec();
    *job->mutable_spec() = state_->spec();
    owns_spec_ = true;
  }
  return job->mutable_spec();
}

const v1::Architecture& JobDraft::ArchitectureOf(const v1::Trial& trial) const {
  return trial.has_architecture() ? trial.architecture()
                                  : state_->ArchitectureOf(TrialNumber(trial.number()));
}

absl::StatusOr<TrialNumber> JobDraft::Propose() {
  // Also what it tried in vain is kept.
  strategy_touched_ = true;
  touched_ = true;
  v1::Job* job = record_.mutable_job();
  const TrialNumber number(job->trials_created() + 1);
  // One that takes several calls knows what it knew at the first.
  const auto known_ends = static_cast<size_t>(
      record_.has_proposal_known_ends() ? record_.proposal_known_ends() : state_->history_.size());
  const auto running = [this, known_ends] {
    std::vector<Running> found = state_->RunningAfter(known_ends);
    for (const auto& [drafted, trial] : trials_) {
      if (state_->FindOpen(drafted) != nullptr || HasEnded(trial.state())) continue;
      found.push_back({drafted.value(), &trial.genotype()});
    }
    return found;
  };
  const JobSearchContext context({state_->spec(), *state_->space_, state_->hashes_, number.value(),
                                  absl::MakeConstSpan(state_->history_).first(known_ends),
                                  running});
  absl::StatusOr<Candidate> proposed = FirstToTry(context);
  if (absl::IsNotFound(proposed.status())) proposed = state_->strategy_->Propose(context);
  if (absl::IsUnavailable(proposed.status())) {
    record_.set_proposal_known_ends(static_cast<int64_t>(known_ends));
  } else {
    record_.clear_proposal_known_ends();
  }
  ASSIGN_OR_RETURN(Candidate candidate, std::move(proposed));
  job->set_trials_created(number.value());
  v1::Trial& trial = trials_[number];
  trial.set_job_id(job->id());
  trial.set_number(number.value());
  trial.set_state(v1::TRIAL_STATE_QUEUED);
  trial.set_summary(state_->space_->Summarize(candidate.genotype));
  trial.set_space_version(state_->spec().search_space().version());
  if (!state_->spec().search_space().hyperparameters().empty()) {
    ASSIGN_OR_RETURN(*trial.mutable_training(),
                     state_->space_->Recipe(candidate.genotype, state_->spec().training()));
    for (v1::HyperparameterValue& value :
         state_->space_->HyperparameterValues(candidate.genotype)) {
      *trial.add_hyperparameters() = std::move(value);
    }
  }
  NoteArms();
  v1::Compression compression = state_->space_->CompressionOf(candidate.genotype);
  if (compression.ByteSizeLong() > 0) *trial.mutable_compression() = std::move(compression);
  trial.set_inference_precision(state_->space_->PrecisionOf(candidate.genotype));
  *trial.mutable_genotype() = std::move(candidate.genotype);
  *trial.mutable_architecture() = std::move(candidate.architecture);
  *trial.mutable_origin() = std::move(candidate.origin);
  trial.set_known_ends(static_cast<int64_t>(known_ends));
  trial.set_canonical_hash(candidate.hash);
  trial.set_created_unix_us(now_us());
  Count(job, v1::TRIAL_STATE_QUEUED, 1);
  queue_.push_front({number, elapsed_});
  new_hashes_.push_back(std::move(candidate.hash));
  AddEvent(v1::EVENT_KIND_TRIAL_PROPOSED, number.value(), 0, "",
           absl::StrCat("proposed: ", trial.summary()));
  return number;
}

void JobDraft::NoteArms() {
  const std::vector<v1::StrategyArm> arms = state_->strategy_->Arms();
  if (arms.empty()) return;
  const auto leader = [](const auto& of) {
    return std::max_element(of.begin(), of.end(),
                            [](const auto& a, const auto& b) { return a.share() < b.share(); });
  };
  v1::Job* job = record_.mutable_job();
  const auto now = leader(arms);
  if (job->arms_size() > 0 && leader(job->arms())->strategy() != now->strategy()) {
    AddEvent(v1::EVENT_KIND_STRATEGY_SWITCHED, 0, 0, "",
             absl::StrFormat("%s leads now: %.0f%% of what was gained of late per trial, proposes "
                             "%.0f%% of the next trials",
                             now->strategy(), 100 * now->recent_gain(), 100 * now->share()));
  }
  *job->mutable_arms() = {arms.begin(), arms.end()};
}

void JobDraft::LeaveOut(absl::Duration jump) {
  record_.set_paused_seconds(record_.paused_seconds() + absl::ToDoubleSeconds(jump));
  if (record_.paused_unix_us() != 0) {
    record_.set_paused_unix_us(record_.paused_unix_us() + absl::ToInt64Microseconds(jump));
  }
  touched_ = true;
}

absl::Status JobDraft::Exhaust() { return SetJobState(JobEvent::kLimitReached, kSpaceExhausted); }

absl::StatusOr<AttemptId> JobDraft::Start(TrialNumber number, const v1::LeaseRequest& request,
                                          int64_t token, absl::Time expires) {
  ASSIGN_OR_RETURN(v1::Trial * trial, Edit(number));
  RETURN_IF_ERROR(SetState(trial, TrialEvent::kStarted));
  queue_.erase(std::remove_if(queue_.begin(), queue_.end(),
                              [number](const QueuedTrial& q) { return q.number == number; }),
               queue_.end());
  v1::Attempt* attempt = trial->add_attempts();
  attempt->set_number(trial->attempts_size());
  attempt->set_state(v1::ATTEMPT_STATE_RUNNING);
  attempt->set_worker_id(request.worker_id());
  attempt->set_started_unix_us(now_us());
  const AttemptId id{state_->id(), number, attempt->number()};
  v1::LeaseRecord* lease = change_.add_leases();
  *lease->mutable_key() = id.ToKey();
  lease->set_token(token);
  lease->set_worker_id(request.worker_id());
  lease->set_incarnation(request.incarnation());
  lease->set_request_id(request.request_id());
  lease->set_expires_unix_us(absl::ToUnixMicros(expires));
  change_.set_next_lease_token(token + 1);
  AddEvent(v1::EVENT_KIND_ATTEMPT_STARTED, number.value(), id.attempt, request.worker_id(),
           absl::StrCat("attempt ", id.attempt, " leased to worker '", request.worker_id(), "'"));
  return id;
}

absl::Status JobDraft::AddEpochs(const AttemptId& id,
                                 const google::protobuf::RepeatedPtrField<v1::EpochMetrics>& epochs,
                                 std::string* refused) {
  const v1::Trial* current = FindTrial(id.trial);
  if (current == nullptr || id.attempt < 1 || id.attempt > current->attempts_size()) {
    return absl::NotFoundError(absl::StrCat(id.ToString(), " does not exist"));
  }
  const auto& known = current->attempts(id.attempt - 1).epochs();
  const int epochs_in_all = RecipeOf(state_->spec(), *current).epochs();
  int32_t last = known.empty() ? 0 : known.rbegin()->epoch();
  for (const v1::EpochMetrics& metrics : epochs) {
    const std::string problem = FindEpochProblem(metrics, epochs_in_all);
    if (!problem.empty()) *refused = absl::StrCat("not stored: ", problem);
    if (!problem.empty() || metrics.epoch() <= last) continue;
    last = metrics.epoch();
    ASSIGN_OR_RETURN(v1::Trial * trial, Edit(id.trial));
    *trial->mutable_attempts(id.attempt - 1)->add_epochs() = metrics;
  }
  return absl::OkStatus();
}

absl::Status JobDraft::ExtendSpace(const v1::SearchSpace& spec, std::unique_ptr<Space> space,
                                   absl::string_view gains) {
  v1::Job* job = record_.mutable_job();
  if (IsProbing(job->spec())) {
    return ErrorWithReason(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_WRONG_STATE,
                           absl::StrCat(state_->id().ToString(), " has no space yet, only probes"));
  }
  if (job->state() == v1::JOB_STATE_DRAINING) {
    if (job->reason() != kSpaceExhausted) {
      return ErrorWithReason(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_WRONG_STATE,
                             absl::StrCat(state_->id().ToString(), " proposes nothing more (",
                                          job->reason(), "), a larger space would change nothing"));
    }
    RETURN_IF_ERROR(SetJobState(JobEvent::kExtended, ""));
  }
  KeepPastSpace();
  *OwnSpec()->mutable_search_space() = spec;
  job->set_space_size(space->Size());
  space_ = std::move(space);
  strategy_touched_ = true;
  record_.clear_proposal_known_ends();
  state_->strategy_->SpaceExtended();
  AddEvent(v1::EVENT_KIND_SPACE_EXTENDED, 0, 0, "",
           absl::StrCat("space extended: version ", spec.version(), ", ", gains, ", ",
                        job->space_size(), " genotypes"));
  return absl::OkStatus();
}

absl::Status JobDraft::Pause() {
  RETURN_IF_ERROR(SetJobState(JobEvent::kPaused, "paused by its user"));
  record_.set_paused_unix_us(now_us());
  return absl::OkStatus();
}

absl::Status JobDraft::Resume() { return SetJobState(JobEvent::kResumed, ""); }

absl::Status JobDraft::Cancel() {
  RETURN_IF_ERROR(SetJobState(JobEvent::kCancelled, "cancelled by its user"));
  return CancelTrials("its job was cancelled", /*running_too=*/true);
}

absl::Status JobDraft::FailJob(absl::string_view reason) {
  RETURN_IF_ERROR(SetJobState(JobEvent::kFailed, reason));
  return CancelTrials("its job failed", /*running_too=*/true);
}

absl::Status JobDraft::CancelTrials(absl::string_view reason, bool running_too) {
  std::vector<TrialNumber> open;
  for (const auto& [number, trial] : state_->open_) open.push_back(number);
  for (const auto& [number, trial] : trials_) {
    if (state_->open_.count(number) == 0) open.push_back(number);
  }
  for (const TrialNumber number : open) {
    const v1::Trial* current = FindTrial(number);
    if (current == nullptr || HasEnded(current->state())) continue;
    const bool running = current->state() == v1::TRIAL_STATE_RUNNING;
    if (running && !running_too) continue;
    ASSIGN_OR_RETURN(v1::Trial * trial, Edit(number));
    if (running) {
      const AttemptId id{state_->id(), number, trial->attempts_size()};
      RETURN_IF_ERROR(EndAttempt(id, trial, AttemptEvent::kCancelled, Usage()).status());
    }
    RETURN_IF_ERROR(SetState(trial, TrialEvent::kCancelled));
    DropCheckpoint(trial);
    if (!running_too) {
      // The job may go on with more budget, its probes do not come again.
      v1::CancelledTrial* cancelled = record_.add_cancelled();
      cancelled->set_trial(number.value());
      cancelled->set_trials_created(record_.job().trials_created());
      RETURN_IF_ERROR(AddFinding(*trial));
    }
    AddEvent(v1::EVENT_KIND_TRIAL_CANCELLED, number.value(), 0, "",
             absl::StrCat("cancelled: ", reason));
  }
  const auto has_ended = [this](const QueuedTrial& q) {
    return FindTrial(q.number)->state() != v1::TRIAL_STATE_QUEUED;
  };
  queue_.erase(std::remove_if(queue_.begin(), queue_.end(), has_ended), queue_.end());
  return absl::OkStatus();
}

absl::Status JobDraft::AddFinding(const v1::Trial& trial) {
  if (!IsProbing(record_.job().spec())) return absl::OkStatus();
  ASSIGN_OR_RETURN(*record_.add_probes(), FindingOf(trial, ArchitectureOf(trial)));
  return absl::OkStatus();
}

absl::Status JobDraft::ComposeIfProbed() {
  const v1::Job& job = record_.job();
  // One that drains, since a budget is used, has no use for a space any more.
  if (job.state() != v1::JOB_STATE_RUNNING && job.state() != v1::JOB_STATE_PAUSED) {
    return absl::OkStatus();
  }
  const v1::Composition& probing = job.spec().search_space().auto_().composition();
  if (!probing.probing() || record_.probes_size() < probing.probes_size()) return absl::OkStatus();
  absl::StatusOr<v1::Composition> composition = ComposeFromProbes(record_);
  const absl::Status status =
      composition.ok() ? UseComposition(*std::move(composition)) : std::move(composition).status();
  if (status.ok()) return status;
  return FailJob(absl::StrCat("no search space: ", status.message()));
}

absl::Status JobDraft::UseComposition(v1::Composition composition) {
  v1::Job* job = record_.mutable_job();
  const std::string reasons = absl::StrJoin(composition.reasons(), "; ");
  v1::SearchSpace spec = job->spec().search_space();
  spec.set_version(spec.version() + 1);
  composition.set_version(spec.version());
  *spec.mutable_auto_()->mutable_composition() = std::move(composition);
  ASSIGN_OR_RETURN(std::unique_ptr<Space> space, CreateSpace(spec, job->spec().dataset().input(),
                                                             job->spec().dataset().classes()));
  ASSIGN_OR_RETURN(strategy_, CreateStrategy(job->spec()));
  space_ = std::move(space);
  strategy_touched_ = true;
  KeepPastSpace();
  *OwnSpec()->mutable_search_space() = std::move(spec);
  job->set_space_size(space_->Size());
  record_.clear_probes();
  record_.clear_proposal_known_ends();
  AddEvent(v1::EVENT_KIND_SPACE_COMPOSED, 0, 0, "", absl::StrCat("space composed: ", reasons));
  return absl::OkStatus();
}

void JobDraft::KeepPastSpace() { *record_.add_past_spaces() = record_.job().spec().search_space(); }

absl::Status JobDraft::Settle() {
  v1::Job* job = record_.mutable_job();
  RETURN_IF_ERROR(ComposeIfProbed());
  RETURN_IF_ERROR(DecidePools());
  if (!HasEnded(job->state())) {
    job->mutable_usage()->set_wall_seconds(WallSeconds(record_, now_));
    const std::optional<std::string> resource =
        UsedResourceBudget(*job, job->usage().wall_seconds());
    const std::optional<std::string> limit =
        resource.has_value() ? resource : UsedTrialBudget(*job);
    // A budget of time or energy that is used up leaves nothing for further attempts.
    if (resource.has_value() && job->trials_queued() > 0) {
      RETURN_IF_ERROR(CancelTrials(*resource, /*running_too=*/false));
    }
    if (limit.has_value() && job->state() == v1::JOB_STATE_RUNNING) {
      RETURN_IF_ERROR(SetJobState(JobEvent::kLimitReached, *limit));
    }
    const bool idle = job->trials_running() == 0 && job->trials_queued() == 0 &&
                      (resource.has_value() || !MayGoOn());
    if (idle && (limit.has_value() || job->state() == v1::JOB_STATE_DRAINING)) {
      const std::string reason =
          job->state() == v1::JOB_STATE_DRAINING ? job->reason() : limit.value_or("");
      // A search that found nothing has not done what it was asked for.
      const bool found = OwnSuccesses(*job) > 0;
      if (found || (job->trials_reused() > 0 && job->trials_failed() == 0)) {
        RETURN_IF_ERROR(SetJobState(JobEvent::kCompleted, reason));
      } else {
        RETURN_IF_ERROR(SetJobState(JobEvent::kFailed, NoSuccess(reason)));
      }
    }
  }
  if (HasEnded(job->state()) && !HasEnded(state_->job().state())) ReleaseCheckpoints();
  if (reported_.has_value()) {
    ASSIGN_OR_RETURN(v1::Trial * trial, Edit(reported_->trial));
    trial->mutable_attempts(reported_->attempt - 1)->set_reported_state(trial->state());
  }
  if (!touched_) return absl::OkStatus();
  job->mutable_usage()->set_wall_seconds(WallSeconds(record_, now_));
  if (strategy_touched_) {
    const Strategy& strategy = strategy_ != nullptr ? *strategy_ : *state_->strategy_;
    *record_.mutable_strategy() = strategy.Save();
  }
  v1::JobRecord* written = change_.add_jobs();
  if (owns_spec_) {
    *written = record_;
  } else {
    CopyWithoutSpec(&record_, written);
  }
  for (const auto& [number, trial] : trials_) *change_.add_trials() = trial;
  return absl::OkStatus();
}

std::string JobDraft::NoSuccess(absl::string_view limit) const {
  const v1::Job& job = record_.job();
  if (job.trials_failed() == 0) return absl::StrCat(limit, " before any trial succeeded");
  std::string text = absl::StrCat("no trial succeeded (", limit, ")");
  for (const auto& [number, trial] : trials_) {
    if (trial.state() != v1::TRIAL_STATE_FAILED) continue;
    absl::StrAppend(&text, "; ", number.ToString(), ": ", EnumName(trial.failure().cause()), ": ",
                    trial.failure().message());
    break;
  }
  return text;
}

void JobDraft::Apply() {
  // Of a spec that was lent one owner is left.
  if (!owns_spec_) state_->record_.mutable_job()->unsafe_arena_release_spec();
  state_->record_.Swap(&record_);
  owns_spec_ = true;
  state_->queue_ = std::move(queue_);
  if (front_.has_value()) state_->front_ = *std::move(front_);
  if (space_ != nullptr) state_->space_ = std::move(space_);
  if (strategy_ != nullptr) {
    // For another space: the ends so far were those of probes.
    state_->strategy_ = std::move(strategy_);
    state_->history_.clear();
    new_ends_.clear();
    new_curves_.clear();
  }
  for (Observation& observation : new_ends_) state_->history_.push_back(std::move(observation));
  for (const auto& [curve, whole] : new_curves_) state_->curves_.Add(curve, whole);
  state_->scores_.insert(state_->scores_.end(), new_scores_.begin(), new_scores_.end());
  state_->rungs_.Keep();
  if (reopened_) state_->checkpoints_.clear();
  for (auto& [trial, checkpoint] : new_checkpoints_) {
    if (checkpoint.empty()) {
      state_->checkpoints_.erase(trial);
    } else {
      state_->checkpoints_[trial] = std::move(checkpoint);
    }
  }
  for (std::string& hash : new_hashes_) state_->hashes_.insert(std::move(hash));
  for (auto& [number, trial] : trials_) {
    if (HasEnded(trial.state())) {
      state_->open_.erase(number);
      state_->architectures_.erase(number);
    } else {
      if (trial.has_architecture()) {
        state_->architectures_[number].Swap(trial.mutable_architecture());
        trial.clear_architecture();
      }
      state_->open_[number] = std::move(trial);
    }
  }
  applied_ = true;
}

const v1::Trial* JobDraft::FindTrial(TrialNumber number) const {
  const auto it = trials_.find(number);
  return it != trials_.end() ? &it->second : state_->FindOpen(number);
}

absl::StatusOr<v1::Trial*> JobDraft::Edit(TrialNumber number) {
  const auto it = trials_.find(number);
  if (it != trials_.end()) return &it->second;
  const v1::Trial* trial = state_->FindOpen(number);
  if (trial == nullptr) {
    return ErrorWithReason(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_WRONG_STATE,
                           absl::StrCat(state_->id().ToString(), " ", number.ToString(),
                                        " is neither queued nor running"));
  }
  touched_ = true;
  return &(trials_[number] = *trial);
}

absl::Status JobDraft::SetState(v1::Trial* trial, TrialEvent event) {
  const absl::StatusOr<v1::TrialState> next = NextState(trial->state(), event);
  if (!next.ok()) {
    return ErrorWithReason(next.status().code(), v1::ERROR_REASON_WRONG_STATE,
                           absl::StrCat(state_->id().ToString(), " trial ", trial->number(), " ",
                                        next.status().message()));
  }
  Count(record_.mutable_job(), trial->state(), -1);
  Count(record_.mutable_job(), *next, 1);
  trial->set_state(*next);
  trial->set_ended_unix_us(HasEnded(*next) ? now_us() : 0);
  touched_ = true;
  return absl::OkStatus();
}

absl::Status JobDraft::SetJobState(JobEvent event, absl::string_view reason) {
  v1::Job* job = record_.mutable_job();
  const absl::StatusOr<v1::JobState> next = NextState(job->state(), event);
  if (!next.ok()) {
    return ErrorWithReason(next.status().code(), v1::ERROR_REASON_WRONG_STATE,
                           absl::StrCat(state_->id().ToString(), " ", next.status().message()));
  }
  if (record_.paused_unix_us() != 0) {
    const int64_t paused_us = std::max<int64_t>(0, now_us() - record_.paused_unix_us());
    record_.set_paused_seconds(record_.paused_seconds() + static_cast<double>(paused_us) * 1e-6);
    record_.set_paused_unix_us(0);
  }
  if (HasEnded(job->state())) {
    const int64_t ended_us = std::max<int64_t>(0, now_us() - job->ended_unix_us());
    record_.set_paused_seconds(record_.paused_seconds() + static_cast<double>(ended_us) * 1e-6);
    record_.set_reopened_unix_us(now_us());
    job->clear_dropped();  // what it makes from now on is kept anew
    reopened_ = true;
  }
  job->set_state(*next);
  job->set_reason(std::string(reason));
  job->set_ended_unix_us(HasEnded(*next) ? now_us() : 0);
  AddEvent(v1::EVENT_KIND_JOB_STATE, 0, 0, "",
           absl::StrCat(EnumName(*next), reason.empty() ? "" : ": ", reason));
  return absl::OkStatus();
}

absl::StatusOr<v1::Attempt*> JobDraft::EndAttempt(const AttemptId& id, v1::Trial* trial,
                                                  AttemptEvent event, const Usage& usage) {
  if (id.attempt < 1 || id.attempt > trial->attempts_size()) {
    return absl::NotFoundError(absl::StrCat(id.ToString(), " does not exist"));
  }
  v1::Attempt* attempt = trial->mutable_attempts(id.attempt - 1);
  const absl::StatusOr<v1::AttemptState> next = NextState(attempt->state(), event);
  if (!next.ok()) {
    return ErrorWithReason(next.status().code(), v1::ERROR_REASON_WRONG_STATE,
                           absl::StrCat(id.ToString(), " ", next.status().message()));
  }
  attempt->set_state(*next);
  attempt->set_ended_unix_us(now_us());
  RecordUsage(usage, attempt);
  AddUsage(*attempt, record_.mutable_job()->mutable_usage());
  *change_.add_ended_leases() = id.ToKey();
  touched_ = true;
  return attempt;
}

absl::StatusOr<Observation> JobDraft::NoteEnd(v1::Trial* trial) {
  ASSIGN_OR_RETURN(Observation observation, JobState::Observe(state_->spec(), *trial));
  trial->set_end_order(NoteObservation(observation));
  if (observation.succeeded && state_->curves_.wanted() && !IsProbing(state_->spec())) {
    new_curves_.emplace_back(CurveOf(trial->result()), trial->state() == v1::TRIAL_STATE_SUCCEEDED);
  }
  return observation;
}

int64_t JobDraft::NoteObservation(const Observation& observation) {
  new_ends_.push_back(observation);
  return static_cast<int64_t>(state_->history_.size() + new_ends_.size());
}

void JobDraft::AddEvent(v1::EventKind kind, int64_t trial, int32_t attempt,
                        absl::string_view worker_id, absl::string_view message) {
  v1::Event* event = change_.add_events();
  event->set_job_id(record_.job().id());
  event->set_trial(trial);
  event->set_attempt(attempt);
  event->set_kind(kind);
  event->set_at_unix_us(now_us());
  event->set_worker_id(std::string(worker_id));
  event->set_message(std::string(message));
  touched_ = true;
}

}  // namespace frontier::coordinator
