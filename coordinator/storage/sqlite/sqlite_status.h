// From SQLite's result codes to the store's errors.
#ifndef FRONTIER_COORDINATOR_STORAGE_SQLITE_SQLITE_STATUS_H_
#define FRONTIER_COORDINATOR_STORAGE_SQLITE_SQLITE_STATUS_H_

#include <exception>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace frontier::coordinator {

// The status for `extended_code` (https://www.sqlite.org/rescode.html) on the database at `path`.
// `system_errno` is the operating system's error behind it, 0 = none. `message` is SQLite's.
absl::Status SqliteError(absl::string_view path, int extended_code, int system_errno,
                         absl::string_view message);

// The status for an exception that a call of SQLiteCpp threw, asked from within its handler.
absl::Status SqliteException(absl::string_view path, const std::exception& exception,
                             int system_errno);

absl::Status DatabaseCorrupt(absl::string_view path, absl::string_view problem);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STORAGE_SQLITE_SQLITE_STATUS_H_
