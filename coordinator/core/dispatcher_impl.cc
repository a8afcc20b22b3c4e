#include "coordinator/core/dispatcher_impl.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "coordinator/core/budget.h"
#include "coordinator/core/references.h"
#include "coordinator/core/trial_machine.h"
#include "coordinator/core/worker_health.h"

namespace frontier::coordinator {
namespace {

constexpr absl::Duration kSweepInterval = absl::Minutes(10);
constexpr absl::Duration kPruneInterval = absl::Minutes(10);
constexpr absl::Duration kClockJump = absl::Minutes(1);
constexpr absl::Duration kClockTrial = absl::Hours(1);
// A small write may find room where the next does not: losses that follow each other closely are
// followed by ever longer pauses.
constexpr absl::Duration kCalm = absl::Minutes(1);
constexpr absl::Duration kFirstResumePause = absl::Seconds(1);
constexpr absl::Duration kLongestResumePause = absl::Seconds(30);
constexpr absl::Duration kLastSeenInterval = absl::Minutes(1);
// Beyond its own time limit an attempt has this long to load data, upload and report.
constexpr absl::Duration kReportGrace = absl::Minutes(5);

LogIds IdsOf(const v1::Event& event) {
  return {.job = event.job_id(),
          .trial = event.trial(),
          .attempt = event.attempt(),
          .worker = event.worker_id()};
}

// As granted, or read from the store, at `elapsed`.
Lease LeaseOf(const v1::LeaseRecord& record, absl::Duration elapsed, absl::Duration duration) {
  Lease lease;
  lease.id = AttemptId::FromKey(record.key());
  lease.token = record.token();
  lease.worker_id = record.worker_id();
  lease.incarnation = record.incarnation();
  lease.request_id = record.request_id();
  lease.granted = elapsed;
  lease.expires = elapsed + duration;
  return lease;
}

// Keeps the first error of several steps that do not depend on each other.
void Note(const absl::Status& status, absl::Status* first) {
  if (first->ok()) *first = status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Dispatcher>> CreateDispatcher(const DispatcherOptions& options,
                                                             Store* store, Journal* journal,
                                                             BlobStore* blobs, Clock* clock) {
  if (options.lease_duration <= absl::ZeroDuration()) {
    return InvalidField(
        "lease_duration",
        absl::StrCat("must be positive, is ", absl::FormatDuration(options.lease_duration)));
  }
  if (options.heartbeat_interval <= absl::ZeroDuration() ||
      options.heartbeat_interval * 3 > options.lease_duration) {
    return InvalidField(
        "heartbeat_interval",
        absl::StrCat("must be positive and at most a third of the lease duration of ",
                     absl::FormatDuration(options.lease_duration), ", is ",
                     absl::FormatDuration(options.heartbeat_interval)));
  }
  if (options.outlined_together < 1) {
    return InvalidField("outlined_together",
                        absl::StrCat("must be positive, is ", options.outlined_together));
  }
  auto dispatcher = std::make_unique<DispatcherImpl>(options, store, journal, blobs, clock);
  RETURN_IF_ERROR(dispatcher->Start());
  return dispatcher;
}

DispatcherImpl::DispatcherImpl(const DispatcherOptions& options, Store* store, Journal* journal,
                               BlobStore* blobs, Clock* clock)
    : options_(options),
      store_(store),
      journal_(journal),
      blobs_(blobs),
      clock_(clock),
      workers_(options.lease_duration) {}

void DispatcherImpl::SetChangeListener(absl::AnyInvocable<void()> listener) {
  MutexLock lock(&listener_mutex_);
  listener_ = std::move(listener);
}

void DispatcherImpl::NotifyIfChanged() {
  if (!changed_.exchange(false)) return;
  std::vector<std::string> unused;
  int64_t losses = 0;
  int64_t writes = 0;
  {
    MutexLock lock(&mutex_);
    unused.swap(unused_blobs_);
    losses = losses_;
    writes = writes_;
  }
  journal_->WhenDurable(losses, [this, unused, writes](const absl::Status& status) {
    // What was lost may have been that they are not used any more.
    if (status.ok()) {
      NoteDurable(writes);
      DeleteUnreferenced(unused);
    }
    MutexLock lock(&listener_mutex_);
    if (listener_) listener_();
  });
}

void DispatcherImpl::NoteDurable(int64_t writes) {
  int64_t known = durable_writes_;
  while (known < writes && !durable_writes_.compare_exchange_weak(known, writes)) {
  }
}

absl::Status DispatcherImpl::Start() {
  {
    MutexLock lock(&mutex_);
    RETURN_IF_ERROR(Restore());
    RETURN_IF_ERROR(EndLeftovers());
  }
  NotifyIfChanged();
  return absl::OkStatus();
}

absl::Status DispatcherImpl::Renew() {
  if (losses_ != journal_->losses()) {
    LogWarning({}, "going back to what the database holds");
    RETURN_IF_ERROR(Restore());
    const absl::Duration elapsed = clock_->Elapsed();
    resume_pause_ = elapsed - last_resumed_ < kCalm
                        ? std::clamp(2 * resume_pause_, kFirstResumePause, kLongestResumePause)
                        : absl::ZeroDuration();
    next_resume_ = elapsed + resume_pause_;
    refused_ = true;
  }
  NoteClock();
  return absl::OkStatus();
}

absl::Status DispatcherImpl::Restore() {
  losses_ = -1;  // until all is read
  const int64_t losses = journal_->losses();
  live_.clear();
  outline_plans_.clear();
  leases_ = LeaseTable();
  orphans_.clear();
  stray_leases_.Clear();
  unused_blobs_.clear();
  releases_.clear();
  workers_ = WorkerRegistry(options_.lease_duration);
  references_.clear();
  scheduler_ = Scheduler();
  const absl::Duration elapsed = clock_->Elapsed();
  ASSIGN_OR_RETURN(last_job_id_, store_->LastJobId());
  ASSIGN_OR_RETURN(next_token_, store_->NextLeaseToken());
  first_token_ = next_token_;
  ASSIGN_OR_RETURN(std::vector<v1::WorkerRecord> workers, store_->LoadWorkers());
  for (v1::WorkerRecord& worker : workers) workers_.Restore(std::move(worker));
  ASSIGN_OR_RETURN(std::vector<v1::JobRecord> jobs, store_->LoadLiveJobs());
  for (v1::JobRecord& record : jobs) {
    const JobId id(record.job().id());
    absl::StatusOr<std::unique_ptr<JobState>> state =
        JobState::Restore(std::move(record), *store_, elapsed);
    if (!state.ok()) {
      return absl::Status(
          state.status().code(),
          absl::StrCat(id.ToString(), " cannot be restored: ", state.status().message()));
    }
    RETURN_IF_ERROR(PlanOutlines(**state));
    live_.emplace(id, *std::move(state));
  }
  RETURN_IF_ERROR(RestoreLeases());
  RETURN_IF_ERROR(CountModels(*store_, &references_));
  for (const auto& [id, job] : live_) {
    for (const auto& [trial, checkpoint] : job->checkpoints()) ++references_[checkpoint];
  }
  RETURN_IF_ERROR(RestoreRemovals());
  losses_ = losses;
  next_sweep_ = elapsed;
  next_prune_ = elapsed;
  next_retention_ = elapsed;
  next_last_seen_ = elapsed + kLastSeenInterval;
  SweepWeights();
  if (!live_.empty() || leases_.size() > 0) {
    LogInfo({},
            absl::StrCat("restored ", live_.size(), " live jobs and ", leases_.size(), " leases"));
  }
  return absl::OkStatus();
}

absl::Status DispatcherImpl::RestoreLeases() {
  const absl::Duration elapsed = clock_->Elapsed();
  const absl::Time now = clock_->Now();
  ASSIGN_OR_RETURN(const std::vector<v1::LeaseRecord> records, store_->LoadLeases());
  for (const v1::LeaseRecord& record : records) {
    const AttemptId id = AttemptId::FromKey(record.key());
    const JobState* job = FindLive(id.job);
    const v1::Trial* trial = job == nullptr ? nullptr : job->FindOpen(id.trial);
    if (trial == nullptr || trial->state() != v1::TRIAL_STATE_RUNNING ||
        trial->attempts_size() != id.attempt) {
      LogWarning({.job = id.job.value(), .trial = id.trial.value(), .attempt = id.attempt},
                 "a stored lease belongs to no running attempt; dropped");
      *stray_leases_.add_ended_leases() = record.key();
      continue;
    }
    // Nobody could renew it while no coordinator ran.
    workers_.Touch(record.worker_id(), elapsed, now);
    leases_.Add(LeaseOf(record, elapsed, options_.lease_duration));
  }
  for (const auto& [job_id, job] : live_) {
    for (const auto& [number, trial] : job->open_trials()) {
      const AttemptId id{job_id, number, trial.attempts_size()};
      if (trial.state() == v1::TRIAL_STATE_RUNNING && leases_.Find(id) == nullptr) {
        orphans_.push_back(id);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status DispatcherImpl::EndLeftovers() {
  if (!stray_leases_.ended_leases().empty()) {
    RETURN_IF_ERROR(CommitChange(stray_leases_));
    stray_leases_.Clear();
  }
  if (orphans_.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(
      LoseLeases(orphans_, v1::FAILURE_CAUSE_WORKER_LOST, "no lease of it was found at the start"));
  orphans_.clear();
  return absl::OkStatus();
}

void DispatcherImpl::NoteClock() {
  if (refused_) return;  // it could not be kept
  const absl::Duration elapsed = clock_->Elapsed();
  const absl::Time now = clock_->Now();
  const absl::Duration offset = now - absl::UnixEpoch() - elapsed;
  const absl::Duration jump = offset - clock_offset_.value_or(offset);
  if (!clock_offset_.has_value() || absl::AbsDuration(jump) > kClockJump) {
    clock_trusted_from_ = elapsed + kClockTrial;
  }
  clock_offset_ = offset;
  if (absl::AbsDuration(jump) <= kClockJump) return;
  LogWarning({}, absl::StrCat("the wall clock jumped by ", absl::FormatDuration(jump),
                              "; what jobs may take does not count it"));
  std::vector<JobState*> jobs;
  for (const auto& [id, job] : live_) jobs.push_back(job.get());
  for (JobState* job : jobs) {
    const JobId id = job->id();
    JobDraft draft(job, now, elapsed);
    draft.LeaveOut(jump);
    if (const absl::Status status = Commit(&draft); !status.ok()) {
      LogWarning({.job = id.value()},
                 absl::StrCat("its wall time has the jump of the clock: ", status.message()));
    }
  }
}

bool DispatcherImpl::IsClockTrusted() const { return clock_->Elapsed() >= clock_trusted_from_; }

absl::Status DispatcherImpl::CommitChange(v1::Change change) {
  const absl::Duration elapsed = clock_->Elapsed();
  const bool prune = IsClockTrusted() && elapsed >= next_prune_;
  if (prune) {
    const absl::Time before = clock_->Now() - options_.request_retention;
    change.set_requests_before_unix_us(absl::ToUnixMicros(before));
  }
  RETURN_IF_ERROR(journal_->Write(losses_, std::move(change)));
  if (prune) next_prune_ = elapsed + kPruneInterval;
  ++writes_;
  changed_ = true;
  return absl::OkStatus();
}

absl::Status DispatcherImpl::Commit(JobDraft* draft) {
  RETURN_IF_ERROR(draft->Settle());
  if (draft->IsEmpty()) return absl::OkStatus();
  return CommitSettled(draft);
}

absl::Status DispatcherImpl::CommitSettled(JobDraft* draft) {
  v1::Change change;
  change.Swap(draft->change());
  const auto leases = change.leases();
  const auto ended_leases = change.ended_leases();
  const auto events = change.events();
  const JobId id(draft->record().job().id());
  const bool ended = HasEnded(draft->record().job().state());
  const int64_t next_token = change.next_lease_token();
  std::vector<TrialNumber> written;
  for (const v1::Trial& trial : change.trials()) written.emplace_back(trial.number());
  RETURN_IF_ERROR(CommitChange(std::move(change)));
  draft->Apply();
  if (const auto plan = outline_plans_.find(id); plan != outline_plans_.end()) {
    for (const TrialNumber number : written) plan->second.NoteWritten(number, writes_);
  }
  const absl::Duration elapsed = clock_->Elapsed();
  for (const v1::LeaseRecord& record : leases) {
    leases_.Add(LeaseOf(record, elapsed, options_.lease_duration));
  }
  if (next_token != 0) next_token_ = next_token;
  // What is kept gets its reference before the upload's goes.
  for (const std::string& sha256 : draft->weights_kept()) ++references_[sha256];
  for (const v1::AttemptKey& key : ended_leases) RemoveLease(AttemptId::FromKey(key));
  for (const std::string& sha256 : draft->weights_released()) ReleaseWeights(sha256);
  for (const std::string& sha256 : draft->weights_unused()) NoteUnused(sha256);
  for (const v1::Event& event : events) LogInfo(IdsOf(event), event.message());
  if (ended) {
    live_.erase(id);
    outline_plans_.erase(id);
    scheduler_.Forget(id);
  }
  return absl::OkStatus();
}

absl::Status DispatcherImpl::CommitJudged(const std::vector<TrialNumber>& trials, JobDraft* draft) {
  const absl::Time now = clock_->Now();
  const bool works = OwnSuccesses(draft->record().job()) > 0;
  // Each by what is known so far: of several trials at once only losses are judged, which are no
  // strikes.
  std::vector<v1::WorkerRecord> judged;
  for (const TrialNumber number : trials) {
    for (v1::WorkerRecord& record : JudgeWorkers(workers_, *draft->FindTrial(number), works, now)) {
      judged.push_back(std::move(record));
    }
  }
  for (const v1::WorkerRecord& record : judged) *draft->change()->add_workers() = record;
  RETURN_IF_ERROR(CommitSettled(draft));
  for (v1::WorkerRecord& record : judged) {
    const v1::Worker& worker = record.worker();
    const v1::Worker& before = workers_.Find(worker.id())->worker();
    if (worker.quarantine().times() > before.quarantine().times()) {
      LogWarning({.worker = worker.id()}, WhyNotAdmitted(worker, now));
    } else if (before.has_quarantine() && !worker.has_quarantine()) {
      LogInfo({.worker = worker.id()}, "is not in quarantine any more");
    }
    workers_.Replace(std::move(record));
  }
  return absl::OkStatus();
}

absl::Status DispatcherImpl::LoseLeases(const std::vector<AttemptId>& ids, v1::FailureCause cause,
                                        absl::string_view message) {
  std::map<JobId, std::vector<AttemptId>> by_job;
  for (const AttemptId& id : ids) by_job[id.job].push_back(id);
  absl::Status first;
  for (const auto& [job_id, attempts] : by_job) {
    JobState* job = FindLive(job_id);
    if (job == nullptr) continue;
    JobDraft draft(job, clock_->Now(), clock_->Elapsed());
    absl::Status status;
    std::vector<TrialNumber> trials;
    for (const AttemptId& id : attempts) {
      if (status.ok()) status = draft.Lose(id, cause, message);
      trials.push_back(id.trial);
    }
    if (status.ok()) status = draft.Settle();
    if (status.ok()) status = CommitJudged(trials, &draft);
    Note(status, &first);
  }
  return first;
}

absl::Status DispatcherImpl::EndOverdueAttempts() {
  const absl::Duration elapsed = clock_->Elapsed();
  absl::Status first;
  // Who could not report meanwhile gets the time to do so.
  if (elapsed - attentive_from_ <= kReportGrace) return first;
  for (const AttemptId& id : leases_.All()) {
    const Lease* lease = leases_.Find(id);
    const JobState* job = FindLive(id.job);
    if (lease == nullptr || job == nullptr) continue;
    const absl::Duration limit = absl::Seconds(job->spec().limits().wall_seconds());
    if (elapsed - lease->granted <= limit + kReportGrace) continue;
    Note(LoseLeases({id}, v1::FAILURE_CAUSE_TIMED_OUT,
                    absl::StrCat("no report ", absl::FormatDuration(elapsed - lease->granted),
                                 " after its start, limit is ", absl::FormatDuration(limit))),
         &first);
  }
  return first;
}

absl::Status DispatcherImpl::SettleJob(JobId id) {
  JobState* job = FindLive(id);
  if (job == nullptr) return absl::OkStatus();
  JobDraft draft(job, clock_->Now(), clock_->Elapsed());
  return Commit(&draft);
}

absl::Status DispatcherImpl::SettleJobs() {
  std::vector<JobId> ids;
  for (const auto& [id, job] : live_) ids.push_back(id);
  absl::Status first;
  for (const JobId id : ids) Note(SettleJob(id), &first);
  return first;
}

absl::Status DispatcherImpl::StoreLastSeen() {
  const absl::Duration elapsed = clock_->Elapsed();
  if (elapsed < next_last_seen_) return absl::OkStatus();
  next_last_seen_ = elapsed + kLastSeenInterval;
  v1::Change change;
  for (v1::WorkerRecord& worker : workers_.TakeTouched()) *change.add_workers() = std::move(worker);
  return change.workers().empty() ? absl::OkStatus() : CommitChange(std::move(change));
}

absl::Status DispatcherImpl::Resume() {
  if (!refused_) return absl::OkStatus();
  if (clock_->Elapsed() < next_resume_) {
    return absl::UnavailableError("the database could not be written and is given time");
  }
  // Another token, since a row that stays the same is not written.
  v1::Change probe;
  probe.set_next_lease_token(next_token_ + 1);
  RETURN_IF_ERROR(journal_->Resume(std::move(probe)));
  ++next_token_;
  refused_ = false;
  last_resumed_ = attentive_from_ = clock_->Elapsed();
  return absl::OkStatus();
}

absl::Status DispatcherImpl::Tick() {
  const NotifyOnExit notify(this);
  absl::Status first;
  {
    MutexLock lock(&mutex_);
    first = TickLocked();
  }
  Note(WriteOutlines(), &first);
  return first;
}

void DispatcherImpl::NoteStall(absl::Duration stall) {
  MutexLock lock(&mutex_);
  attentive_from_ = clock_->Elapsed();
  leases_.Postpone(stall);
  if (leases_.size() == 0) return;
  LogWarning({}, absl::StrCat("stood still for ", absl::FormatDuration(stall), "; ", leases_.size(),
                              " leases end later by as much"));
}

absl::Status DispatcherImpl::TickLocked() {
  RETURN_IF_ERROR(Renew());
  RETURN_IF_ERROR(Resume());
  absl::Status first;
  Note(EndLeftovers(), &first);
  Note(LoseLeases(leases_.Expired(clock_->Elapsed()), v1::FAILURE_CAUSE_WORKER_LOST,
                  absl::StrCat("not renewed for ", absl::FormatDuration(options_.lease_duration))),
       &first);
  Note(EndOverdueAttempts(), &first);
  Note(SettleJobs(), &first);
  Note(StoreLastSeen(), &first);
  Note(ContinueRemovals(), &first);
  Note(ApplyRetention(), &first);
  if (clock_->Elapsed() >= next_sweep_) SweepWeights();
  return first;
}

// Weights that nothing refers to: of trials that ended while the coordinator was being killed, of
// uploads whose lease was lost under way.
void DispatcherImpl::SweepWeights() {
  if (leases_.size() > 0 && leases_.OldestToken() < first_token_) return;
  next_sweep_ = clock_->Elapsed() + kSweepInterval;
  const absl::StatusOr<std::vector<std::string>> blobs = blobs_->List();
  if (!blobs.ok()) {
    LogWarning({}, absl::StrCat("weights cannot be listed: ", blobs.status().message()));
    return;
  }
  for (const std::string& sha256 : *blobs) {
    if (references_.contains(sha256)) continue;
    NoteUnused(sha256);
    changed_ = true;
  }
}

void DispatcherImpl::RemoveLease(const AttemptId& id) {
  const Lease* lease = leases_.Find(id);
  if (lease == nullptr) return;
  const std::vector<std::string> uploads = lease->uploads;
  scheduler_.NoteEnded(id.job, clock_->Elapsed() - lease->granted);
  leases_.Remove(id);
  for (const std::string& sha256 : uploads) ReleaseWeights(sha256);
}

void DispatcherImpl::ReleaseWeights(const std::string& sha256) {
  const auto it = references_.find(sha256);
  if (it != references_.end() && --it->second <= 0) references_.erase(it);
  NoteUnused(sha256);
}

void DispatcherImpl::NoteUnused(const std::string& sha256) {
  unused_blobs_.push_back(sha256);
  ++releases_[sha256];
}

void DispatcherImpl::DeleteUnreferenced(const std::vector<std::string>& blobs) {
  if (blobs.empty()) return;
  MutexLock lock(&mutex_);
  for (const std::string& sha256 : blobs) {
    const auto later = releases_.find(sha256);
    if (later != releases_.end() && --later->second > 0) continue;  // one is not durable yet
    releases_.erase(sha256);
    if (references_.contains(sha256)) continue;
    // A failure leaves a file too many, which the next sweep meets again.
    const absl::Status status = blobs_->Delete(sha256);
    if (!status.ok()) {
      LogWarning({}, absl::StrCat("weights ", sha256, " cannot be deleted: ", status.message()));
    }
  }
}

}  // namespace frontier::coordinator
