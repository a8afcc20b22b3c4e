#include "worker/agent/checkpoint_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/status.h"

namespace frontier::worker {
namespace {

constexpr absl::string_view kSuffix = ".checkpoint";
constexpr size_t kLegDigits = 16;

struct File {
  absl::Time written;
  std::string path;
  int64_t bytes = 0;
};

std::vector<File> List(const std::string& folder) {
  std::vector<File> files;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    File file;
    file.path = it->path().string();
    struct stat info = {};
    if (stat(file.path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    file.written = absl::TimeFromTimespec(info.st_mtim);
    file.bytes = info.st_size;
    files.push_back(std::move(file));
  }
  if (error) {
    LogWarning({}, absl::StrCat("cannot list checkpoints in '", folder, "': ", error.message()));
  }
  return files;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CheckpointFolder>> CheckpointFolder::Open(
    const std::string& folder, const CheckpointLimits& limits, Clock* clock) {
  RETURN_IF_ERROR(MakeDirectories(folder));
  if (access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    return ErrnoStatus(errno, "cannot use checkpoints in", folder);
  }
  for (const File& file : List(folder)) {
    // A write that was cut off.
    if (!absl::EndsWith(file.path, kSuffix)) unlink(file.path.c_str());
  }
  std::unique_ptr<CheckpointFolder> opened(new CheckpointFolder(folder, limits, clock));
  MutexLock lock(&opened->mutex_);
  opened->Clean();
  return opened;
}

std::string CheckpointFolder::PathOf(const v1::AttemptKey& key, absl::string_view leg) const {
  return absl::StrCat(folder_, "/job", key.job_id(), "-trial", key.trial(), leg.empty() ? "" : "-",
                      leg.substr(0, kLegDigits), kSuffix);
}

std::string CheckpointFolder::Begin(const v1::AttemptKey& key, absl::string_view leg) {
  std::string path = PathOf(key, leg);
  MutexLock lock(&mutex_);
  running_.insert(path);
  return path;
}

void CheckpointFolder::End(const v1::AttemptKey& key, bool again, absl::string_view leg) {
  const std::string path = PathOf(key, leg);
  MutexLock lock(&mutex_);
  if (const auto it = running_.find(path); it != running_.end()) running_.erase(it);
  if (running_.count(path) == 0) {
    RemoveTemporaryFiles(path);  // of a process that was killed
    if (!again) unlink(path.c_str());
  }
  Clean();
}

void CheckpointFolder::Clean() {
  std::vector<File> files = List(folder_);
  // One that is being written takes the place of another.
  std::erase_if(files, [](const File& file) { return !absl::EndsWith(file.path, kSuffix); });
  std::sort(files.begin(), files.end(),
            [](const File& a, const File& b) { return a.written < b.written; });
  int64_t total = 0;
  for (const File& file : files) total += file.bytes;
  const absl::Time oldest = clock_->Now() - limits_.most_age;
  for (const File& file : files) {
    if (running_.count(file.path) > 0) continue;
    if (file.written >= oldest && total <= limits_.most_bytes) continue;
    unlink(file.path.c_str());
    total -= file.bytes;
    LogInfo({}, absl::StrCat("checkpoint '", file.path, "' is removed: written ",
                             absl::FormatTime(file.written, absl::UTCTimeZone()), ", ",
                             file.bytes >> 10, " KiB"));
  }
}

}  // namespace frontier::worker
