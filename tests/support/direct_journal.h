// A journal without delay: each change is committed as it is written.
#ifndef FRONTIER_TESTS_SUPPORT_DIRECT_JOURNAL_H_
#define FRONTIER_TESTS_SUPPORT_DIRECT_JOURNAL_H_

#include <cstdint>
#include <optional>

#include "coordinator/storage/journal.h"
#include "coordinator/storage/store.h"

namespace frontier::testing {

// `store` outlives the journal. A commit that fails is no loss: nothing stands on it yet.
class DirectJournal final : public coordinator::Journal {
 public:
  explicit DirectJournal(coordinator::Store* store) : store_(store) {}

  int64_t losses() const override { return 0; }
  absl::Status Write(int64_t, v1::Change change) override { return store_->Commit(&change); }
  void WhenDurable(int64_t, Done done) override { done(absl::OkStatus()); }
  int64_t backlog() const override { return 0; }
  absl::Status Resume(v1::Change probe) override { return store_->Commit(&probe); }
  absl::StatusOr<v1::JobRecord> GetJob(int64_t job_id) const override {
    return store_->GetJob(job_id);
  }
  absl::StatusOr<v1::Trial> GetTrial(int64_t job_id, int64_t number) const override {
    return store_->GetTrial(job_id, number);
  }
  absl::StatusOr<std::optional<v1::RequestRecord>> FindRequest(
      absl::string_view request_id) const override {
    return store_->FindRequest(request_id);
  }

 private:
  coordinator::Store* const store_;
};

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_DIRECT_JOURNAL_H_
