#include "coordinator/storage/group_journal.h"

#include <utility>

#include "absl/strings/str_cat.h"

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
      std::swap(waiting_for_committing_, waiting_for_pending_);
      change = committing_.change();
    }
    status = store_->Commit(change);
    MutexLock lock(&mutex_);
    std::swap(ended, committing_);
    std::swap(waiting, waiting_for_committing_);
    if (!status.ok()) {
      ++losses_;
      refusal_ = status;
      std::swap(lost, pending_);
      for (Done& done : waiting_for_pending_) waiting.push_back(std::move(done));
      waiting_for_pending_.clear();
    }
  }
  for (Done& done : waiting) done(status);
}

absl::Status GroupJournal::Resume(v1::Change probe) {
  MutexLock commit(&commit_mutex_);
  {
    MutexLock lock(&mutex_);
    if (refusal_.ok()) return absl::OkStatus();
  }
  const absl::Status status = store_->Commit(&probe);
  MutexLock lock(&mutex_);
  refusal_ = status;
  return status;
}

absl::StatusOr<v1::JobRecord> GroupJournal::GetJob(int64_t job_id) const {
  {
    MutexLock lock(&mutex_);
    for (const ChangeGroup* group : {&pending_, &committing_}) {
      if (const v1::JobRecord* job = group->FindJob(job_id)) return *job;
    }
  }
  return store_->GetJob(job_id);
}

absl::StatusOr<v1::Trial> GroupJournal::GetTrial(int64_t job_id, int64_t number) const {
  {
    MutexLock lock(&mutex_);
    for (const ChangeGroup* group : {&pending_, &committing_}) {
      if (const v1::Trial* trial = group->FindTrial(job_id, number)) return *trial;
    }
  }
  return store_->GetTrial(job_id, number);
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
