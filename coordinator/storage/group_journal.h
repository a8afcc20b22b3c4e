// The journal that ships: what comes while a commit is under way goes together into the next.
#ifndef FRONTIER_COORDINATOR_STORAGE_GROUP_JOURNAL_H_
#define FRONTIER_COORDINATOR_STORAGE_GROUP_JOURNAL_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/mutex.h"
#include "coordinator/storage/change_group.h"
#include "coordinator/storage/journal.h"
#include "coordinator/storage/store.h"
#include "frontier/v1/record.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::coordinator {

class GroupJournal final : public Journal {
 public:
  // `store` outlives the journal.
  explicit GroupJournal(Store* store) : store_(store) {}

  int64_t losses() const override { return losses_; }
  absl::Status Write(int64_t losses, v1::Change change) override;
  void WhenDurable(int64_t losses, Done done) override;
  int64_t backlog() const override { return backlog_; }
  absl::Status Resume(v1::Change probe) override;
  absl::StatusOr<v1::JobRecord> GetJob(int64_t job_id) const override;
  absl::StatusOr<v1::Trial> GetTrial(int64_t job_id, int64_t number) const override;
  absl::StatusOr<std::optional<v1::RequestRecord>> FindRequest(
      absl::string_view request_id) const override;

  // Commits what has been written by now, and calls those who wait for it. From any thread.
  void CommitGroup();

  // Commits groups as they come until Stop, then the last. For a thread of its own.
  void Run();
  void Stop();

 private:
  absl::Status Lost() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Store* const store_;
  std::atomic<int64_t> losses_ = 0;   // written under mutex_
  std::atomic<int64_t> backlog_ = 0;  // written under mutex_

  Mutex commit_mutex_;  // held over a commit; taken before mutex_
  mutable Mutex mutex_;
  CondVar work_;
  ChangeGroup pending_ ABSL_GUARDED_BY(mutex_);
  // Changed only with commit_mutex_ as well.
  ChangeGroup committing_ ABSL_GUARDED_BY(mutex_);
  int64_t in_commit_ ABSL_GUARDED_BY(mutex_) = 0;  // changes in committing_
  std::vector<Done> waiting_for_pending_ ABSL_GUARDED_BY(mutex_);
  std::vector<Done> waiting_for_committing_ ABSL_GUARDED_BY(mutex_);
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);  // why nothing is taken in since a loss
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STORAGE_GROUP_JOURNAL_H_
