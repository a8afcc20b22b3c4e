// One process at a time: an advisory lock on a file beside the database.
#ifndef FRONTIER_COORDINATOR_STORAGE_SQLITE_FILE_LOCK_H_
#define FRONTIER_COORDINATOR_STORAGE_SQLITE_FILE_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace frontier::coordinator {

// Held until destroyed; the system frees it when the process dies. SQLite's own locks are left
// alone, so that other programs can read the database meanwhile.
class FileLock {
 public:
  // Locks `<path>.lock`, made if absent, waiting up to `timeout` for its holder. DATABASE_LOCKED
  // names path and holder, DATABASE_READ_ONLY if the lock file cannot be made or written.
  static absl::StatusOr<std::unique_ptr<FileLock>> Acquire(const std::string& path,
                                                           absl::Duration timeout);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  const int fd_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STORAGE_SQLITE_FILE_LOCK_H_
