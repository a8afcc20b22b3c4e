// What is done to a database beside working with it.
#ifndef FRONTIER_COORDINATOR_STORAGE_SQLITE_MAINTENANCE_H_
#define FRONTIER_COORDINATOR_STORAGE_SQLITE_MAINTENANCE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace frontier::coordinator {

// Errors as those of OpenSqliteStore.

// Copies a database, which may be in use, as it is at one moment. `to` is made anew.
absl::Status BackUpDatabase(const std::string& from, const std::string& to);

// What SQLite finds wrong with a database: damaged pages, rows that refer to none. Empty = nothing.
absl::StatusOr<std::vector<std::string>> FindDamage(const std::string& path);

// Gives back the space of deleted rows. Nobody else may use the database.
absl::Status CompactDatabase(const std::string& path);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STORAGE_SQLITE_MAINTENANCE_H_
