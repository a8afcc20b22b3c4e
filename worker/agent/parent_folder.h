// Models that trials inherit from, on disk: fetched once, kept for the trials that follow.
#ifndef FRONTIER_WORKER_AGENT_PARENT_FOLDER_H_
#define FRONTIER_WORKER_AGENT_PARENT_FOLDER_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/mutex.h"

namespace frontier::worker {

// One file for each digest. Thread-safe; each is fetched by one thread, which others that ask for
// it wait for.
class ParentFolder {
 public:
  // Makes the folder if absent, and removes writes that were cut off. `most_bytes` of all files
  // together, those being asked for aside.
  static absl::StatusOr<std::unique_ptr<ParentFolder>> Open(const std::string& folder,
                                                            int64_t most_bytes = int64_t{1} << 30);

  // Path of the file whose content has this digest (hex). If it is not there, or damaged, `fetch`
  // gives its content; errors are those of `fetch` and WriteFileAtomically, and DATA_LOSS if that
  // content has another digest. Then the files go that were asked for longest ago, while all are
  // too large together.
  absl::StatusOr<std::string> Get(const std::string& sha256,
                                  absl::FunctionRef<absl::StatusOr<std::string>()> fetch);

 private:
  // Of one file, by path.
  class Claim;

  ParentFolder(std::string folder, int64_t most_bytes)
      : folder_(std::move(folder)), most_bytes_(most_bytes) {}
  void Clean();

  const std::string folder_;
  const int64_t most_bytes_;
  Mutex mutex_;
  CondVar released_;
  std::set<std::string> claimed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_PARENT_FOLDER_H_
