// The coordinator's data folder, beside serving from it: copies, checks, tidying.
#ifndef FRONTIER_COORDINATOR_MAINTENANCE_DATA_FOLDER_H_
#define FRONTIER_COORDINATOR_MAINTENANCE_DATA_FOLDER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace frontier::coordinator {

std::string DatabasePath(const std::string& data_dir);
std::string BlobsFolder(const std::string& data_dir);

// Errors are those of files and of the store, and ALREADY_EXISTS for a place that is taken. What is
// made appears whole or not at all; where a place is a link, behind it.

struct Backup {
  int64_t blobs = 0;
  int64_t bytes = 0;
};

// Copies the folder, from which a coordinator may be serving, to `to`, as it is at one moment, with
// the blobs that are needed then and in the schema that it has. `copying` is called before each
// blob is copied. Needs for a while as much space again as the database has. NOT_FOUND if a blob is
// not there, UNAVAILABLE if they go too quickly to be copied.
absl::StatusOr<Backup> BackUp(
    const std::string& data_dir, const std::string& to,
    const std::function<void(const std::string& sha256)>& copying = nullptr);

// Makes a backup the data folder of a coordinator, and leaves the backup as it is. Leases of what
// came after the backup, or after another restoration of it before `now`, are void there: tokens go
// on from `now` in microseconds, which no coordinator reaches by granting leases. DATA_LOSS if
// anything is wrong with the backup that Check looks for.
absl::StatusOr<Backup> Restore(const std::string& from, const std::string& data_dir,
                               absl::Time now);

// What is wrong with a folder nobody serves from, one line each: damage of the database, records
// that cannot be read, outlines that are not what their trials say, blobs that are needed and
// missing or not what they should be. Empty = all is well. Changes nothing, and needs as much space
// again as the database has.
absl::StatusOr<std::vector<std::string>> Check(const std::string& data_dir);

struct Compaction {
  int64_t bytes_before = 0;
  int64_t bytes_after = 0;
};

// Gives back the space of what was deleted from the database of a folder nobody serves from.
absl::StatusOr<Compaction> Compact(const std::string& data_dir);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_MAINTENANCE_DATA_FOLDER_H_
