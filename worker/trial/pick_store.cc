#include "worker/trial/pick_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "frontier/v1/findings.pb.h"
#include "worker/trial/engine_record.h"

namespace frontier::worker {
namespace {

// Without maps in it, a message has one serialization.
std::string DigestOf(v1::PickFile file) {
  file.clear_digest();
  return Sha256Hex(file.SerializeAsString());
}

// Held until the object goes, or the process.
class FileLock {
 public:
  static absl::StatusOr<FileLock> Take(const std::string& path) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return ErrnoStatus(errno, "cannot open", path);
    FileLock lock(fd);
    while (flock(fd, LOCK_EX) != 0) {
      if (errno != EINTR) return ErrnoStatus(errno, "cannot lock", path);
    }
    return lock;
  }
  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock() {
    if (fd_ >= 0) close(fd_);
  }

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace

PickStore::PickStore(std::string path, std::string library, std::string hardware_class)
    : path_(std::move(path)),
      library_(std::move(library)),
      hardware_class_(std::move(hardware_class)) {}

Picks PickStore::Load() const {
  if (path_.empty()) return {};
  const absl::StatusOr<std::string> bytes = ReadFile(path_);
  if (!bytes.ok()) {
    if (!absl::IsNotFound(bytes.status())) {
      LogWarning({}, absl::StrCat(bytes.status().message(), "; layers are timed anew"));
    }
    return {};
  }
  v1::PickFile file;
  if (!file.ParseFromString(*bytes) || file.digest() != DigestOf(file)) {
    LogWarning({}, absl::StrCat("picks in '", path_, "' are damaged; layers are timed anew"));
    return {};
  }
  if (file.library() != library_ || file.hardware_class() != hardware_class_ ||
      absl::string_view(file.version()) != ProductVersion()) {
    LogInfo({}, absl::StrCat("picks in '", path_, "' are of ", file.library(), " on '",
                             file.hardware_class(), "', version ", file.version(),
                             "; layers are timed anew"));
    return {};
  }
  return PicksOf(file.picks());
}

absl::Status PickStore::Add(const Picks& picks) const {
  if (path_.empty() || picks.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const FileLock lock, FileLock::Take(path_ + ".lock"));
  const Picks before = Load();
  Picks all = picks;
  all.insert(before.begin(), before.end());
  if (all == before) return absl::OkStatus();
  v1::PickFile file;
  file.set_library(library_);
  file.set_hardware_class(hardware_class_);
  file.set_version(std::string(ProductVersion()));
  *file.mutable_picks() = ListOf(all);
  file.set_digest(DigestOf(file));
  return WriteFileAtomically(path_, file.SerializeAsString());
}

}  // namespace frontier::worker
