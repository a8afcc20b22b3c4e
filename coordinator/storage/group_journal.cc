#include "coordinator/storage/group_journal.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"

namespace frontier::coordinator {

absl::Status GroupJournal::Lost() const {
  return absl::UnavailableError(
      absl::StrCat("the last changes were lost, since the database could not be written",
                   refusal_.ok() ? "" : ": ", refusal_.message()));
}

absl::Status GroupJournal::Write(int64_t losses, v1::Change change) {
  MutexLock lock(&mutex_);
  if (!refusal_.ok()) return refusal_;
  if (losses != losses_) return Lost();
  pending_.Add(std::move(change));
  ++backlog_;
  work_.Signal();
  return absl::OkStatus();
}

void GroupJournal::WhenDurable(int64_t losses, Done done) {
  absl::Status now;
  {
    MutexLock lock(&mutex_);
    if (losses != losses_) {
      now = Lost();
    } else if (!pending_.empty()) {
      waiting_for_pending_.push_back(std::move(done));
      return;
    } else if (!committing_.empty()) {
      waiting_for_committing_.push_back(std::move(done));
      return;
    }
  }
  done(std::move(now));
}

void GroupJournal::CommitGroup() {
  // Of what has ended, dropped outside the lock.
  ChangeGroup ended;
  ChangeGroup lost;
  std::vector<Done> waiting;
  absl::Status status;
  {
    MutexLock commit(&commit_mutex_);
    v1::Change* change = nullptr;
    {
      MutexLock lock(&mutex_);
      if (pending_.empty()) return;
      std::swap(committing_, pending_);
      in_commit_ = backlog_;
      std::swap(waiting_for_committing_, waiting_for_pending_);
      change = committing_.change();
    }
    status = store_->Commit(change);
    MutexLock lock(&mutex_);
    std::swap(ended, committing_);
    backlog_ -= in_commit_;
    std::swap(waiting, waiting_for_committing_);
    if (!status.ok()) {
      ++losses_;
      refusal_ = status;
      std::swap(lost, pending_);
      backlog_ = 0;
      for (Done& done : waiting_for_pending_) waiting.push_back(std::move(done));
      waiting_for_pending_.clear();
    }
  }
  if (!status.ok()) {
    LogError({}, absl::StrCat("the last changes are lost and nobody was told of them: ",
                              status.message()));
  }
  for (Done& done : waiting) done(status);
}

absl::Status GroupJournal::Resume(v1::Change probe) {
  MutexLock commit(&commit_mutex_);
  const absl::Status status = store_->Commit(&probe);
  MutexLock lock(&mutex_);
  refusal_ = status;
  return status;
}

absl::StatusOr<v1::JobRecord> GroupJournal::GetJob(int64_t job_id) const {
  std::optional<v1::JobRecord> written;
  {
    MutexLock lock(&mutex_);
    for (const ChangeGroup* group : {&pending_, &committing_}) {
      if (group->Deletes(job_id)) return absl::NotFoundError(absl::StrCat("no job ", job_id));
      const v1::JobRecord* job = group->FindJob(job_id);
      if (job == nullptr) continue;
      if (!written.has_value()) {
        written = *job;
      } else if (!written->job().has_spec() && job->job().has_spec()) {
        *written->mutable_job()->mutable_spec() = job->job().spec();
      }
    }
  }
  if (written.has_value() && written->job().has_spec()) return *std::move(written);
  absl::StatusOr<v1::JobRecord> stored = store_->GetJob(job_id);
  if (!written.has_value() || !stored.ok()) return stored;
  *written->mutable_job()->mutable_spec() = std::move(*stored->mutable_job()->mutable_spec());
  return *std::move(written);
}

absl::StatusOr<v1::Trial> GroupJournal::GetTrial(int64_t job_id, int64_t number) const {
  std::optional<v1::Trial> written;
  {
    MutexLock lock(&mutex_);
    for (const ChangeGroup* group : {&pending_, &committing_}) {
      const v1::Trial* trial = group->FindTrial(job_id, number);
      if (trial == nullptr) continue;
      if (!written.has_value()) {
        written = *trial;
      } else if (!written->has_architecture() && trial->has_architecture()) {
        *written->mutable_architecture() = trial->architecture();
      }
    }
  }
  if (written.has_value() && written->has_architecture()) return *std::move(written);
  absl::StatusOr<v1::Trial> stored = store_->GetTrial(job_id, number);
  if (!written.has_value() || !stored.ok()) return stored;
  if (stored->has_architecture()) {
    *written->mutable_architecture() = std::move(*stored->mutable_architecture());
  }
  return *std::move(written);
}

absl::StatusOr<std::optional<v1::RequestRecord>> GroupJournal::FindRequest(
    absl::string_view request_id) const {
  {
    MutexLock lock(&mutex_);
    for (const ChangeGroup* group : {&pending_, &committing_}) {
      if (const v1::RequestRecord* request = group->FindRequest(request_id)) return *request;
    }
  }
  return store_->FindRequest(request_id);
}

void GroupJournal::Run() {
  while (true) {
    {
      MutexLock lock(&mutex_);
      while (pending_.empty() && !stopped_) work_.Wait(&mutex_);
      if (pending_.empty()) return;
    }
    CommitGroup();
  }
}

void GroupJournal::Stop() {
  MutexLock lock(&mutex_);
  stopped_ = true;
  work_.Signal();
}

}  // namespace frontier::coordinator
