#include "worker/agent/state_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status.h"

namespace frontier::worker {
namespace {

constexpr size_t kMaxIdLength = 128;

bool FitForId(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
}

}  // namespace

absl::Status CheckWorkerId(absl::string_view id) {
  if (!id.empty() && id.size() <= kMaxIdLength && std::all_of(id.begin(), id.end(), FitForId)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("worker id '", id, "' must be 1 to 128 of A-Z a-z 0-9 . _ -"));
}

absl::StatusOr<std::unique_ptr<StateFolder>> StateFolder::Open(const std::string& path) {
  RETURN_IF_ERROR(MakeDirectories(path));
  const std::string lock_path = path + "/lock";
  const int fd = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return ErrnoStatus(errno, "cannot open", lock_path);
  std::unique_ptr<StateFolder> folder(new StateFolder(path, fd));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return ErrnoStatus(errno, "cannot lock", lock_path);
    const absl::StatusOr<std::string> holder = ReadFile(lock_path);
    return absl::FailedPreconditionError(
        absl::StrCat("state folder '", path, "' is in use by another frontier-worker",
                     holder.ok() && !holder->empty()
                         ? absl::StrCat(" (process ", absl::StripAsciiWhitespace(*holder), ")")
                         : "",
                     "; give each worker a --state_dir of its own"));
  }
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(fd, 0) != 0 || write(fd, pid.data(), pid.size()) < 0) {
    return ErrnoStatus(errno, "cannot write", lock_path);
  }
  RemoveTemporaryFilesIn(path);  // of processes of an earlier start
  return folder;
}

StateFolder::~StateFolder() { close(lock_); }

absl::StatusOr<std::string> StateFolder::WorkerId(absl::string_view host,
                                                  absl::string_view suffix) {
  const std::string file = path_ + "/worker_id";
  const absl::StatusOr<std::string> stored = ReadFile(file);
  if (stored.ok()) {
    std::string id(absl::StripAsciiWhitespace(*stored));
    if (absl::Status status = CheckWorkerId(id); !status.ok()) {
      return absl::DataLossError(absl::StrCat("'", file, "': ", status.message()));
    }
    return id;
  }
  if (!absl::IsNotFound(stored.status())) return stored.status();
  std::string id(host.substr(0, kMaxIdLength - 1 - suffix.size()));
  for (char& c : id) {
    if (!FitForId(c)) c = '-';
  }
  absl::StrAppend(&id, id.empty() ? "worker-" : "-", suffix);
  RETURN_IF_ERROR(CheckWorkerId(id));
  RETURN_IF_ERROR(WriteFileAtomically(file, id + "\n"));
  return id;
}

}  // namespace frontier::worker
