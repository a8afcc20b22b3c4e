// How attempts end, and trials with them.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/enum_names.h"
#include "common/base/failure_causes.h"
#include "common/base/status.h"
#include "coordinator/core/job_draft.h"
#include "coordinator/core/legs.h"
#include "coordinator/core/result_check.h"

namespace frontier::coordinator {
namespace {

// Attempts of a trial that may be given back, or be on other data, before they count: a trial that
// nobody keeps must not grow for ever.
constexpr int64_t kFreeReturns = 100;

// Attempts that count toward the limit: those do not, nor those that came to a rung.
int64_t CountedAttempts(const v1::Trial& trial) {
  int64_t counted = 0;
  int64_t returned = 0;
  for (const v1::Attempt& attempt : trial.attempts()) {
    if (attempt.state() == v1::ATTEMPT_STATE_SUCCEEDED) continue;
    const bool free = attempt.state() == v1::ATTEMPT_STATE_RETURNED ||
                      attempt.failure().cause() == v1::FAILURE_CAUSE_OTHER_DATA;
    ++(free ? returned : counted);
  }
  return counted + std::max<int64_t>(0, returned - kFreeReturns);
}

std::optional<double> FindValue(const v1::TrialResult& result, v1::Metric metric) {
  for (const v1::Measurement& m : result.measurements()) {
    if (m.metric() == metric) return m.value();
  }
  return std::nullopt;
}

std::string DescribeResult(const v1::JobSpec& spec, const v1::TrialResult& result) {
  return absl::StrJoin(spec.objectives(), ", ",
                       [&result](std::string* out, const v1::Objective& objective) {
                         absl::StrAppend(out, EnumName(objective.metric()), " ",
                                         FindValue(result, objective.metric()).value_or(0));
                       });
}

void UpdateBest(const v1::Trial& trial, v1::Job* job) {
  const v1::Objective& objective = job->spec().objectives(0);
  const std::optional<double> value = FindValue(trial.result(), objective.metric());
  if (!value.has_value()) return;
  const bool better = objective.direction() == v1::DIRECTION_MAXIMIZE ? *value > job->best_value()
                                                                      : *value < job->best_value();
  if (job->best_trial() != 0 && !better) return;
  job->set_best_trial(trial.number());
  job->set_best_value(*value);
}

}  // namespace

absl::Status JobDraft::Succeed(const AttemptId& id, const v1::TrialResult& result,
                               const Usage& usage,
                               absl::FunctionRef<absl::StatusOr<v1::Trial>(TrialNumber)> load) {
  ASSIGN_OR_RETURN(v1::Trial * trial, Edit(id.trial));
  ASSIGN_OR_RETURN(const v1::Attempt* attempt,
                   EndAttempt(id, trial, AttemptEvent::kSucceeded, usage));
  const Leg leg = NextLeg(state_->spec(), state_->ladders_, *trial);
  *trial->mutable_result() = result;
  NoteDataset(result, attempt->worker_id());
  AddEarlierLegs(*trial, trial->mutable_result());
  DropCheckpoint(trial);
  if (leg.screens) return WaitInPool(id, trial);
  if (leg.until_epoch > 0) return PauseAtRung(id, trial, leg);
  const v1::StopCause cause = result.early_stop().cause();
  if (cause != v1::STOP_CAUSE_UNSPECIFIED && cause != v1::STOP_CAUSE_PATIENCE) {
    return Stop(id, trial, result.early_stop());
  }
  RETURN_IF_ERROR(SetState(trial, TrialEvent::kSucceeded));
  RETURN_IF_ERROR(EndWell(trial, load));
  const v1::TrialResult& kept = trial->result();
  AddEvent(v1::EVENT_KIND_TRIAL_SUCCEEDED, trial->number(), id.attempt, attempt->worker_id(),
           absl::StrCat("succeeded: ", DescribeResult(state_->spec(), kept),
                        cause == v1::STOP_CAUSE_PATIENCE
                            ? absl::StrCat(", after ", kept.epochs_size(), " epochs")
                            : "",
                        trial->on_front()   ? ", on the front"
                        : trial->feasible() ? ""
                                            : ", breaks a constraint"));
  return absl::OkStatus();
}

void JobDraft::NoteDataset(const v1::TrialResult& result, const std::string& worker_id) {
  v1::Job* job = record_.mutable_job();
  const std::string& sha256 = result.engine().dataset_sha256();
  if (sha256.empty() || !job->dataset_sha256().empty()) return;
  job->set_dataset_sha256(sha256);
  job->set_dataset_worker(worker_id);
}

absl::Status JobDraft::EndWell(v1::Trial* trial,
                               absl::FunctionRef<absl::StatusOr<v1::Trial>(TrialNumber)> load) {
  ASSIGN_OR_RETURN(const Observation observation, NoteEnd(trial));
  trial->set_feasible(observation.violation <= 0);
  if (trial->feasible()) {
    UpdateBest(*trial, record_.mutable_job());
    RETURN_IF_ERROR(EndTrialOnFront(trial, observation.objectives, load));
  }
  const std::string& weights = trial->result().weights_sha256();
  if (!weights.empty()) {
    trial->set_weights_kept(trial->on_front());
    (trial->on_front() ? weights_kept_ : weights_unused_).push_back(weights);
  }
  NoteScreening(*trial);
  return AddFinding(*trial);
}

absl::Status JobDraft::EndTrialOnFront(
    v1::Trial* trial, const std::vector<double>& objectives,
    absl::FunctionRef<absl::StatusOr<v1::Trial>(TrialNumber)> load) {
  if (!(front_.has_value() ? *front_ : state_->front_).Admits(objectives)) return absl::OkStatus();
  if (!front_.has_value()) front_ = state_->front_;
  const ParetoFront::InsertResult inserted = front_->Insert(trial->number(), objectives);
  trial->set_on_front(inserted.inserted);
  record_.mutable_job()->set_front_size(static_cast<int64_t>(front_->members().size()));
  for (const int64_t removed : inserted.removed) {
    const TrialNumber number(removed);
    const auto drafted = trials_.find(number);
    absl::StatusOr<v1::Trial> found =
        drafted == trials_.end() ? load(number) : absl::StatusOr<v1::Trial>(drafted->second);
    ASSIGN_OR_RETURN(v1::Trial displaced, std::move(found));
    displaced.set_on_front(false);
    if (displaced.weights_kept()) weights_released_.push_back(displaced.result().weights_sha256());
    displaced.set_weights_kept(false);
    trials_[number] = std::move(displaced);
  }
  return absl::OkStatus();
}

absl::Status JobDraft::Fail(const AttemptId& id, const v1::Failure& failure, const Usage& usage) {
  ASSIGN_OR_RETURN(v1::Trial * trial, Edit(id.trial));
  ASSIGN_OR_RETURN(v1::Attempt * attempt, EndAttempt(id, trial, AttemptEvent::kFailed, usage));
  *attempt->mutable_failure() = BoundFailure(failure);
  const v1::Failure bounded = attempt->failure();
  return RetryOrFail(id, trial, bounded, IsRetried(failure.cause()));
}

absl::Status JobDraft::Lose(const AttemptId& id, v1::FailureCause cause,
                            absl::string_view message) {
  ASSIGN_OR_RETURN(v1::Trial * trial, Edit(id.trial));
  ASSIGN_OR_RETURN(v1::Attempt * attempt, EndAttempt(id, trial, AttemptEvent::kLost, Usage()));
  attempt->mutable_failure()->set_cause(cause);
  attempt->mutable_failure()->set_message(std::string(message));
  const v1::Failure failure = attempt->failure();
  return RetryOrFail(id, trial, failure, IsRetried(cause));
}

absl::Status JobDraft::RetryOrFail(const AttemptId& id, v1::Trial* trial,
                                   const v1::Failure& failure, bool retried) {
  const v1::Attempt& attempt = trial->attempts(id.attempt - 1);
  const std::string what = absl::StrCat("attempt ", id.attempt, " on worker '", attempt.worker_id(),
                                        "' ", EnumName(attempt.state()), " (",
                                        EnumName(failure.cause()), "): ", failure.message());
  if (retried && CountedAttempts(*trial) < state_->spec().limits().max_attempts()) {
    RETURN_IF_ERROR(SetState(trial, TrialEvent::kRequeued));
    queue_.push_back({id.trial, elapsed_});
    AddEvent(v1::EVENT_KIND_ATTEMPT_ENDED, trial->number(), id.attempt, attempt.worker_id(),
             absl::StrCat(what, "; queued again"));
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(SetState(trial, TrialEvent::kFailed));
  *trial->mutable_failure() = failure;
  DropCheckpoint(trial);
  RETURN_IF_ERROR(AddFinding(*trial));
  RETURN_IF_ERROR(NoteEnd(trial).status());
  AddEvent(v1::EVENT_KIND_TRIAL_FAILED, trial->number(), id.attempt, attempt.worker_id(),
           absl::StrCat("failed: ", what));
  return absl::OkStatus();
}

absl::Status JobDraft::NoteReport(const AttemptId& id, const RequestKey& report) {
  ASSIGN_OR_RETURN(v1::Trial * trial, Edit(id.trial));
  v1::Attempt* attempt = trial->mutable_attempts(id.attempt - 1);
  attempt->set_report_id(report.id);
  attempt->set_report_sha256(report.content_sha256);
  reported_ = id;
  return absl::OkStatus();
}

absl::Status JobDraft::Return(const AttemptId& id, absl::string_view reason, const Usage& usage) {
  ASSIGN_OR_RETURN(v1::Trial * trial, Edit(id.trial));
  ASSIGN_OR_RETURN(v1::Attempt * attempt, EndAttempt(id, trial, AttemptEvent::kReturned, usage));
  v1::Failure failure;
  failure.set_cause(v1::FAILURE_CAUSE_PREEMPTED);
  failure.set_message(std::string(reason));
  *attempt->mutable_failure() = BoundFailure(failure);
  if (CountedAttempts(*trial) >= state_->spec().limits().max_attempts()) {
    failure.set_message(absl::StrCat("given back too often, in attempt ", id.attempt,
                                     reason.empty() ? "" : ": ", reason));
    return RetryOrFail(id, trial, BoundFailure(failure), /*retried=*/false);
  }
  RETURN_IF_ERROR(SetState(trial, TrialEvent::kRequeued));
  queue_.push_front({id.trial, elapsed_});
  AddEvent(
      v1::EVENT_KIND_ATTEMPT_ENDED, trial->number(), id.attempt, attempt->worker_id(),
      absl::StrCat("attempt ", id.attempt, " given back by worker '", attempt->worker_id(), "'",
                   reason.empty() ? "" : ": ", attempt->failure().message(), "; queued again"));
  return absl::OkStatus();
}

}  // namespace frontier::coordinator
