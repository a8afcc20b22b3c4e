// The workers the coordinator knows, and which of them live.
#ifndef FRONTIER_COORDINATOR_CORE_WORKER_REGISTRY_H_
#define FRONTIER_COORDINATOR_CORE_WORKER_REGISTRY_H_

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/job_service.pb.h"
#include "frontier/v1/record.pb.h"
#include "frontier/v1/worker_service.pb.h"

namespace frontier::coordinator {

// INVALID_ARGUMENT (reason INVALID_FIELD) names field and value for what makes no worker.
absl::Status ValidateRegistration(const v1::RegisterRequest& request);

// The same of labels, of workers or asked for by jobs.
absl::Status CheckLabels(absl::string_view field,
                         const google::protobuf::RepeatedPtrField<std::string>& labels);

// Whether `worker` holds the data set `spec` asks for, shape and classes included.
bool HoldsDataset(const v1::Worker& worker, const v1::DatasetSpec& spec);

// Whether `worker` has the labels and the hardware that the job asks for.
bool FitsPlacement(const v1::Worker& worker, const v1::Placement& placement);

// Whether `worker` can run trials of such a job: it holds the data set, is where the job wants to
// be, and its release knows what the job asks of a training.
bool CanRun(const v1::Worker& worker, const v1::JobSpec& spec);

// "1x28x28, 10 classes"
std::string DescribeShape(const v1::Shape& input, int classes);

// Pure state; not thread-safe. A worker lives while it was heard of within `lease_duration`.
class WorkerRegistry {
 public:
  explicit WorkerRegistry(absl::Duration lease_duration) : lease_duration_(lease_duration) {}

  // Inserts or replaces; counts as heard of now.
  void Put(v1::WorkerRecord record, absl::Duration elapsed);
  // Puts a known worker's record in the place of the one it has, heard of or not.
  void Replace(v1::WorkerRecord record);
  // A worker from the store that has not been heard of yet.
  void Restore(v1::WorkerRecord record);
  // The worker is not known any more.
  void Forget(absl::string_view worker_id);
  // Null if unknown. Valid until the next Put or Forget of that worker.
  const v1::WorkerRecord* Find(absl::string_view worker_id) const;

  // FAILED_PRECONDITION (reason UNKNOWN_WORKER) if the worker is not known under this incarnation.
  absl::Status Check(absl::string_view worker_id, absl::string_view incarnation) const;
  // Notes that a known worker was heard of. Its last-seen time is durable only from time to time.
  void Touch(absl::string_view worker_id, absl::Duration elapsed, absl::Time now);
  bool IsAlive(absl::string_view worker_id, absl::Duration elapsed) const;
  // The worker has said that it leaves: it does not live, whatever it still says, until it
  // registers.
  void Leave(absl::string_view worker_id);
  bool HasLeft(absl::string_view worker_id) const;
  // That a known worker holds other data than the job's results are of. Known until it registers
  // anew, or until a restart.
  void NoteOtherData(absl::string_view worker_id, int64_t job_id);
  bool HasOtherData(absl::string_view worker_id, int64_t job_id) const;
  // That a known worker's call got a lease. Of the last ones that is known until a restart.
  void NoteLeased(absl::string_view worker_id, absl::string_view request_id);
  bool WasLeased(absl::string_view worker_id, absl::string_view request_id) const;

  // Whether `matches` holds for a worker that lives.
  bool AnyAlive(absl::Duration elapsed, absl::FunctionRef<bool(const v1::Worker&)> matches) const;
  // Whether `matches` holds for a worker, alive or not.
  bool AnyRecord(absl::FunctionRef<bool(const v1::WorkerRecord&)> matches) const;
  // What keeps the job from getting a worker; empty if a live worker can run it.
  std::string WhyNoWorker(const v1::Job& job, absl::Duration elapsed, absl::Time now) const;

  // By id, with `alive` set.
  std::vector<v1::Worker> List(absl::Duration elapsed) const;
  // By id, ids above `after`, at most `limit`.
  std::vector<v1::Worker> List(absl::Duration elapsed, absl::string_view after, int limit) const;
  // Records touched since the last call, for the store.
  std::vector<v1::WorkerRecord> TakeTouched();

 private:
  struct Entry {
    v1::WorkerRecord record;
    absl::Duration heard = -absl::InfiniteDuration();
    bool touched = false;
    bool left = false;
    std::deque<std::string> leased;  // request ids
    std::set<int64_t> other_data;    // jobs
  };
  // Why a worker that can run the job gets nothing of it; empty if it may.
  std::string WhyNot(const v1::Worker& worker, const v1::Job& job, absl::Time now) const;
  bool IsAlive(const Entry& entry, absl::Duration elapsed) const {
    return !entry.left && elapsed - entry.heard < lease_duration_;
  }

  absl::Duration lease_duration_;
  std::map<std::string, Entry, std::less<>> workers_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_WORKER_REGISTRY_H_
