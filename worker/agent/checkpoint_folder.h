// Where trials keep their state between epochs, so that an attempt that comes back to this worker
// after a crash or a restart goes on where it was.
#ifndef FRONTIER_WORKER_AGENT_CHECKPOINT_FOLDER_H_
#define FRONTIER_WORKER_AGENT_CHECKPOINT_FOLDER_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::worker {

struct CheckpointLimits {
  absl::Duration most_age = absl::Hours(24 * 7);  // since it was written
  int64_t most_bytes = int64_t{1} << 30;          // of all together
};

// One file for each leg of a trial of a job, whatever its attempts. A leg is named by the digest of
// the checkpoint that it goes on from, "" if it begins at the start. Thread-safe.
class CheckpointFolder {
 public:
  // Makes the folder if absent; no trial process of an earlier start runs any more. `clock`
  // outlives it.
  static absl::StatusOr<std::unique_ptr<CheckpointFolder>> Open(const std::string& folder,
                                                                const CheckpointLimits& limits,
                                                                Clock* clock);

  // An attempt begins; the file of its leg, which stays until End.
  std::string Begin(const v1::AttemptKey& key, absl::string_view leg = "");
  // The attempt has ended, its process is gone; `again` if the trial may come back. A write that
  // was cut off goes. Then, as at Open, files of no running attempt go that are too old, and the
  // oldest as long as all are too large together.
  void End(const v1::AttemptKey& key, bool again, absl::string_view leg = "");

 private:
  CheckpointFolder(std::string folder, const CheckpointLimits& limits, Clock* clock)
      : folder_(std::move(folder)), limits_(limits), clock_(clock) {}
  std::string PathOf(const v1::AttemptKey& key, absl::string_view leg) const;
  void Clean() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string folder_;
  const CheckpointLimits limits_;
  Clock* const clock_;
  Mutex mutex_;
  std::multiset<std::string> running_ ABSL_GUARDED_BY(mutex_);  // paths
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_CHECKPOINT_FOLDER_H_
