// The client side of the dispatcher.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/enum_names.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "coordinator/core/composition.h"
#include "coordinator/core/dispatcher_impl.h"
#include "coordinator/core/job_draft.h"
#include "coordinator/core/job_validation.h"
#include "coordinator/core/parent.h"
#include "coordinator/core/replay.h"
#include "coordinator/core/search_context.h"
#include "coordinator/core/space_probe.h"
#include "coordinator/core/trial_machine.h"
#include "coordinator/core/trial_task.h"
#include "coordinator/core/warm_start.h"
#include "coordinator/space/extension.h"
#include "coordinator/strategy/objectives.h"

namespace frontier::coordinator {
namespace {

constexpr int kDefaultPage = 50;
constexpr int kMaxPage = 500;
constexpr int kMaxEvents = 200;

absl::StatusOr<int> PageSize(int requested) {
  if (requested == 0) return kDefaultPage;
  if (requested >= 1 && requested <= kMaxPage) return requested;
  return InvalidField("page_size", absl::StrCat("must be 0 to ", kMaxPage, ", is ", requested));
}

absl::StatusOr<int64_t> PageToken(const std::string& token) {
  int64_t position = 0;
  if (token.empty()) return position;
  if (absl::SimpleAtoi(token, &position) && position > 0) return position;
  return InvalidField("page_token",
                      absl::StrCat("'", token.substr(0, 100), "' was not given out by this call"));
}

void StripForList(v1::Trial* trial) {
  trial->clear_architecture();
  trial->clear_compression();
  trial->mutable_result()->clear_epochs();
  if (trial->result().has_engine()) trial->mutable_result()->mutable_engine()->clear_picks();
  if (trial->result().ByteSizeLong() == 0) trial->clear_result();
  for (v1::Attempt& attempt : *trial->mutable_attempts()) {
    attempt.clear_epochs();
    attempt.clear_report_id();
    attempt.clear_report_sha256();
    attempt.clear_reported_state();
  }
}

}  // namespace

JobState* DispatcherImpl::FindLive(JobId id) {
  const auto it = live_.find(id);
  return it == live_.end() ? nullptr : it->second.get();
}

absl::StatusOr<JobState*> DispatcherImpl::GetLive(JobId id) {
  if (JobState* job = FindLive(id)) return job;
  ASSIGN_OR_RETURN(const v1::JobRecord record, journal_->GetJob(id.value()));
  return ErrorWithReason(
      absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_WRONG_STATE,
      absl::StrCat(id.ToString(), " has ended: ", EnumName(record.job().state())));
}

v1::Job DispatcherImpl::View(const v1::JobRecord& record) {
  return ViewJob(record, workers_, clock_->Elapsed(), clock_->Now());
}

absl::StatusOr<v1::Job> DispatcherImpl::View(JobId id) {
  if (const JobState* job = FindLive(id)) return View(job->record());
  ASSIGN_OR_RETURN(const v1::JobRecord record, journal_->GetJob(id.value()));
  return View(record);
}

absl::StatusOr<v1::SubmitJobResponse> DispatcherImpl::SubmitJob(
    const v1::SubmitJobRequest& request) {
  RETURN_IF_ERROR(CheckProtocolVersion(kProtocolVersion, request.protocol_version(), "client"));
  const RequestKey key = KeyOf("SubmitJob", request);
  std::vector<v1::Worker> workers;
  if (!request.validate_only()) {
    ASSIGN_OR_RETURN(std::optional<v1::SubmitJobResponse> answer,
                     FindAnswer<v1::SubmitJobResponse>(*journal_, key));
    if (answer.has_value()) return *std::move(answer);
  }
  {
    MutexLock lock(&mutex_);
    RETURN_IF_ERROR(Renew());
    workers = workers_.List(clock_->Elapsed());
  }
  // Outside the lock: looking for something to propose may take a while.
  absl::StatusOr<v1::JobSpec> spec = CompleteJobSpec(request.spec(), workers);
  if (!spec.ok()) return PrefixField("spec", spec.status());
  const absl::Status resolved = ResolveParent(*store_, &*spec);
  if (!resolved.ok()) return PrefixField("spec", resolved);
  const absl::Status composed = ComposeSpace(TrainSamples(spec->dataset(), workers), &*spec);
  if (!composed.ok()) return PrefixField("spec", composed);
  const absl::Time now = clock_->Now();
  v1::JobRecord record;
  v1::Job* job = record.mutable_job();
  *job->mutable_spec() = *std::move(spec);
  job->set_state(v1::JOB_STATE_RUNNING);
  job->set_submitted_unix_us(absl::ToUnixMicros(now));
  absl::StatusOr<std::unique_ptr<JobState>> state = JobState::Create(std::move(record));
  if (!state.ok()) return PrefixField("spec", state.status());
  const absl::Status not_empty = CheckSpaceIsNotEmpty((*state)->spec(), (*state)->space());
  if (!not_empty.ok()) return PrefixField("spec", not_empty);
  const absl::Status first = CheckFirstGenotypes((*state)->spec(), (*state)->space());
  if (!first.ok()) return PrefixField("spec", first);
  absl::StatusOr<std::vector<v1::Trial>> reused =
      ReusableTrials((*state)->spec(), (*state)->space(), *store_);
  if (!reused.ok()) return PrefixField("spec", reused.status());

  const NotifyOnExit notify(this);
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  v1::SubmitJobResponse response;
  if (request.validate_only()) {
    *response.mutable_job() = View((*state)->record());
    return response;
  }
  // The same request may have come in meanwhile.
  ASSIGN_OR_RETURN(std::optional<v1::SubmitJobResponse> answer,
                   FindAnswer<v1::SubmitJobResponse>(*journal_, key));
  if (answer.has_value()) return *std::move(answer);
  // Its trial may have left the front since it was looked up.
  const std::string parent = ParentWeights((*state)->spec());
  if (!parent.empty() && !blobs_->Has(parent)) {
    return InvalidField("spec.search_space.compress.parent", "its weights are not kept any more");
  }
  const JobId id(last_job_id_ + 1);
  (*state)->SetId(id);
  JobDraft draft(state->get(), now, clock_->Elapsed());
  RETURN_IF_ERROR(ReuseTrials(*std::move(reused), &draft));
  v1::Change& change = *draft.change();
  if (draft.IsEmpty()) *change.add_jobs() = (*state)->record();
  *change.mutable_jobs(0)->mutable_job()->mutable_spec() = (*state)->spec();
  v1::Event* event = change.add_events();
  event->set_job_id(id.value());
  event->set_kind(v1::EVENT_KIND_JOB_SUBMITTED);
  event->set_at_unix_us(absl::ToUnixMicros(now));
  event->set_message(
      absl::StrCat("submitted: ", (*state)->spec().name(), ", ", (*state)->job().space_size(),
                   IsProbing((*state)->spec()) ? " probes first" : " genotypes",
                   draft.record().job().trials_reused() > 0
                       ? absl::StrCat(", ", draft.record().job().trials_reused(),
                                      " results of job ", (*state)->spec().warm_start().job())
                       : ""));
  *response.mutable_job() = View(draft.record());
  AddAnswer(key, response, now, &change);
  RETURN_IF_ERROR(PlanOutlines(**state));
  RETURN_IF_ERROR(CommitSettled(&draft));
  last_job_id_ = id.value();
  if (!parent.empty()) ++references_[parent];
  live_.emplace(id, *std::move(state));
  return response;
}

absl::Status DispatcherImpl::ReuseTrials(std::vector<v1::Trial> trials, JobDraft* draft) {
  for (v1::Trial& trial : trials) {
    // They may have gone since they were looked up.
    if (!blobs_->Has(trial.result().weights_sha256())) {
      trial.mutable_result()->clear_weights_sha256();
    }
    RETURN_IF_ERROR(draft->Reuse(std::move(trial), [&](TrialNumber number) {
      return absl::InternalError(absl::StrCat(number.ToString(), " was not taken over"));
    }));
  }
  return draft->IsEmpty() ? absl::OkStatus() : draft->Settle();
}

absl::StatusOr<v1::GetJobResponse> DispatcherImpl::GetJob(const v1::GetJobRequest& request) {
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  v1::GetJobResponse response;
  ASSIGN_OR_RETURN(*response.mutable_job(), View(JobId(request.job_id())));
  return response;
}

absl::StatusOr<v1::ListJobsResponse> DispatcherImpl::ListJobs(const v1::ListJobsRequest& request) {
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const int64_t before, PageToken(request.page_token()));
  ASSIGN_OR_RETURN(std::vector<v1::JobRecord> records, store_->ListJobs(before, size + 1));
  v1::ListJobsResponse response;
  if (static_cast<int>(records.size()) > size) {
    records.resize(size);
    response.set_next_page_token(absl::StrCat(records.back().job().id()));
  }
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  for (const v1::JobRecord& record : records) *response.add_jobs() = View(record);
  return response;
}

template <typename Response, typename Request>
absl::StatusOr<Response> DispatcherImpl::ChangeJob(absl::string_view method, const Request& request,
                                                   absl::Status (JobDraft::*change)()) {
  const RequestKey key = KeyOf(method, request);
  const NotifyOnExit notify(this);
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  ASSIGN_OR_RETURN(std::optional<Response> answer, FindAnswer<Response>(*journal_, key));
  if (answer.has_value()) return *std::move(answer);
  ASSIGN_OR_RETURN(JobState * job, GetLive(JobId(request.job_id())));
  const absl::Time now = clock_->Now();
  JobDraft draft(job, now, clock_->Elapsed());
  RETURN_IF_ERROR((draft.*change)());
  RETURN_IF_ERROR(draft.Settle());
  Response response;
  *response.mutable_job() = View(draft.record());
  AddAnswer(key, response, now, draft.change());
  RETURN_IF_ERROR(CommitSettled(&draft));
  return response;
}

absl::StatusOr<v1::CancelJobResponse> DispatcherImpl::CancelJob(
    const v1::CancelJobRequest& request) {
  return ChangeJob<v1::CancelJobResponse>("CancelJob", request, &JobDraft::Cancel);
}

absl::StatusOr<v1::PauseJobResponse> DispatcherImpl::PauseJob(const v1::PauseJobRequest& request) {
  return ChangeJob<v1::PauseJobResponse>("PauseJob", request, &JobDraft::Pause);
}

absl::StatusOr<v1::ResumeJobResponse> DispatcherImpl::ResumeJob(
    const v1::ResumeJobRequest& request) {
  return ChangeJob<v1::ResumeJobResponse>("ResumeJob", request, &JobDraft::Resume);
}

absl::StatusOr<DispatcherImpl::Extension> DispatcherImpl::PrepareExtension(
    const v1::JobSpec& spec, const v1::ExtendSpaceRequest& request,
    const std::vector<v1::Worker>& workers) {
  if (IsProbing(spec)) {
    return ErrorWithReason(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_WRONG_STATE,
                           "the job has no space yet, only probes");
  }
  v1::JobSpec extended = spec;
  *extended.mutable_search_space() = request.search_space();
  extended.mutable_search_space()->set_version(spec.search_space().version() + 1);
  KeepParent(spec, &extended);
  RETURN_IF_ERROR(CheckRecipes(extended, workers));
  const v1::DatasetSpec& dataset = spec.dataset();
  ASSIGN_OR_RETURN(const std::unique_ptr<Space> now,
                   CreateSpace(spec.search_space(), dataset.input(), dataset.classes()));
  absl::StatusOr<std::unique_ptr<Space>> space =
      CreateSpace(extended.search_space(), dataset.input(), dataset.classes());
  if (!space.ok()) return PrefixField("search_space", space.status());
  absl::StatusOr<std::string> gains =
      DescribeExtension(spec.search_space(), *now, extended.search_space(), **space);
  if (!gains.ok()) return PrefixField("search_space", gains.status());
  return Extension{extended.search_space(), *std::move(space), *std::move(gains)};
}

absl::Status DispatcherImpl::CheckTrial(const v1::JobSpec& spec, const Space& space,
                                        const v1::Trial& trial) {
  // Probes are of no space.
  if (trial.space_version() < spec.search_space().auto_().composition().version()) {
    return absl::OkStatus();
  }
  const std::optional<Candidate> candidate =
      AdmitCandidate(spec, space, /*taken=*/{}, trial.genotype());
  if (candidate.has_value() && candidate->hash == trial.canonical_hash()) return absl::OkStatus();
  return InvalidField("search_space", absl::StrCat("trial ", trial.number(), " (", trial.summary(),
                                                   ") would not be what it was"));
}

absl::StatusOr<int64_t> DispatcherImpl::CheckStoredTrials(JobId id, const v1::JobSpec& spec,
                                                          const Space& space) const {
  int64_t checked = 0;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<v1::Trial> trials,
                     store_->ListTrials(id.value(), checked, v1::TRIAL_STATE_UNSPECIFIED, kMaxPage,
                                        TrialParts::kWithoutArchitecture));
    if (trials.empty()) return checked;
    for (const v1::Trial& trial : trials) RETURN_IF_ERROR(CheckTrial(spec, space, trial));
    checked = trials.back().number();
  }
}

absl::StatusOr<v1::ExtendSpaceResponse> DispatcherImpl::ExtendSpace(
    const v1::ExtendSpaceRequest& request) {
  const RequestKey key = KeyOf("ExtendSpace", request);
  ASSIGN_OR_RETURN(std::optional<v1::ExtendSpaceResponse> known,
                   FindAnswer<v1::ExtendSpaceResponse>(*journal_, key));
  if (known.has_value()) return *std::move(known);
  const JobId id(request.job_id());
  const auto check_version = [&](const v1::JobSpec& spec) {
    const int version = spec.search_space().version();
    if (version == request.from_version()) return absl::OkStatus();
    return absl::AbortedError(absl::StrCat(id.ToString(), " has version ", version,
                                           " of its space by now, not ", request.from_version()));
  };
  v1::JobSpec spec;
  std::vector<v1::Worker> workers;
  {
    MutexLock lock(&mutex_);
    RETURN_IF_ERROR(Renew());
    ASSIGN_OR_RETURN(const JobState* job, GetLive(id));
    RETURN_IF_ERROR(check_version(job->spec()));
    spec = job->spec();
    workers = workers_.List(clock_->Elapsed());
  }
  // Outside the lock: comparing the spaces may take a while.
  ASSIGN_OR_RETURN(Extension extension, PrepareExtension(spec, request, workers));
  ASSIGN_OR_RETURN(int64_t checked, CheckStoredTrials(id, spec, *extension.space));

  const NotifyOnExit notify(this);
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  // The same request may have come in meanwhile, or another one for the job.
  ASSIGN_OR_RETURN(std::optional<v1::ExtendSpaceResponse> answer,
                   FindAnswer<v1::ExtendSpaceResponse>(*journal_, key));
  if (answer.has_value()) return *std::move(answer);
  ASSIGN_OR_RETURN(JobState * job, GetLive(id));
  RETURN_IF_ERROR(check_version(job->spec()));
  while (checked < job->job().trials_created()) {
    ASSIGN_OR_RETURN(const v1::Trial trial, journal_->GetTrial(id.value(), ++checked));
    RETURN_IF_ERROR(CheckTrial(spec, *extension.space, trial));
  }
  const absl::Time now = clock_->Now();
  JobDraft draft(job, now, clock_->Elapsed());
  RETURN_IF_ERROR(draft.ExtendSpace(extension.spec, std::move(extension.space), extension.gains));
  RETURN_IF_ERROR(draft.Settle());
  v1::ExtendSpaceResponse response;
  *response.mutable_job() = View(draft.record());
  AddAnswer(key, response, now, draft.change());
  RETURN_IF_ERROR(CommitSettled(&draft));
  return response;
}

absl::StatusOr<v1::ReplayJobResponse> DispatcherImpl::ReplayJob(
    const v1::ReplayJobRequest& request) {
  // Beside all that goes on: what is in the store of trials that were proposed does not change.
  return ReplayProposals(request, *store_, clock_);
}

absl::StatusOr<v1::ListTrialsResponse> DispatcherImpl::ListTrials(
    const v1::ListTrialsRequest& request) {
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const int64_t after, PageToken(request.page_token()));
  if (!v1::TrialState_IsValid(request.state())) {
    return InvalidField("state", absl::StrCat("unknown state ", request.state()));
  }
  RETURN_IF_ERROR(store_->GetJob(request.job_id()).status());
  ASSIGN_OR_RETURN(std::vector<v1::Trial> trials,
                   store_->ListTrials(request.job_id(), after, request.state(), size + 1,
                                      TrialParts::kWithoutArchitecture));
  v1::ListTrialsResponse response;
  if (static_cast<int>(trials.size()) > size) {
    trials.resize(size);
    response.set_next_page_token(absl::StrCat(trials.back().number()));
  }
  for (v1::Trial& trial : trials) {
    StripForList(&trial);
    *response.add_trials() = std::move(trial);
  }
  return response;
}

absl::StatusOr<v1::GetTrialResponse> DispatcherImpl::GetTrial(const v1::GetTrialRequest& request) {
  ASSIGN_OR_RETURN(const v1::JobRecord record, store_->GetJob(request.job_id()));
  v1::GetTrialResponse response;
  ASSIGN_OR_RETURN(*response.mutable_trial(), store_->GetTrial(request.job_id(), request.trial()));
  *response.mutable_task() =
      MakeTrialTask(record.job(), response.trial(), response.trial().architecture());
  return response;
}

namespace {

// Leaves out of a trial what would make a front of hundreds too large for one message; GetTrial has
// it.
void Shorten(v1::Trial* trial) {
  trial->mutable_result()->mutable_engine()->clear_picks();
  for (v1::EpochMetrics& epoch : *trial->mutable_result()->mutable_epochs()) {
    const int number = epoch.epoch();
    epoch.Clear();
    epoch.set_epoch(number);
  }
  for (v1::Attempt& attempt : *trial->mutable_attempts()) attempt.clear_epochs();
}

}  // namespace

absl::StatusOr<v1::GetFrontResponse> DispatcherImpl::GetFront(const v1::GetFrontRequest& request) {
  // As the store has it, unlocked: a large front takes a while.
  ASSIGN_OR_RETURN(const v1::JobRecord record, store_->GetJob(request.job_id()));
  ASSIGN_OR_RETURN(std::vector<v1::Trial> trials,
                   store_->ListFront(request.job_id(), TrialParts::kWithoutArchitecture));
  v1::GetFrontResponse response;
  {
    MutexLock lock(&mutex_);
    RETURN_IF_ERROR(Renew());
    *response.mutable_job() = View(record);
  }
  std::vector<std::pair<std::vector<double>, size_t>> order;
  for (size_t i = 0; i < trials.size(); ++i) {
    ASSIGN_OR_RETURN(std::vector<double> objectives,
                     MinimizedObjectives(response.job().spec(), trials[i].result()));
    order.emplace_back(std::move(objectives), i);
  }
  // Ties by the further objectives, then by number: the order is the same at each call.
  std::sort(order.begin(), order.end(), [&trials](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    return trials[a.second].number() < trials[b.second].number();
  });
  for (const auto& [objectives, index] : order) {
    Shorten(&trials[index]);
    *response.add_trials() = std::move(trials[index]);
  }
  return response;
}

absl::StatusOr<v1::ListWorkersResponse> DispatcherImpl::ListWorkers(
    const v1::ListWorkersRequest& request) {
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  std::vector<v1::Worker> workers =
      workers_.List(clock_->Elapsed(), request.page_token(), size + 1);
  v1::ListWorkersResponse response;
  if (static_cast<int>(workers.size()) > size) {
    workers.resize(size);
    response.set_next_page_token(workers.back().id());
  }
  for (v1::Worker& worker : workers) {
    for (const AttemptId& id : leases_.OfWorker(worker.id())) *worker.add_running() = id.ToKey();
    *response.add_workers() = std::move(worker);
  }
  return response;
}

absl::StatusOr<v1::WatchJobResponse> DispatcherImpl::PollJob(const v1::WatchJobRequest& request,
                                                             int64_t* cursor) {
  if (request.after_event() < 0) {
    return InvalidField("after_event",
                        absl::StrCat("must not be negative, is ", request.after_event()));
  }
  // As the store has it: the job before the events that led to it, so that none is missing, and
  // where to begin before the job, so that what comes between is told of.
  if (request.after_event() == 0) {
    ASSIGN_OR_RETURN(*cursor, store_->LastEventSequence());
  }
  ASSIGN_OR_RETURN(const v1::JobRecord record, store_->GetJob(request.job_id()));
  std::vector<v1::Event> events;
  if (request.after_event() > 0) {
    ASSIGN_OR_RETURN(events,
                     store_->ListEvents(request.job_id(), request.after_event(), kMaxEvents));
    *cursor = events.empty() ? request.after_event() : events.back().sequence();
  }
  v1::WatchJobResponse response;
  for (v1::Event& event : events) *response.add_events() = std::move(event);
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Renew());
  *response.mutable_job() = View(record);
  return response;
}

absl::StatusOr<std::string> DispatcherImpl::FindWeights(const v1::GetWeightsRequest& request) {
  ASSIGN_OR_RETURN(const v1::JobRecord record, store_->GetJob(request.job_id()));
  ASSIGN_OR_RETURN(const v1::Trial trial, store_->GetTrial(request.job_id(), request.trial()));
  if (!trial.weights_kept()) {
    return absl::NotFoundError(absl::StrCat(
        "job ", request.job_id(), " trial ", request.trial(), ": no weights are kept, since it ",
        !trial.on_front()                 ? "is not on the front"
        : record.job().dropped().models() ? "has been removed by age"
                                          : "was reported without"));
  }
  return trial.result().weights_sha256();
}

}  // namespace frontier::coordinator
