#include "worker/agent/parent_folder.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <tuple>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "worker/agent/outbox.h"

namespace frontier::worker {

namespace fs = std::filesystem;

namespace {

constexpr absl::string_view kModelSuffix = ".model";

}  // namespace

class ParentFolder::Claim {
 public:
  Claim(ParentFolder* folder, const std::string& path) : folder_(*folder), path_(path) {
    MutexLock lock(&folder_.mutex_);
    while (!folder_.claimed_.insert(path_).second) folder_.released_.Wait(&folder_.mutex_);
  }
  ~Claim() {
    {
      MutexLock lock(&folder_.mutex_);
      folder_.claimed_.erase(path_);
    }
    folder_.released_.SignalAll();
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

 private:
  ParentFolder& folder_;
  const std::string path_;
};

absl::StatusOr<std::unique_ptr<ParentFolder>> ParentFolder::Open(const std::string& folder,
                                                                 int64_t most_bytes) {
  RETURN_IF_ERROR(MakeDirectories(folder));
  RemoveTemporaryFilesIn(folder);
  return std::unique_ptr<ParentFolder>(new ParentFolder(folder, most_bytes));
}

absl::StatusOr<std::string> ParentFolder::Get(
    const std::string& sha256, absl::FunctionRef<absl::StatusOr<std::string>()> fetch) {
  // It becomes part of a path.
  if (!IsSha256Hex(sha256)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", sha256.substr(0, 80), "' is no SHA-256 digest"));
  }
  std::string path = absl::StrCat(folder_, "/", sha256, kModelSuffix);
  // Not a lock on all: a fetch takes as long as the line to the coordinator is slow.
  const Claim claim(this, path);
  const absl::StatusOr<std::string> found = FileSha256(path);
  if (found.ok() && *found == sha256) {
    std::error_code error;  // of no consequence: the file only goes earlier
    fs::last_write_time(path, fs::file_time_type::clock::now(), error);
    return path;
  }
  ASSIGN_OR_RETURN(const std::string content, fetch());
  if (const std::string digest = Sha256Hex(content); digest != sha256) {
    return absl::DataLossError(absl::StrCat("weights ", sha256, ": what came has digest ", digest));
  }
  RETURN_IF_ERROR(WriteFileAtomically(path, content));
  Clean();
  return path;
}

void ParentFolder::Clean() {
  MutexLock lock(&mutex_);
  std::vector<std::tuple<fs::file_time_type, std::string, int64_t>> files;
  int64_t total = 0;
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (!absl::EndsWith(it->path().string(), kModelSuffix)) continue;  // being written
    const auto bytes = static_cast<int64_t>(it->file_size(ignored));
    if (ignored) continue;
    total += bytes;
    files.emplace_back(it->last_write_time(ignored), it->path().string(), bytes);
  }
  std::sort(files.begin(), files.end());
  for (const auto& [time, path, bytes] : files) {
    if (total <= most_bytes_) return;
    if (claimed_.count(path) > 0) continue;
    if (fs::remove(path, error)) {
      total -= bytes;
      LogInfo({}, absl::StrCat("'", path, "' is removed: ", bytes >> 10, " KiB"));
    }
  }
}

}  // namespace frontier::worker
