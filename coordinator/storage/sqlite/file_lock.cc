#include "coordinator/storage/sqlite/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/status.h"

namespace frontier::coordinator {
namespace {

constexpr absl::Duration kRetryInterval = absl::Milliseconds(20);

// What the holder wrote about itself: its process id.
std::string HolderName(int fd) {
  char buffer[24] = {};
  const ssize_t n = pread(fd, buffer, sizeof(buffer) - 1, 0);
  if (n <= 0) return "another coordinator";
  const std::string digits(
      buffer, std::find_if(buffer, buffer + n, [](char c) { return c < '0' || c > '9'; }));
  if (digits.empty()) return "another coordinator";
  return absl::StrCat("another coordinator (process ", digits, ")");
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileLock>> FileLock::Acquire(const std::string& path,
                                                            absl::Duration timeout) {
  const std::string lock_path = absl::StrCat(path, ".lock");
  const int fd = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    const absl::Status status = ErrnoStatus(errno, "cannot open lock file", lock_path);
    if (!absl::IsPermissionDenied(status)) return status;
    return ErrorWithReason(absl::StatusCode::kFailedPrecondition,
                           v1::ERROR_REASON_DATABASE_READ_ONLY,
                           absl::StrCat("database '", path, "' is read-only: ", status.message()));
  }
  absl::Cleanup closer = [fd] { close(fd); };
  SystemClock clock;
  const absl::Duration deadline = clock.Elapsed() + timeout;
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return ErrnoStatus(errno, "cannot lock", lock_path);
    }
    const absl::Duration left = deadline - clock.Elapsed();
    if (left <= absl::ZeroDuration()) {
      return ErrorWithReason(absl::StatusCode::kUnavailable, v1::ERROR_REASON_DATABASE_LOCKED,
                             absl::StrCat("database '", path, "' is in use by ", HolderName(fd)));
    }
    absl::SleepFor(std::min(left, kRetryInterval));
  }
  // Only for the message of whoever is refused, so a failure does not matter.
  const std::string holder = absl::StrCat(getpid(), "\n");
  if (ftruncate(fd, 0) == 0) {
    [[maybe_unused]] const ssize_t n = pwrite(fd, holder.data(), holder.size(), 0);
  }
  std::move(closer).Cancel();
  return absl::WrapUnique(new FileLock(fd));
}

FileLock::~FileLock() { close(fd_); }

}  // namespace frontier::coordinator
