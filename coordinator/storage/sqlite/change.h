// Writes a change into the tables.
#ifndef FRONTIER_COORDINATOR_STORAGE_SQLITE_CHANGE_H_
#define FRONTIER_COORDINATOR_STORAGE_SQLITE_CHANGE_H_

#include <cstdint>
#include <vector>

#include "coordinator/storage/sqlite/connection.h"
#include "frontier/v1/record.pb.h"

namespace frontier::coordinator {

// Runs the statements of `change` within the caller's transaction; `sequences` gets one number for
// each of its events. Throws SQLite::Exception.
void WriteChange(const v1::Change& change, Connection* connection, std::vector<int64_t>* sequences);

// Throws SQLite::Exception.
void WriteSpec(int64_t job_id, const v1::JobSpec& spec, Connection* connection);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STORAGE_SQLITE_CHANGE_H_
