// Durable state of the coordinator.
//
// Laws: a Commit that returned OK survives a crash of process and machine; one that failed left
// nothing. Reads see the last commit. One process at a time owns a store.
//
// Errors of every method, by reason: DATABASE_LOCKED (UNAVAILABLE), DATABASE_READ_ONLY
// (FAILED_PRECONDITION), DATABASE_CORRUPT (DATA_LOSS), DISK_FULL (RESOURCE_EXHAUSTED); otherwise
// INTERNAL. Messages name the file.
#ifndef FRONTIER_COORDINATOR_STORAGE_STORE_H_
#define FRONTIER_COORDINATOR_STORAGE_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "frontier/v1/record.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::coordinator {

// What is read of trials; their architectures are half of them.
enum class TrialParts { kAll, kWithoutArchitecture };

struct TrialRange {
  int64_t first = 0;
  int64_t last = 0;
  friend bool operator==(const TrialRange& a, const TrialRange& b) {
    return a.first == b.first && a.last == b.last;
  }
};

// Thread-safe: one writer at a time, readers beside it.
class Store {
 public:
  virtual ~Store() = default;

  // The one door: applies all of `change` in one transaction and sets the `sequence` of its events.
  // A lease both granted and ended in it is gone; old answers are dropped before new ones come.
  // A job without its spec, or a trial without its architecture, keeps the one that is stored.
  // Outlines are gone once a trial that they are of is written after them, or swept. Rows of a job
  // that is not stored, a job without its spec among them, and an answer to a request id that has
  // one, are INTERNAL.
  virtual absl::Status Commit(v1::Change* change) = 0;

  // Deleted jobs are not found; their trials and events are, until they are swept.
  // NOT_FOUND names the job.
  virtual absl::StatusOr<v1::JobRecord> GetJob(int64_t job_id) const = 0;
  // Newest first, ids below `before` (0 = from the newest), at most `limit`.
  virtual absl::StatusOr<std::vector<v1::JobRecord>> ListJobs(int64_t before, int limit) const = 0;
  // Jobs that have not ended, by id.
  virtual absl::StatusOr<std::vector<v1::JobRecord>> LoadLiveJobs() const = 0;
  // Deleted jobs of which rows are left, by id.
  virtual absl::StatusOr<std::vector<v1::JobRecord>> LoadDeletedJobs() const = 0;
  // Highest job id ever used, 0 = none.
  virtual absl::StatusOr<int64_t> LastJobId() const = 0;

  // NOT_FOUND names job and trial.
  virtual absl::StatusOr<v1::Trial> GetTrial(int64_t job_id, int64_t number) const = 0;
  // By number, above `after`, of `state` (unspecified = all), at most `limit`.
  virtual absl::StatusOr<std::vector<v1::Trial>> ListTrials(int64_t job_id, int64_t after,
                                                            v1::TrialState state, int limit,
                                                            TrialParts parts) const = 0;
  // Calls `visit` for each trial of a job by number; stops at its first error and returns it. What
  // is committed meanwhile may be seen or not.
  virtual absl::Status ForEachTrial(
      int64_t job_id, TrialParts parts,
      absl::FunctionRef<absl::Status(const v1::Trial&)> visit) const = 0;

  // As ForEachTrial without architectures, but trials that have an outline come as that.
  virtual absl::Status ForEachOutline(
      int64_t job_id, absl::FunctionRef<absl::Status(const v1::Trial&)> visit) const = 0;
  // First and last trial of each of a job's outlines, by number.
  virtual absl::StatusOr<std::vector<TrialRange>> ListOutlines(int64_t job_id) const = 0;

  // The trials on a job's front, by number.
  virtual absl::StatusOr<std::vector<v1::Trial>> ListFront(int64_t job_id,
                                                           TrialParts parts) const = 0;

  // Events of a job with sequence above `after`, in order, at most `limit`.
  virtual absl::StatusOr<std::vector<v1::Event>> ListEvents(int64_t job_id, int64_t after,
                                                            int limit) const = 0;
  virtual absl::StatusOr<int64_t> LastEventSequence() const = 0;

  virtual absl::StatusOr<std::vector<v1::LeaseRecord>> LoadLeases() const = 0;
  // The token to grant next; at least 1.
  virtual absl::StatusOr<int64_t> NextLeaseToken() const = 0;
  virtual absl::StatusOr<std::vector<v1::WorkerRecord>> LoadWorkers() const = 0;
  virtual absl::StatusOr<std::optional<v1::RequestRecord>> FindRequest(
      absl::string_view request_id) const = 0;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STORAGE_STORE_H_
