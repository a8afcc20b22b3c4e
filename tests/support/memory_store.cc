#include "tests/support/memory_store.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace frontier::testing {
namespace {

std::tuple<int64_t, int64_t, int32_t> Coordinates(const v1::AttemptKey& key) {
  return {key.job_id(), key.trial(), key.attempt()};
}

bool HasEnded(v1::JobState state) {
  return state == v1::JOB_STATE_COMPLETED || state == v1::JOB_STATE_CANCELLED ||
         state == v1::JOB_STATE_FAILED;
}

class MemoryWriter final : public coordinator::BlobWriter {
 public:
  MemoryWriter(MemoryBlobStore* store, std::string sha256)
      : store_(store), sha256_(std::move(sha256)) {}
  absl::Status Append(absl::string_view bytes) override {
    content_.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  absl::Status Finish() override {
    store_->Put(sha256_, content_);
    return absl::OkStatus();
  }

 private:
  MemoryBlobStore* const store_;
  const std::string sha256_;
  std::string content_;
};

}  // namespace

absl::Status MemoryStore::Commit(v1::Change* change) {
  MutexLock lock(&mutex_);
  if (failures_left_ > 0) {
    --failures_left_;
    return ErrorWithReason(absl::StatusCode::kResourceExhausted, v1::ERROR_REASON_DISK_FULL,
                           "memory store: disk full");
  }
  for (const v1::RequestRecord& request : change->requests()) {
    // Those the change drops do not count.
    const auto stored = requests_.find(request.request_id());
    if (stored != requests_.end() &&
        stored->second.at_unix_us() >= change->requests_before_unix_us()) {
      return absl::InternalError(
          absl::StrCat("request '", request.request_id(), "' is stored already"));
    }
  }
  if (const absl::Status status = CheckJobs(*change); !status.ok()) return status;
  ++commits_;
  for (const v1::JobRecord& job : change->jobs()) {
    last_job_id_ = std::max(last_job_id_, job.job().id());
    v1::JobRecord& stored = jobs_[job.job().id()];
    const v1::JobSpec spec = stored.job().spec();
    stored = job;
    if (!job.job().has_spec()) *stored.mutable_job()->mutable_spec() = spec;
  }
  for (const v1::TrialOutlines& outlines : change->outlines()) {
    DropOutlines(outlines.job_id(), outlines.first(), outlines.last());
    outlines_[{outlines.job_id(), outlines.first()}] = outlines;
  }
  for (const v1::Trial& trial : change->trials()) {
    DropOutlines(trial.job_id(), trial.number(), trial.number());
    v1::Trial& stored = trials_[{trial.job_id(), trial.number()}];
    const v1::Trial before = stored;
    stored = trial;
    if (!trial.has_architecture() && before.has_architecture()) {
      *stored.mutable_architecture() = before.architecture();
    }
  }
  for (const v1::LeaseRecord& lease : change->leases()) leases_[Coordinates(lease.key())] = lease;
  for (const v1::AttemptKey& key : change->ended_leases()) leases_.erase(Coordinates(key));
  for (const std::string& id : change->deleted_workers()) workers_.erase(id);
  for (const v1::WorkerRecord& worker : change->workers()) workers_[worker.worker().id()] = worker;
  for (v1::Event& event : *change->mutable_events()) {
    event.set_sequence(++last_sequence_);
    events_.push_back(event);
  }
  for (auto it = requests_.begin(); it != requests_.end();) {
    it = it->second.at_unix_us() < change->requests_before_unix_us() ? requests_.erase(it)
                                                                     : std::next(it);
  }
  for (const v1::RequestRecord& request : change->requests()) {
    requests_[request.request_id()] = request;
  }
  if (change->next_lease_token() != 0) next_token_ = change->next_lease_token();
  for (const int64_t job_id : change->deleted_jobs()) deleted_.insert(job_id);
  for (const v1::Sweep& sweep : change->sweeps()) RunSweep(sweep);
  return absl::OkStatus();
}

void MemoryStore::DropOutlines(int64_t job_id, int64_t first, int64_t last) {
  for (auto it = outlines_.begin(); it != outlines_.end();) {
    const v1::TrialOutlines& outlines = it->second;
    const bool overlaps =
        outlines.job_id() == job_id && outlines.first() <= last && outlines.last() >= first;
    it = overlaps ? outlines_.erase(it) : std::next(it);
  }
}

void MemoryStore::RunSweep(const v1::Sweep& sweep) {
  const int64_t job_id = sweep.job_id();
  bool left = false;
  for (auto it = trials_.lower_bound({job_id, 0});
       it != trials_.end() && it->first.first == job_id;) {
    const bool kept =
        it->first.second > sweep.through_trial() || (sweep.keep_front() && it->second.on_front());
    left |= kept;
    if (!kept) DropOutlines(job_id, it->first.second, it->first.second);
    it = kept ? std::next(it) : trials_.erase(it);
  }
  for (auto it = events_.begin(); it != events_.end();) {
    const bool of_job = it->job_id() == job_id;
    const bool kept = !of_job || it->sequence() > sweep.through_event();
    left |= of_job && kept;
    it = kept ? std::next(it) : events_.erase(it);
  }
  if (!left && deleted_.count(job_id) > 0) {
    jobs_.erase(job_id);
    deleted_.erase(job_id);
  }
}

absl::Status MemoryStore::CheckJobs(const v1::Change& change) const {
  std::set<int64_t> named;
  for (const v1::Trial& trial : change.trials()) named.insert(trial.job_id());
  for (const v1::Event& event : change.events()) named.insert(event.job_id());
  for (const v1::LeaseRecord& lease : change.leases()) named.insert(lease.key().job_id());
  for (const v1::TrialOutlines& outlines : change.outlines()) named.insert(outlines.job_id());
  for (const v1::JobRecord& job : change.jobs()) {
    if (job.job().has_spec()) {
      named.erase(job.job().id());
    } else {
      named.insert(job.job().id());
    }
  }
  for (const int64_t job : named) {
    if (jobs_.count(job) == 0) {
      return absl::InternalError(absl::StrCat("rows of job ", job, ", which is not stored"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::JobRecord> MemoryStore::GetJob(int64_t job_id) const {
  MutexLock lock(&mutex_);
  const auto it = jobs_.find(job_id);
  if (it == jobs_.end() || deleted_.count(job_id) > 0)
    return absl::NotFoundError(absl::StrCat("job ", job_id, " not found"));
  return it->second;
}

absl::StatusOr<std::vector<v1::JobRecord>> MemoryStore::ListJobs(int64_t before, int limit) const {
  MutexLock lock(&mutex_);
  std::vector<v1::JobRecord> jobs;
  for (auto it = jobs_.rbegin(); it != jobs_.rend(); ++it) {
    if (static_cast<int>(jobs.size()) == limit) break;
    if (deleted_.count(it->first) > 0) continue;
    if (before == 0 || it->first < before) jobs.push_back(it->second);
  }
  return jobs;
}

absl::StatusOr<std::vector<v1::JobRecord>> MemoryStore::LoadLiveJobs() const {
  MutexLock lock(&mutex_);
  std::vector<v1::JobRecord> jobs;
  for (const auto& [id, record] : jobs_) {
    if (!HasEnded(record.job().state())) jobs.push_back(record);
  }
  return jobs;
}

absl::StatusOr<std::vector<v1::JobRecord>> MemoryStore::LoadDeletedJobs() const {
  MutexLock lock(&mutex_);
  std::vector<v1::JobRecord> jobs;
  for (const int64_t job_id : deleted_) jobs.push_back(jobs_.at(job_id));
  return jobs;
}

absl::StatusOr<int64_t> MemoryStore::LastJobId() const {
  MutexLock lock(&mutex_);
  return last_job_id_;
}

absl::StatusOr<std::vector<v1::Trial>> MemoryStore::ListFront(int64_t job_id,
                                                              coordinator::TrialParts parts) const {
  MutexLock lock(&mutex_);
  std::vector<v1::Trial> front;
  for (auto it = trials_.lower_bound({job_id, 0}); it != trials_.end(); ++it) {
    if (it->first.first != job_id) break;
    if (!it->second.on_front()) continue;
    front.push_back(it->second);
    if (parts == coordinator::TrialParts::kWithoutArchitecture) front.back().clear_architecture();
  }
  return front;
}

absl::StatusOr<v1::Trial> MemoryStore::GetTrial(int64_t job_id, int64_t number) const {
  MutexLock lock(&mutex_);
  if (read_failures_left_ > 0) {
    --read_failures_left_;
    return absl::UnavailableError("the test wants no read");
  }
  const auto it = trials_.find({job_id, number});
  if (it == trials_.end()) {
    return absl::NotFoundError(absl::StrCat("job ", job_id, " trial ", number, " not found"));
  }
  return it->second;
}

absl::StatusOr<std::vector<v1::Trial>> MemoryStore::ListTrials(
    int64_t job_id, int64_t after, v1::TrialState state, int limit,
    coordinator::TrialParts parts) const {
  MutexLock lock(&mutex_);
  std::vector<v1::Trial> trials;
  for (auto it = trials_.upper_bound({job_id, after}); it != trials_.end(); ++it) {
    if (it->first.first != job_id || static_cast<int>(trials.size()) == limit) break;
    if (state == v1::TRIAL_STATE_UNSPECIFIED || it->second.state() == state) {
      trials.push_back(it->second);
      if (parts == coordinator::TrialParts::kWithoutArchitecture) {
        trials.back().clear_architecture();
      }
    }
  }
  return trials;
}

absl::Status MemoryStore::ForEachTrial(
    int64_t job_id, coordinator::TrialParts parts,
    absl::FunctionRef<absl::Status(const v1::Trial&)> visit) const {
  std::vector<v1::Trial> trials;
  {
    MutexLock lock(&mutex_);
    for (auto it = trials_.lower_bound({job_id, 0}); it != trials_.end(); ++it) {
      if (it->first.first != job_id) break;
      trials.push_back(it->second);
      if (parts == coordinator::TrialParts::kWithoutArchitecture) {
        trials.back().clear_architecture();
      }
    }
  }
  for (const v1::Trial& trial : trials) RETURN_IF_ERROR(visit(trial));
  return absl::OkStatus();
}

absl::Status MemoryStore::ForEachOutline(
    int64_t job_id, absl::FunctionRef<absl::Status(const v1::Trial&)> visit) const {
  std::map<int64_t, v1::Trial> trials;
  {
    MutexLock lock(&mutex_);
    for (auto it = trials_.lower_bound({job_id, 0}); it != trials_.end(); ++it) {
      if (it->first.first != job_id) break;
      trials[it->first.second] = it->second;
      trials[it->first.second].clear_architecture();
    }
    for (const auto& [key, outlines] : outlines_) {
      if (key.first != job_id) continue;
      for (const v1::Trial& trial : outlines.trials()) trials[trial.number()] = trial;
    }
  }
  for (const auto& [number, trial] : trials) RETURN_IF_ERROR(visit(trial));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<coordinator::TrialRange>> MemoryStore::ListOutlines(
    int64_t job_id) const {
  MutexLock lock(&mutex_);
  std::vector<coordinator::TrialRange> ranges;
  for (const auto& [key, outlines] : outlines_) {
    if (key.first == job_id) ranges.push_back({outlines.first(), outlines.last()});
  }
  return ranges;
}

absl::StatusOr<std::vector<v1::Event>> MemoryStore::ListEvents(int64_t job_id, int64_t after,
                                                               int limit) const {
  MutexLock lock(&mutex_);
  std::vector<v1::Event> events;
  for (const v1::Event& event : events_) {
    if (static_cast<int>(events.size()) == limit) break;
    if (event.job_id() == job_id && event.sequence() > after) events.push_back(event);
  }
  return events;
}

absl::StatusOr<int64_t> MemoryStore::LastEventSequence() const {
  MutexLock lock(&mutex_);
  return last_sequence_;
}

absl::StatusOr<std::vector<v1::LeaseRecord>> MemoryStore::LoadLeases() const {
  MutexLock lock(&mutex_);
  std::vector<v1::LeaseRecord> leases;
  for (const auto& [key, lease] : leases_) leases.push_back(lease);
  return leases;
}

absl::StatusOr<int64_t> MemoryStore::NextLeaseToken() const {
  MutexLock lock(&mutex_);
  return next_token_;
}

absl::StatusOr<std::vector<v1::WorkerRecord>> MemoryStore::LoadWorkers() const {
  MutexLock lock(&mutex_);
  std::vector<v1::WorkerRecord> workers;
  for (const auto& [id, worker] : workers_) workers.push_back(worker);
  return workers;
}

absl::StatusOr<std::optional<v1::RequestRecord>> MemoryStore::FindRequest(
    absl::string_view request_id) const {
  MutexLock lock(&mutex_);
  const auto it = requests_.find(std::string(request_id));
  if (it == requests_.end()) return std::optional<v1::RequestRecord>();
  return std::optional<v1::RequestRecord>(it->second);
}

void MemoryStore::FailCommits(int count) {
  MutexLock lock(&mutex_);
  failures_left_ = count;
}

void MemoryStore::FailReads(int count) {
  MutexLock lock(&mutex_);
  read_failures_left_ = count;
}

int64_t MemoryStore::commits() const {
  MutexLock lock(&mutex_);
  return commits_;
}

absl::StatusOr<std::unique_ptr<coordinator::BlobWriter>> MemoryBlobStore::NewWriter(
    absl::string_view sha256, int64_t /*size*/) {
  return std::make_unique<MemoryWriter>(this, std::string(sha256));
}

bool MemoryBlobStore::Has(absl::string_view sha256) const {
  MutexLock lock(&mutex_);
  return blobs_.count(std::string(sha256)) > 0;
}

absl::StatusOr<int64_t> MemoryBlobStore::Size(absl::string_view sha256) const {
  MutexLock lock(&mutex_);
  const auto it = blobs_.find(std::string(sha256));
  if (it == blobs_.end()) return absl::NotFoundError(absl::StrCat("blob ", sha256, " not found"));
  return static_cast<int64_t>(it->second.size());
}

absl::StatusOr<std::string> MemoryBlobStore::Read(absl::string_view sha256, int64_t offset,
                                                  int64_t limit) const {
  MutexLock lock(&mutex_);
  const auto it = blobs_.find(std::string(sha256));
  if (it == blobs_.end()) return absl::NotFoundError(absl::StrCat("blob ", sha256, " not found"));
  if (offset >= static_cast<int64_t>(it->second.size())) return std::string();
  return it->second.substr(offset, limit);
}

absl::Status MemoryBlobStore::Delete(absl::string_view sha256) {
  MutexLock lock(&mutex_);
  blobs_.erase(std::string(sha256));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> MemoryBlobStore::List() const {
  MutexLock lock(&mutex_);
  std::vector<std::string> digests;
  for (const auto& [sha256, content] : blobs_) digests.push_back(sha256);
  return digests;
}

void MemoryBlobStore::Put(const std::string& sha256, const std::string& content) {
  MutexLock lock(&mutex_);
  blobs_[sha256] = content;
}

}  // namespace frontier::testing
