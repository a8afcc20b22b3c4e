// The worker side of the dispatcher.
#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/enum_names.h"
#include "common/base/log.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "coordinator/core/budget.h"
#include "coordinator/core/dispatcher_impl.h"
#include "coordinator/core/legs.h"
#include "coordinator/core/parent.h"
#include "coordinator/core/result_check.h"
#include "coordinator/core/scheduler.h"
#include "coordinator/core/trial_machine.h"
#include "coordinator/core/trial_task.h"
#include "coordinator/core/worker_health.h"

namespace frontier::coordinator {
namespace {

constexpr int kMaxUploadsPerLease = 8;
constexpr int kMaxNamedLeases = 10000;

}  // namespace

absl::StatusOr<v1::RegisterResponse> DispatcherImpl::Register(const v1::RegisterRequest& request) {
  RETURN_IF_ERROR(CheckProtocolVersion(kProtocolVersion, request.protocol_version(), "worker"));
  const RequestKey key = KeyOf("Register", request);
  RETURN_IF_ERROR(ValidateRegistration(request));
  const NotifyOnExit notify(this);
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  ASSIGN_OR_RETURN(std::optional<v1::RegisterResponse> answer,
                   FindAnswer<v1::RegisterResponse>(*journal_, key));
  if (answer.has_value()) {
    workers_.Touch(request.worker_id(), clock_->Elapsed(), clock_->Now());
    return *std::move(answer);
  }
  const v1::WorkerRecord* known = workers_.Find(request.worker_id());
  if (known != nullptr && known->incarnation() != request.incarnation()) {
    RETURN_IF_ERROR(LoseLeases(leases_.OfWorker(request.worker_id()), v1::FAILURE_CAUSE_WORKER_LOST,
                               "its worker came back without it"));
  }
  const absl::Time now = clock_->Now();
  v1::WorkerRecord record;
  record.set_incarnation(request.incarnation());
  v1::Worker* worker = record.mutable_worker();
  worker->set_id(request.worker_id());
  worker->set_version(request.version());
  worker->set_protocol_version(request.protocol_version());
  *worker->mutable_hardware() = request.hardware();
  *worker->mutable_datasets() = request.datasets();
  worker->set_slots(request.slots());
  *worker->mutable_labels() = request.labels();
  if (known != nullptr) {
    // What is held against the machine a restart of its daemon does not change.
    worker->set_draining(known->worker().draining());
    if (known->worker().has_quarantine()) {
      *worker->mutable_quarantine() = known->worker().quarantine();
    }
    *record.mutable_strikes() = known->strikes();
  }
  worker->set_registered_unix_us(absl::ToUnixMicros(now));
  worker->set_last_seen_unix_us(absl::ToUnixMicros(now));

  v1::RegisterResponse response;
  response.set_protocol_version(kProtocolVersion);
  response.set_version(std::string(ProductVersion()));
  response.set_heartbeat_interval_ms(absl::ToInt64Milliseconds(options_.heartbeat_interval));
  response.set_lease_duration_ms(absl::ToInt64Milliseconds(options_.lease_duration));
  v1::Change change;
  *change.add_workers() = record;
  AddAnswer(key, response, now, &change);
  RETURN_IF_ERROR(CommitChange(std::move(change)));
  workers_.Put(std::move(record), clock_->Elapsed());
  LogInfo({.worker = request.worker_id()},
          absl::StrCat("registered: ", request.slots(), " slots, ", request.hardware().cpu_model(),
                       ", data sets: ",
                       absl::StrJoin(request.datasets(), ", ",
                                     [](std::string* out, const v1::Dataset& dataset) {
                                       out->append(dataset.name());
                                     })));
  return response;
}

absl::StatusOr<v1::LeaseResponse> DispatcherImpl::TryLease(const v1::LeaseRequest& request) {
  const NotifyOnExit notify(this);
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  return TryLeaseLocked(request);
}

absl::StatusOr<v1::LeaseResponse> DispatcherImpl::TryLeaseLocked(const v1::LeaseRequest& request) {
  RETURN_IF_ERROR(CheckRequestId(request.request_id()));
  RETURN_IF_ERROR(workers_.Check(request.worker_id(), request.incarnation()));
  workers_.Touch(request.worker_id(), clock_->Elapsed(), clock_->Now());
  if (const Lease* granted = leases_.OfRequest(request.worker_id(), request.request_id())) {
    v1::LeaseResponse response;
    const JobState* job = FindLive(granted->id.job);
    *response.mutable_lease() =
        MakeLease(granted->id, *job, *job->FindOpen(granted->id.trial), granted->token);
    return response;
  }
  // The lease has ended since: no work now.
  if (workers_.WasLeased(request.worker_id(), request.request_id())) return v1::LeaseResponse();
  if (workers_.HasLeft(request.worker_id())) return v1::LeaseResponse();
  const v1::Worker& worker = workers_.Find(request.worker_id())->worker();
  const int running = leases_.CountOfWorker(worker.id());
  if (running >= worker.slots() || !IsAdmitted(worker, running, clock_->Now())) {
    return v1::LeaseResponse();
  }
  std::vector<JobDemand> demands;
  for (const auto& [id, job] : live_) {
    JobDemand& demand = demands.emplace_back();
    demand.job = id;
    demand.fits_worker =
        CanRun(worker, job->spec()) && !workers_.HasOtherData(worker.id(), id.value());
    demand.has_work = demand.fits_worker && job->HasWork();
    demand.running = static_cast<int>(job->job().trials_running());
    demand.max_parallel_trials = job->spec().max_parallel_trials();
    demand.priority = job->spec().priority();
    if (job->spec().share() > 0) demand.share = job->spec().share();
  }
  std::vector<JobDemand> order = scheduler_.Order(std::move(demands));
  // What a worker on probation failed at is not what shows that it works.
  const v1::WorkerRecord& record = *workers_.Find(request.worker_id());
  if (worker.has_quarantine()) {
    std::stable_partition(order.begin(), order.end(), [&record](const JobDemand& demand) {
      return !HasStrikeOf(record, demand.job.value());
    });
  }
  for (const JobDemand& demand : order) {
    ASSIGN_OR_RETURN(std::optional<v1::LeaseResponse> response, TryLeaseFrom(demand.job, request));
    if (!response.has_value()) continue;
    scheduler_.NoteLeased(demand);
    return *std::move(response);
  }
  return v1::LeaseResponse();
}

absl::StatusOr<std::optional<v1::LeaseResponse>> DispatcherImpl::TryLeaseFrom(
    JobId id, const v1::LeaseRequest& request) {
  // Time may have used up the budget since the last tick.
  RETURN_IF_ERROR(SettleJob(id));
  JobState* job = FindLive(id);
  const absl::Time now = clock_->Now();
  if (job == nullptr || !job->HasWork() ||
      UsedResourceBudget(job->job(), WallSeconds(job->record(), now)).has_value()) {
    return std::nullopt;
  }
  absl::Status failure;
  {
    JobDraft draft(job, now, clock_->Elapsed());
    absl::StatusOr<std::optional<TrialNumber>> picked = PickTrial(job, request.worker_id(), &draft);
    if (picked.ok()) {
      if (!picked->has_value()) {
        RETURN_IF_ERROR(Commit(&draft));
        return std::nullopt;
      }
      const int64_t token = next_token_;
      ASSIGN_OR_RETURN(const AttemptId attempt,
                       draft.Start(**picked, request, token, now + options_.lease_duration));
      RETURN_IF_ERROR(draft.Settle());
      v1::LeaseResponse response;
      *response.mutable_lease() = MakeLease(attempt, *job, *draft.FindTrial(attempt.trial), token);
      RETURN_IF_ERROR(CommitSettled(&draft));
      workers_.NoteLeased(request.worker_id(), request.request_id());
      return response;
    }
    failure = picked.status();
  }
  // The strategy is broken: its job ends with the reason, others go on.
  JobDraft draft(job, now, clock_->Elapsed());
  RETURN_IF_ERROR(draft.FailJob(absl::StrCat("no proposal: ", failure.message())));
  RETURN_IF_ERROR(Commit(&draft));
  return std::nullopt;
}

absl::StatusOr<std::optional<TrialNumber>> DispatcherImpl::PickTrial(JobState* job,
                                                                     absl::string_view worker_id,
                                                                     JobDraft* draft) {
  if (!job->queue().empty()) {
    const std::optional<TrialNumber> queued = job->NextQueued(
        worker_id, OthersCanTake(*job, worker_id), clock_->Elapsed(), options_.lease_duration);
    if (queued.has_value()) return queued;
  }
  if (const auto next = job->NextToGoOn(); next.has_value()) {
    const absl::Status goes_on = draft->GoOn(*next, [&](TrialNumber number) {
      return journal_->GetTrial(job->id().value(), number.value());
    });
    if (goes_on.ok()) return *next;
    // Of the store, not of the job: the next call tries again.
    LogWarning({.job = job->id().value(), .trial = next->value()},
               absl::StrCat("cannot go on: ", goes_on.message()));
    return std::nullopt;
  }
  if (!MayPropose(job->job())) return std::nullopt;
  const absl::StatusOr<TrialNumber> proposed = draft->Propose();
  if (proposed.ok()) return *proposed;
  // Not found yet; the commit keeps how far it came, and wakes who waits to go on from there.
  if (absl::IsUnavailable(proposed.status())) return std::nullopt;
  if (GetErrorReason(proposed.status()) != v1::ERROR_REASON_SPACE_EXHAUSTED) {
    return proposed.status();
  }
  RETURN_IF_ERROR(draft->Exhaust());
  return std::nullopt;
}

bool DispatcherImpl::OthersCanTake(const JobState& job, absl::string_view worker_id) {
  const absl::Time now = clock_->Now();
  return workers_.AnyAlive(clock_->Elapsed(), [&](const v1::Worker& worker) {
    const int running = leases_.CountOfWorker(worker.id());
    return worker.id() != worker_id && CanRun(worker, job.spec()) &&
           !workers_.HasOtherData(worker.id(), job.id().value()) && running < worker.slots() &&
           IsAdmitted(worker, running, now);
  });
}

v1::AttemptLease DispatcherImpl::MakeLease(const AttemptId& id, const JobState& job,
                                           const v1::Trial& trial, int64_t token) const {
  v1::AttemptLease lease;
  lease.set_token(token);
  lease.set_duration_ms(absl::ToInt64Milliseconds(options_.lease_duration));
  *lease.mutable_task() =
      MakeTrialTask(job.job(), trial,
                    trial.has_architecture() ? trial.architecture() : job.ArchitectureOf(id.trial));
  SetLeg(job.spec(), NextLeg(job.spec(), job.ladders(), trial), job.curves(), trial,
         lease.mutable_task());
  *lease.mutable_task()->mutable_key() = id.ToKey();
  return lease;
}

bool DispatcherImpl::IsHeld(const AttemptId& id, absl::string_view worker_id, int64_t token) {
  const Lease* lease = leases_.Find(id);
  return lease != nullptr && lease->token == token && lease->worker_id == worker_id;
}

absl::Status DispatcherImpl::NotHeld(const AttemptId& id) {
  std::string now;
  absl::StatusOr<v1::Job> job = View(id.job);
  if (!job.ok()) return job.status();
  const absl::StatusOr<v1::Trial> trial = journal_->GetTrial(id.job.value(), id.trial.value());
  if (!trial.ok()) return trial.status();
  if (HasEnded(job->state())) {
    now = absl::StrCat("the job has ended: ", EnumName(job->state()));
  } else if (trial->state() != v1::TRIAL_STATE_RUNNING) {
    now = absl::StrCat("the trial is ", EnumName(trial->state()));
  } else if (trial->attempts_size() != id.attempt) {
    now = absl::StrCat("now attempt ", trial->attempts_size());
  } else {
    now = absl::StrCat("worker '", trial->attempts(id.attempt - 1).worker_id(),
                       "' holds it under another token");
  }
  return ErrorWithReason(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_STALE_LEASE,
                         absl::StrCat(id.ToString(), ": lease is not held (", now, ")"));
}

absl::StatusOr<v1::HeartbeatResponse> DispatcherImpl::Heartbeat(
    const v1::HeartbeatRequest& request) {
  if (request.leases_size() > kMaxNamedLeases) {
    return InvalidField("leases", absl::StrCat("must be at most ", kMaxNamedLeases, ", are ",
                                               request.leases_size()));
  }
  const NotifyOnExit notify(this);
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  RETURN_IF_ERROR(workers_.Check(request.worker_id(), request.incarnation()));
  const absl::Duration elapsed = clock_->Elapsed();
  workers_.Touch(request.worker_id(), elapsed, clock_->Now());
  v1::HeartbeatResponse response;
  std::set<int64_t> named;
  for (const v1::LeaseStatus& status : request.leases()) {
    const AttemptId id = AttemptId::FromKey(status.key());
    v1::Directive* directive = response.add_directives();
    *directive->mutable_key() = status.key();
    directive->set_token(status.token());
    if (IsHeld(id, request.worker_id(), status.token())) {
      leases_.Renew(id, elapsed + options_.lease_duration);
      named.insert(status.token());
      directive->set_action(v1::ACTION_CONTINUE);
    } else {
      directive->set_action(v1::ACTION_STOP);
      directive->set_reason(std::string(NotHeld(id).message()));
    }
  }
  if (request.leaving()) {
    RETURN_IF_ERROR(LeaveWorker(request.worker_id(), named));
    RETURN_IF_ERROR(TakeEpochs(request, &response));
    return response;
  }
  for (const AttemptId& id : leases_.OfWorker(request.worker_id())) {
    const Lease* lease = leases_.Find(id);
    // The answer that grants a young lease may still be on its way.
    if (named.count(lease->token) > 0 || elapsed - lease->granted <= options_.heartbeat_interval) {
      continue;
    }
    const JobState* job = FindLive(id.job);
    v1::Directive* directive = response.add_directives();
    *directive->mutable_key() = id.ToKey();
    directive->set_token(lease->token);
    directive->set_action(v1::ACTION_START);
    *directive->mutable_lease() = MakeLease(id, *job, *job->FindOpen(id.trial), lease->token);
  }
  RETURN_IF_ERROR(TakeEpochs(request, &response));
  return response;
}

absl::Status DispatcherImpl::LeaveWorker(const std::string& worker_id,
                                         const std::set<int64_t>& named) {
  for (const AttemptId& id : leases_.OfWorker(worker_id)) {
    if (named.count(leases_.Find(id)->token) > 0) continue;
    JobDraft draft(FindLive(id.job), clock_->Now(), clock_->Elapsed());
    RETURN_IF_ERROR(draft.Return(id, "the worker is leaving", {}));
    RETURN_IF_ERROR(Commit(&draft));
  }
  // Last, so that a worker that repeats the call after a failed commit is heard.
  if (!workers_.HasLeft(worker_id)) LogInfo({.worker = worker_id}, "left");
  workers_.Leave(worker_id);
  return absl::OkStatus();
}

absl::Status DispatcherImpl::TakeEpochs(const v1::HeartbeatRequest& request,
                                        v1::HeartbeatResponse* response) {
  std::map<JobId, std::vector<int>> by_job;  // indices into request.leases
  for (int i = 0; i < request.leases_size(); ++i) {
    const v1::LeaseStatus& status = request.leases(i);
    if (status.epochs().empty() || response->directives(i).action() != v1::ACTION_CONTINUE) {
      continue;
    }
    by_job[JobId(status.key().job_id())].push_back(i);
  }
  for (const auto& [job_id, indices] : by_job) {
    JobDraft draft(FindLive(job_id), clock_->Now(), clock_->Elapsed());
    for (const int i : indices) {
      const v1::LeaseStatus& status = request.leases(i);
      std::string refused;
      RETURN_IF_ERROR(draft.AddEpochs(AttemptId::FromKey(status.key()), status.epochs(), &refused));
      if (refused.empty()) continue;
      // The attempt goes on: whether it has diverged is for its worker to say.
      response->mutable_directives(i)->set_reason(refused);
      LogWarning({.job = status.key().job_id(),
                  .trial = status.key().trial(),
                  .attempt = status.key().attempt(),
                  .worker = request.worker_id()},
                 refused);
    }
    RETURN_IF_ERROR(Commit(&draft));
  }
  return absl::OkStatus();
}

absl::Status DispatcherImpl::CheckLease(const v1::UploadWeightsHeader& header) {
  const AttemptId id = AttemptId::FromKey(header.key());
  if (!IsSha256Hex(header.sha256())) {
    return InvalidField("header.sha256", absl::StrCat("is no SHA-256 digest: '",
                                                      header.sha256().substr(0, 80), "'"));
  }
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  if (!IsHeld(id, header.worker_id(), header.token())) return NotHeld(id);
  const std::vector<std::string>& uploads = leases_.Find(id)->uploads;
  if (std::find(uploads.begin(), uploads.end(), header.sha256()) != uploads.end()) {
    return absl::OkStatus();
  }
  if (uploads.size() >= kMaxUploadsPerLease) {
    return absl::ResourceExhaustedError(
        absl::StrCat(id.ToString(), ": ", uploads.size(), " uploads were let in already"));
  }
  leases_.AddUpload(id, header.sha256());
  ++references_[header.sha256()];
  return absl::OkStatus();
}

absl::StatusOr<std::string> DispatcherImpl::FindParentWeights(
    const v1::GetParentWeightsRequest& request) {
  const AttemptId id = AttemptId::FromKey(request.key());
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  if (!IsHeld(id, request.worker_id(), request.token())) return NotHeld(id);
  const std::string& weights = ParentWeights(FindLive(id.job)->spec());
  if (weights.empty()) {
    return absl::NotFoundError(absl::StrCat(id.ToString(), " inherits no weights"));
  }
  return weights;
}

absl::StatusOr<std::string> DispatcherImpl::FindCheckpoint(
    const v1::GetCheckpointRequest& request) {
  const AttemptId id = AttemptId::FromKey(request.key());
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  if (!IsHeld(id, request.worker_id(), request.token())) return NotHeld(id);
  const std::string& checkpoint = FindLive(id.job)->FindOpen(id.trial)->checkpoint_sha256();
  if (checkpoint.empty()) {
    return absl::NotFoundError(absl::StrCat(id.ToString(), " begins from the start"));
  }
  return checkpoint;
}

absl::StatusOr<v1::ReportResponse> DispatcherImpl::Report(const v1::ReportRequest& request) {
  v1::ReportRequest content = request;
  content.clear_next();
  const RequestKey key = KeyOf("Report", std::move(content));
  RETURN_IF_ERROR(CheckRequestId(key.id));
  RETURN_IF_ERROR(ValidateReport(request));
  const AttemptId id = AttemptId::FromKey(request.key());
  const NotifyOnExit notify(this);
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  const absl::Time now = clock_->Now();
  workers_.Touch(request.worker_id(), clock_->Elapsed(), now);
  v1::ReportResponse response;
  if (IsHeld(id, request.worker_id(), request.token())) {
    JobState* job = FindLive(id.job);
    JobDraft draft(job, now, clock_->Elapsed());
    RETURN_IF_ERROR(DraftReport(request, id, job, &draft));
    RETURN_IF_ERROR(draft.NoteReport(id, key));
    RETURN_IF_ERROR(draft.Settle());
    const v1::Trial& trial = *draft.FindTrial(id.trial);
    response.set_trial_state(trial.state());
    const bool other_data =
        trial.attempts(id.attempt - 1).failure().cause() == v1::FAILURE_CAUSE_OTHER_DATA;
    RETURN_IF_ERROR(CommitJudged({id.trial}, &draft));
    if (other_data) workers_.NoteOtherData(request.worker_id(), id.job.value());
  } else {
    ASSIGN_OR_RETURN(const v1::TrialState state, FindReported(id, key));
    response.set_trial_state(state);
  }
  if (request.has_next()) {
    const absl::StatusOr<v1::LeaseResponse> next = TryLeaseLocked(request.next());
    // The report is accepted all the same; why there is no lease the next call tells.
    if (next.ok() && next->has_lease()) *response.mutable_next() = next->lease();
  }
  return response;
}

absl::StatusOr<v1::TrialState> DispatcherImpl::FindReported(const AttemptId& id,
                                                            const RequestKey& key) {
  const JobState* job = FindLive(id.job);
  const v1::Trial* open = job == nullptr ? nullptr : job->FindOpen(id.trial);
  absl::StatusOr<v1::Trial> trial =
      open != nullptr ? *open : journal_->GetTrial(id.job.value(), id.trial.value());
  if (!trial.ok() || id.attempt < 1 || id.attempt > trial->attempts_size()) return NotHeld(id);
  const v1::Attempt& attempt = trial->attempts(id.attempt - 1);
  if (attempt.report_id() != key.id) return NotHeld(id);
  if (attempt.report_sha256() != key.content_sha256) return RequestReused(key, key.method);
  return attempt.reported_state();
}

absl::Status DispatcherImpl::DraftReport(const v1::ReportRequest& request, const AttemptId& id,
                                         JobState* job, JobDraft* draft) {
  if (request.has_failure()) return draft->Fail(id, request.failure(), request.usage());
  const v1::TrialResult& result = request.result();
  const v1::Trial& trial = *job->FindOpen(id.trial);
  const int epochs = RecipeOf(job->spec(), trial).epochs();
  std::optional<v1::Failure> failure =
      JudgeResult(job->spec(), NextLeg(job->spec(), job->ladders(), trial), epochs, result);
  if (!failure.has_value()) failure = JudgeDataset(job->job(), result);
  if (failure.has_value()) return draft->Fail(id, *failure, result.measurements());
  RETURN_IF_ERROR(CheckUploaded(id, "result.weights_sha256", result.weights_sha256()));
  RETURN_IF_ERROR(CheckUploaded(id, "result.checkpoint_sha256", result.checkpoint_sha256()));
  std::vector<std::string> dropped;
  const v1::TrialResult clean = CleanResult(result, &dropped);
  if (!dropped.empty()) {
    LogWarning({.job = id.job.value(),
                .trial = id.trial.value(),
                .attempt = id.attempt,
                .worker = request.worker_id()},
               absl::StrCat("figures left out of the result: ", absl::StrJoin(dropped, ", ")));
  }
  return draft->Succeed(id, clean, clean.measurements(), [&](TrialNumber number) {
    return journal_->GetTrial(id.job.value(), number.value());
  });
}

absl::Status DispatcherImpl::CheckUploaded(const AttemptId& id, const char* field,
                                           const std::string& sha256) const {
  if (sha256.empty() || blobs_->Has(sha256)) return absl::OkStatus();
  v1::ErrorDetail detail;
  detail.set_reason(v1::ERROR_REASON_INVALID_FIELD);
  detail.set_field(field);
  return ErrorWithDetail(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat(field, ": ", id.ToString(), ": ", sha256, " has not been uploaded"), detail);
}

absl::StatusOr<v1::GiveBackResponse> DispatcherImpl::GiveBack(const v1::GiveBackRequest& request) {
  const RequestKey key = KeyOf("GiveBack", request);
  RETURN_IF_ERROR(ValidateUsage(request.usage()));
  const AttemptId id = AttemptId::FromKey(request.key());
  const NotifyOnExit notify(this);
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  ASSIGN_OR_RETURN(std::optional<v1::GiveBackResponse> answer,
                   FindAnswer<v1::GiveBackResponse>(*journal_, key));
  if (answer.has_value()) return *std::move(answer);
  const absl::Time now = clock_->Now();
  workers_.Touch(request.worker_id(), clock_->Elapsed(), now);
  if (!IsHeld(id, request.worker_id(), request.token())) return NotHeld(id);
  JobDraft draft(FindLive(id.job), now, clock_->Elapsed());
  RETURN_IF_ERROR(draft.Return(id, request.reason(), request.usage()));
  RETURN_IF_ERROR(draft.Settle());
  v1::GiveBackResponse response;
  AddAnswer(key, response, now, draft.change());
  RETURN_IF_ERROR(CommitSettled(&draft));
  return response;
}

}  // namespace frontier::coordinator
