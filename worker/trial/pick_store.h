// The picks a worker remembers from trial to trial, so that each layer is timed once.
#ifndef FRONTIER_WORKER_TRIAL_PICK_STORE_H_
#define FRONTIER_WORKER_TRIAL_PICK_STORE_H_

#include <string>

#include "absl/status/status.h"
#include "worker/engine/picks.h"

namespace frontier::worker {

// A PickFile. Picks of another library, hardware class or version of the product do not count, and
// the file is written anew. Several processes may use one file at a time.
class PickStore {
 public:
  // `path` empty: remembers nothing. `library` as EngineDescription().
  PickStore(std::string path, std::string library, std::string hardware_class);

  // Never fails: a file that is absent or of something else has no picks, one that is damaged or
  // cannot be read has none either, with a warning in the log.
  Picks Load() const;

  // Adds `picks` to what is in the file by now; of two picks for a key this one stays. A lock file
  // beside it ("PATH.lock") makes writers take turns. Nothing is written if nothing is new. Errors
  // as WriteFileAtomically, or of the lock file.
  absl::Status Add(const Picks& picks) const;

 private:
  const std::string path_;
  const std::string library_;
  const std::string hardware_class_;
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_TRIAL_PICK_STORE_H_
