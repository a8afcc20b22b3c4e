// What its users change about jobs that run or ran, and about workers.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/enum_names.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "coordinator/core/dispatcher_impl.h"
#include "coordinator/core/job_draft.h"
#include "coordinator/core/job_validation.h"
#include "coordinator/core/trial_machine.h"

namespace frontier::coordinator {
namespace {

absl::Status CheckUpdate(const v1::UpdateJobRequest& request) {
  if (!request.has_budget() && !request.has_priority() && !request.has_share() &&
      !request.has_max_parallel_trials()) {
    return InvalidField("budget",
                        "nothing to change is given: neither that, priority, share nor "
                        "max_parallel_trials");
  }
  if (request.has_budget()) RETURN_IF_ERROR(CheckBudget(request.budget()));
  if (request.has_share() && request.share() == 0) {
    return InvalidField("share", "must be above 0, is 0");
  }
  return CheckPlaceInLine(request.priority(), request.share(), request.max_parallel_trials());
}

absl::Status HasEndedForGood(const v1::Job& job) {
  return ErrorWithReason(
      absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_WRONG_STATE,
      absl::StrCat("job ", job.id(), " has ended: ", EnumName(job.state()), " (", job.reason(),
                   "); only a larger budget lets a job go on, if it ended by that"));
}

absl::Status TrialsDropped(JobId id) {
  return ErrorWithReason(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_WRONG_STATE,
                         absl::StrCat(id.ToString(),
                                      " ended long ago and does not go on: its trials "
                                      "are not kept any more"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<JobState>> DispatcherImpl::LoadEnded(
    const v1::UpdateJobRequest& request) {
  const JobId id(request.job_id());
  {
    MutexLock lock(&mutex_);
    RETURN_IF_ERROR(Renew());
    if (FindLive(id) != nullptr) return nullptr;
  }
  // Outside the lock: it may have many trials.
  ASSIGN_OR_RETURN(v1::JobRecord record, store_->GetJob(id.value()));
  if (!HasEnded(record.job().state())) {
    return absl::UnavailableError(absl::StrCat("the end of ", id.ToString(), " is being stored"));
  }
  if (record.job().dropped().trials()) return TrialsDropped(id);
  // Reading many trials is for what may go on.
  if (!request.has_budget() || record.job().state() == v1::JOB_STATE_CANCELLED) {
    return HasEndedForGood(record.job());
  }
  return JobState::Restore(std::move(record), *store_, clock_->Elapsed());
}

absl::StatusOr<v1::UpdateJobResponse> DispatcherImpl::UpdateJob(
    const v1::UpdateJobRequest& request) {
  RETURN_IF_ERROR(CheckUpdate(request));
  const RequestKey key = KeyOf("UpdateJob", request);
  ASSIGN_OR_RETURN(std::optional<v1::UpdateJobResponse> known,
                   FindAnswer<v1::UpdateJobResponse>(*journal_, key));
  if (known.has_value()) return *std::move(known);
  ASSIGN_OR_RETURN(std::unique_ptr<JobState> loaded, LoadEnded(request));

  const JobId id(request.job_id());
  const NotifyOnExit notify(this);
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  ASSIGN_OR_RETURN(std::optional<v1::UpdateJobResponse> answer,
                   FindAnswer<v1::UpdateJobResponse>(*journal_, key));
  if (answer.has_value()) return *std::move(answer);
  JobState* job = FindLive(id);
  const bool reopens = job == nullptr;
  if (reopens) {
    ASSIGN_OR_RETURN(const v1::JobRecord record, journal_->GetJob(id.value()));
    if (record.job().dropped().trials()) return TrialsDropped(id);
    if (removals_.count(id) > 0) {
      return ErrorWithReason(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_WRONG_STATE,
                             absl::StrCat("parts of ", id.ToString(),
                                          " are being removed for their age; try again once "
                                          "they are gone"));
    }
    if (loaded == nullptr || loaded->job().ended_unix_us() != record.job().ended_unix_us()) {
      return absl::UnavailableError(absl::StrCat(id.ToString(), " has just changed"));
    }
    job = loaded.get();
  }
  const absl::Time now = clock_->Now();
  JobDraft draft(job, now, clock_->Elapsed());
  RETURN_IF_ERROR(draft.Update(request));
  RETURN_IF_ERROR(draft.Settle());
  v1::UpdateJobResponse response;
  *response.mutable_job() = View(draft.record());
  AddAnswer(key, response, now, draft.change());
  if (reopens) RETURN_IF_ERROR(PlanOutlines(*job));
  RETURN_IF_ERROR(CommitSettled(&draft));
  if (reopens && !HasEnded(job->job().state())) live_.emplace(id, std::move(loaded));
  return response;
}

absl::StatusOr<v1::DeleteJobResponse> DispatcherImpl::DeleteJob(
    const v1::DeleteJobRequest& request) {
  const RequestKey key = KeyOf("DeleteJob", request);
  const JobId id(request.job_id());
  const NotifyOnExit notify(this);
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  ASSIGN_OR_RETURN(std::optional<v1::DeleteJobResponse> answer,
                   FindAnswer<v1::DeleteJobResponse>(*journal_, key));
  if (answer.has_value()) return *std::move(answer);
  if (const JobState* job = FindLive(id)) {
    return ErrorWithReason(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_WRONG_STATE,
                           absl::StrCat(id.ToString(), " is ", EnumName(job->job().state()),
                                        ", cannot be deleted before it has ended; cancel it"));
  }
  ASSIGN_OR_RETURN(const v1::JobRecord record, journal_->GetJob(id.value()));
  const v1::DeleteJobResponse response;
  v1::Change change;
  AddAnswer(key, response, clock_->Now(), &change);
  RETURN_IF_ERROR(MarkDeleted(record, std::move(change)));
  return response;
}

template <typename Response, typename Request>
absl::StatusOr<Response> DispatcherImpl::ChangeWorker(
    absl::string_view method, const Request& request,
    absl::FunctionRef<void(v1::WorkerRecord*)> change) {
  const RequestKey key = KeyOf(method, request);
  const NotifyOnExit notify(this);
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  ASSIGN_OR_RETURN(std::optional<Response> answer, FindAnswer<Response>(*journal_, key));
  if (answer.has_value()) return *std::move(answer);
  const v1::WorkerRecord* known = workers_.Find(request.worker_id());
  if (known == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("no worker '", request.worker_id(), "' has registered"));
  }
  v1::WorkerRecord record = *known;
  change(&record);
  Response response;
  v1::Worker* worker = response.mutable_worker();
  *worker = record.worker();
  worker->set_alive(workers_.IsAlive(worker->id(), clock_->Elapsed()));
  for (const AttemptId& id : leases_.OfWorker(worker->id())) *worker->add_running() = id.ToKey();
  v1::Change written;
  *written.add_workers() = record;
  AddAnswer(key, response, clock_->Now(), &written);
  RETURN_IF_ERROR(CommitChange(std::move(written)));
  LogInfo({.worker = request.worker_id()}, absl::StrCat(method, " by its user"));
  workers_.Replace(std::move(record));
  return response;
}

absl::StatusOr<v1::DrainWorkerResponse> DispatcherImpl::DrainWorker(
    const v1::DrainWorkerRequest& request) {
  return ChangeWorker<v1::DrainWorkerResponse>(
      "DrainWorker", request,
      [](v1::WorkerRecord* record) { record->mutable_worker()->set_draining(true); });
}

absl::StatusOr<v1::AdmitWorkerResponse> DispatcherImpl::AdmitWorker(
    const v1::AdmitWorkerRequest& request) {
  return ChangeWorker<v1::AdmitWorkerResponse>("AdmitWorker", request,
                                               [](v1::WorkerRecord* record) {
                                                 record->mutable_worker()->clear_draining();
                                                 record->mutable_worker()->clear_quarantine();
                                                 record->clear_strikes();
                                               });
}

}  // namespace frontier::coordinator
