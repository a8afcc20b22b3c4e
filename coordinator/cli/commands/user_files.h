// Files that users name on the command line: what is wrong with them is wrong input, not a failure.
#ifndef FRONTIER_COORDINATOR_CLI_COMMANDS_USER_FILES_H_
#define FRONTIER_COORDINATOR_CLI_COMMANDS_USER_FILES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file.h"

namespace frontier::cli {

// What reading such a file gave; INVALID_ARGUMENT for every error but NOT_FOUND.
template <typename T>
absl::StatusOr<T> OfUserFile(absl::StatusOr<T> read) {
  if (read.ok() || absl::IsNotFound(read.status())) return read;
  return absl::InvalidArgumentError(read.status().message());
}

// Likewise but for a full disk, which is nobody's mistake.
inline absl::Status WriteUserFile(const std::string& path, absl::string_view content) {
  const absl::Status status = WriteFileAtomically(path, content);
  if (status.ok() || absl::IsNotFound(status) || absl::IsResourceExhausted(status)) return status;
  return absl::InvalidArgumentError(status.message());
}

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_COMMANDS_USER_FILES_H_
