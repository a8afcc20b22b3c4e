// What goes: of jobs that have ended, deleted ones and what the rules of retention do not keep,
// step by step, so that nobody waits for a job of many trials; and workers not seen for long.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "coordinator/core/dispatcher_impl.h"
#include "coordinator/core/parent.h"
#include "coordinator/core/trial_machine.h"

namespace frontier::coordinator {
namespace {

constexpr absl::Duration kRetentionInterval = absl::Minutes(10);
constexpr int kPage = 500;
// Rows of each kind that one step takes.
constexpr int kStep = 200;

}  // namespace

absl::Status DispatcherImpl::RestoreRemovals() {
  removals_.clear();
  ASSIGN_OR_RETURN(const std::vector<v1::JobRecord> deleted, store_->LoadDeletedJobs());
  for (const v1::JobRecord& record : deleted) {
    removals_[JobId(record.job().id())] = {.job = true,
                                           .parent = ParentWeights(record.job().spec())};
  }
  return absl::OkStatus();
}

absl::Status DispatcherImpl::MarkDeleted(const v1::JobRecord& record, v1::Change change) {
  const JobId id(record.job().id());
  change.add_deleted_jobs(id.value());
  RETURN_IF_ERROR(CommitChange(std::move(change)));
  LogInfo({.job = id.value()}, "deleted");
  // From the start, whatever of it has gone already.
  removals_[id] = {.job = true, .parent = ParentWeights(record.job().spec())};
  return absl::OkStatus();
}

absl::Status DispatcherImpl::ApplyRetention() {
  const absl::Duration elapsed = clock_->Elapsed();
  const absl::Time now = clock_->Now();
  if (!IsClockTrusted() || elapsed < next_retention_) return absl::OkStatus();
  next_retention_ = elapsed + kRetentionInterval;
  RETURN_IF_ERROR(ForgetWorkers());
  const Retention& keep = options_.retention;
  const absl::Duration shortest = std::min({keep.trials, keep.log, keep.models, keep.jobs});
  if (shortest == absl::InfiniteDuration()) return absl::OkStatus();
  int64_t before = 0;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<v1::JobRecord> jobs, store_->ListJobs(before, kPage));
    if (jobs.empty()) return absl::OkStatus();
    for (const v1::JobRecord& record : jobs) {
      const v1::Job& job = record.job();
      before = job.id();
      const JobId id(job.id());
      if (!HasEnded(job.state()) || FindLive(id) != nullptr || removals_.count(id) > 0) continue;
      const absl::Duration age = now - absl::FromUnixMicros(job.ended_unix_us());
      if (age > keep.jobs) {
        RETURN_IF_ERROR(MarkDeleted(record, v1::Change()));
        continue;
      }
      const auto is_due = [&](absl::Duration kept, bool dropped) {
        return age > kept && (!dropped || record.removing());
      };
      const Removal removal{.trials = is_due(keep.trials, job.dropped().trials()),
                            .log = is_due(keep.log, job.dropped().log()),
                            .models = is_due(keep.models, job.dropped().models())};
      if (removal.trials || removal.log || removal.models) {
        RETURN_IF_ERROR(BeginRemoval(record, removal));
      }
    }
  }
}

absl::Status DispatcherImpl::ForgetWorkers() {
  if (options_.retention.workers == absl::InfiniteDuration()) return absl::OkStatus();
  const absl::Time now = clock_->Now();
  v1::Change change;
  for (const v1::Worker& worker : workers_.List(clock_->Elapsed())) {
    const absl::Duration silence = now - absl::FromUnixMicros(worker.last_seen_unix_us());
    if (worker.alive() || worker.draining() || leases_.CountOfWorker(worker.id()) > 0) continue;
    if (silence > options_.retention.workers) change.add_deleted_workers(worker.id());
  }
  if (change.deleted_workers().empty()) return absl::OkStatus();
  const std::vector<std::string> gone(change.deleted_workers().begin(),
                                      change.deleted_workers().end());
  RETURN_IF_ERROR(CommitChange(std::move(change)));
  for (const std::string& id : gone) {
    workers_.Forget(id);
    LogInfo({.worker = id}, "forgotten, since it was not seen for long");
  }
  return absl::OkStatus();
}

absl::Status DispatcherImpl::BeginRemoval(v1::JobRecord record, const Removal& removal) {
  // Said first, so that nobody relies on what goes, wherever this ends.
  const JobId id(record.job().id());
  v1::Dropped* dropped = record.mutable_job()->mutable_dropped();
  dropped->set_trials(dropped->trials() || removal.trials);
  dropped->set_log(dropped->log() || removal.log);
  dropped->set_models(dropped->models() || removal.models);
  record.set_removing(true);
  record.mutable_job()->clear_spec();  // stays as it is stored
  v1::Change change;
  *change.add_jobs() = std::move(record);
  RETURN_IF_ERROR(CommitChange(std::move(change)));
  removals_[id] = removal;
  return absl::OkStatus();
}

absl::Status DispatcherImpl::ContinueRemovals() {
  // One step of one, but a job that cannot be read is not in the way of others.
  absl::Status first;
  std::vector<JobId> ids;
  for (const auto& [id, removal] : removals_) ids.push_back(id);
  for (const JobId id : ids) {
    // What was decided before its deletion is not all in the store until that is.
    if (removals_[id].job && store_->GetJob(id.value()).ok()) continue;
    const absl::Status status = ContinueRemoval(id);
    if (status.ok()) return first;
    if (first.ok()) first = status;
  }
  return first;
}

absl::Status DispatcherImpl::ContinueRemoval(JobId id) {
  Removal& removal = removals_[id];
  std::vector<v1::Trial> trials;
  std::vector<v1::Event> events;
  if (removal.job || removal.trials || removal.models) {
    ASSIGN_OR_RETURN(
        trials, store_->ListTrials(id.value(), removal.through_trial, v1::TRIAL_STATE_UNSPECIFIED,
                                   kStep, TrialParts::kWithoutArchitecture));
  }
  if (removal.job || removal.log) {
    ASSIGN_OR_RETURN(events, store_->ListEvents(id.value(), removal.through_event, kStep));
  }
  if (trials.empty() && events.empty()) return EndRemoval(id, removal);

  v1::Change change;
  v1::Sweep* sweep = change.add_sweeps();
  sweep->set_job_id(id.value());
  sweep->set_keep_front(!removal.job);
  if (!trials.empty() && (removal.job || removal.trials)) {
    sweep->set_through_trial(trials.back().number());
  }
  if (!events.empty()) sweep->set_through_event(events.back().sequence());
  std::vector<std::string> released;
  for (v1::Trial& trial : trials) {
    if (!trial.weights_kept() || !(removal.job || removal.models)) continue;
    released.push_back(trial.result().weights_sha256());
    if (removal.job) continue;
    trial.set_weights_kept(false);
    *change.add_trials() = trial;
  }
  RETURN_IF_ERROR(CommitChange(std::move(change)));
  if (!trials.empty()) removal.through_trial = trials.back().number();
  if (!events.empty()) removal.through_event = events.back().sequence();
  for (const std::string& sha256 : released) ReleaseWeights(sha256);
  return absl::OkStatus();
}

absl::Status DispatcherImpl::EndRemoval(JobId id, const Removal& removal) {
  v1::Change change;
  if (removal.job) {
    v1::Sweep* sweep = change.add_sweeps();
    sweep->set_job_id(id.value());
    sweep->set_through_trial(std::numeric_limits<int64_t>::max());
    sweep->set_through_event(std::numeric_limits<int64_t>::max());
  } else {
    ASSIGN_OR_RETURN(v1::JobRecord record, journal_->GetJob(id.value()));
    record.set_removing(false);
    record.mutable_job()->clear_spec();  // stays as it is stored
    *change.add_jobs() = std::move(record);
  }
  RETURN_IF_ERROR(CommitChange(std::move(change)));
  if (!removal.parent.empty()) ReleaseWeights(removal.parent);
  LogInfo({.job = id.value()},
          removal.job
              ? "nothing is left of it"
              : absl::StrCat("kept no longer:", removal.trials ? " trials off the front" : "",
                             removal.log ? " log" : "", removal.models ? " models" : ""));
  removals_.erase(id);
  return absl::OkStatus();
}

}  // namespace frontier::coordinator
