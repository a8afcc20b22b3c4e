// Whole files in and out, with errors that name the path.
#ifndef FRONTIER_COMMON_BASE_FILE_H_
#define FRONTIER_COMMON_BASE_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace frontier {

// NOT_FOUND, PERMISSION_DENIED, or INTERNAL with the system's reason.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// The file appears whole or not at all, also after a power cut: written beside its place, synced,
// renamed, and its folder synced. RESOURCE_EXHAUSTED if the disk is full.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view content);

// Removes what processes that were killed in WriteFileAtomically left beside `path`, or in `folder`
// beside any path. Nobody may be writing there. What cannot be removed stays.
void RemoveTemporaryFiles(const std::string& path);
void RemoveTemporaryFilesIn(const std::string& folder);

// Bytes in a file. NOT_FOUND, or another error with the system's reason.
absl::StatusOr<int64_t> FileSize(const std::string& path);

// Digest (hex) of a file's content, read in pieces. Errors as ReadFile.
absl::StatusOr<std::string> FileSha256(const std::string& path);

// Copies a file to `to`, which must not exist; its content is on the disk when this returns.
absl::Status CopyFile(const std::string& from, const std::string& to);

// What was made, renamed or deleted in a folder is so on the disk.
absl::Status SyncFolder(const std::string& path);

// Makes `path` and its parents; fine if it is there.
absl::Status MakeDirectories(const std::string& path);

// The status for `errno` after an operation on `path`: "what 'path': reason".
absl::Status ErrnoStatus(int error_number, absl::string_view what, absl::string_view path);

}  // namespace frontier

#endif  // FRONTIER_COMMON_BASE_FILE_H_
