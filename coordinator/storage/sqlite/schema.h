// Tables of the database, and the steps that lead to them from each released version.
#ifndef FRONTIER_COORDINATOR_STORAGE_SQLITE_SCHEMA_H_
#define FRONTIER_COORDINATOR_STORAGE_SQLITE_SCHEMA_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "coordinator/storage/sqlite/connection.h"

namespace frontier::coordinator {

// "FRNT": tells our databases from those of other programs.
inline constexpr int64_t kApplicationId = 0x46524e54;

// Version of the newest schema; kept in user_version.
int64_t SchemaVersion();

// Whether the database is empty or one of ours that this version can read. DATABASE_NEWER names
// both versions, DATABASE_CORRUPT if it is not ours. Writes nothing. Throws SQLite::Exception.
absl::Status CheckSchema(const std::string& path, Connection* connection);

// Takes a checked database to the newest schema, in one transaction. Throws SQLite::Exception.
void MigrateSchema(Connection* connection);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STORAGE_SQLITE_SCHEMA_H_
