// A store in memory, and one for weights, with faults on demand.
#ifndef FRONTIER_TESTS_SUPPORT_MEMORY_STORE_H_
#define FRONTIER_TESTS_SUPPORT_MEMORY_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/mutex.h"
#include "coordinator/blobs/blob_store.h"
#include "coordinator/storage/store.h"

namespace frontier::testing {

// Outlives dispatchers over it, so that a restart can be played.
class MemoryStore final : public coordinator::Store {
 public:
  absl::Status Commit(v1::Change* change) override;
  absl::StatusOr<v1::JobRecord> GetJob(int64_t job_id) const override;
  absl::StatusOr<std::vector<v1::JobRecord>> ListJobs(int64_t before, int limit) const override;
  absl::StatusOr<std::vector<v1::JobRecord>> LoadLiveJobs() const override;
  absl::StatusOr<std::vector<v1::JobRecord>> LoadDeletedJobs() const override;
  absl::StatusOr<int64_t> LastJobId() const override;
  absl::StatusOr<v1::Trial> GetTrial(int64_t job_id, int64_t number) const override;
  absl::StatusOr<std::vector<v1::Trial>> ListTrials(int64_t job_id, int64_t after,
                                                    v1::TrialState state, int limit,
                                                    coordinator::TrialParts parts) const override;
  absl::Status ForEachTrial(int64_t job_id, coordinator::TrialParts parts,
                            absl::FunctionRef<absl::Status(const v1::Trial&)> visit) const override;
  absl::Status ForEachOutline(
      int64_t job_id, absl::FunctionRef<absl::Status(const v1::Trial&)> visit) const override;
  absl::StatusOr<std::vector<coordinator::TrialRange>> ListOutlines(int64_t job_id) const override;
  absl::StatusOr<std::vector<v1::Trial>> ListFront(int64_t job_id,
                                                   coordinator::TrialParts parts) const override;
  absl::StatusOr<std::vector<v1::Event>> ListEvents(int64_t job_id, int64_t after,
                                                    int limit) const override;
  absl::StatusOr<int64_t> LastEventSequence() const override;
  absl::StatusOr<std::vector<v1::LeaseRecord>> LoadLeases() const override;
  absl::StatusOr<int64_t> NextLeaseToken() const override;
  absl::StatusOr<std::vector<v1::WorkerRecord>> LoadWorkers() const override;
  absl::StatusOr<std::optional<v1::RequestRecord>> FindRequest(
      absl::string_view request_id) const override;

  // The next `count` commits fail with DISK_FULL and leave nothing.
  void FailCommits(int count);
  // The next `count` reads of single trials fail with UNAVAILABLE.
  void FailReads(int count);
  int64_t commits() const;

 private:
  // Rows of jobs that are not stored are refused, as by every store.
  absl::Status CheckJobs(const v1::Change& change) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What holds an outline of the trial goes.
  void DropOutlines(int64_t job_id, int64_t first, int64_t last)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RunSweep(const v1::Sweep& sweep) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  int failures_left_ ABSL_GUARDED_BY(mutex_) = 0;
  mutable int read_failures_left_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t commits_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<int64_t, v1::JobRecord> jobs_ ABSL_GUARDED_BY(mutex_);
  std::set<int64_t> deleted_ ABSL_GUARDED_BY(mutex_);
  int64_t last_job_id_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t last_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::pair<int64_t, int64_t>, v1::Trial> trials_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<int64_t, int64_t>, v1::TrialOutlines> outlines_ ABSL_GUARDED_BY(mutex_);
  std::map<std::tuple<int64_t, int64_t, int32_t>, v1::LeaseRecord> leases_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, v1::WorkerRecord> workers_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::Event> events_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, v1::RequestRecord> requests_ ABSL_GUARDED_BY(mutex_);
  int64_t next_token_ ABSL_GUARDED_BY(mutex_) = 1;
};

// Digests are not checked against the content.
class MemoryBlobStore final : public coordinator::BlobStore {
 public:
  absl::StatusOr<std::unique_ptr<coordinator::BlobWriter>> NewWriter(absl::string_view sha256,
                                                                     int64_t size) override;
  bool Has(absl::string_view sha256) const override;
  absl::StatusOr<int64_t> Size(absl::string_view sha256) const override;
  absl::StatusOr<std::string> Read(absl::string_view sha256, int64_t offset,
                                   int64_t limit) const override;
  absl::Status Delete(absl::string_view sha256) override;
  absl::StatusOr<std::vector<std::string>> List() const override;

  void Put(const std::string& sha256, const std::string& content);

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::string> blobs_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_MEMORY_STORE_H_
