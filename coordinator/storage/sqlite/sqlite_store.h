// The store that ships: one SQLite file in WAL mode.
#ifndef FRONTIER_COORDINATOR_STORAGE_SQLITE_SQLITE_STORE_H_
#define FRONTIER_COORDINATOR_STORAGE_SQLITE_SQLITE_STORE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/storage/store.h"

namespace frontier::coordinator {

struct SqliteStoreOptions {
  std::string path;  // made if absent; its folder must exist
  // How long to wait for another process that holds the file before DATABASE_LOCKED.
  absl::Duration busy_timeout = absl::Seconds(5);
  // Largest size of the database itself; a commit beyond it gets DISK_FULL. 0 = the disk's limit.
  int64_t max_bytes = 0;
  // SQLite's file layer, by name; empty = the system's files.
  std::string vfs;
};

// Opens or makes the file and migrates it to this version's schema. Besides the errors of Store:
// DATABASE_NEWER (FAILED_PRECONDITION) if a newer version wrote it, NOT_FOUND if the folder is not
// there, DATABASE_CORRUPT if the file is not a database of ours; the file is left as it was.
absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const SqliteStoreOptions& options);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STORAGE_SQLITE_SQLITE_STORE_H_
