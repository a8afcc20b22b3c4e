// Layout: <folder>/ab/abcd... for a blob whose digest begins with "ab"; <folder>/incoming/ for
// those being written.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "coordinator/blobs/blob_store.h"

namespace frontier::coordinator {
namespace {

namespace fs = std::filesystem;

absl::Status CheckDigest(absl::string_view sha256) {
  if (IsSha256Hex(sha256)) return absl::OkStatus();
  return InvalidField("sha256",
                      absl::StrCat("'", sha256.substr(0, 80), "' is not 64 lower-case hex digits"));
}

class FileBlobWriter final : public BlobWriter {
 public:
  FileBlobWriter(int fd, std::string temporary, std::string target, std::string sha256,
                 int64_t size)
      : fd_(fd),
        temporary_(std::move(temporary)),
        target_(std::move(target)),
        sha256_(std::move(sha256)),
        size_(size) {}

  ~FileBlobWriter() override {
    if (fd_ >= 0) close(fd_);
    if (!finished_) unlink(temporary_.c_str());
  }

  absl::Status Append(absl::string_view bytes) override {
    if (static_cast<int64_t>(bytes.size()) > size_ - written_) {
      return absl::OutOfRangeError(absl::StrCat("blob ", sha256_, " was announced with ", size_,
                                                " bytes, got at least ",
                                                written_ + static_cast<int64_t>(bytes.size())));
    }
    digest_.Update(bytes);
    written_ += static_cast<int64_t>(bytes.size());
    while (!bytes.empty()) {
      const ssize_t n = write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return ErrnoStatus(errno, "cannot write", temporary_);
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return absl::OkStatus();
  }

  absl::Status Finish() override {
    if (written_ != size_) {
      return absl::DataLossError(
          absl::StrCat("blob ", sha256_, " was announced with ", size_, " bytes, got ", written_));
    }
    const std::string digest = digest_.FinishHex();
    if (digest != sha256_) {
      return absl::DataLossError(absl::StrCat("blob ", sha256_, " has digest ", digest));
    }
    if (fsync(fd_) != 0) return ErrnoStatus(errno, "cannot sync", temporary_);
    const std::string folder = fs::path(target_).parent_path().string();
    RETURN_IF_ERROR(MakeDirectories(folder));
    // The fan-out folder may be new.
    RETURN_IF_ERROR(SyncFolder(fs::path(folder).parent_path().string()));
    if (rename(temporary_.c_str(), target_.c_str()) != 0) {
      return ErrnoStatus(errno, "cannot write", target_);
    }
    finished_ = true;
    return SyncFolder(folder);
  }

 private:
  const int fd_;
  const std::string temporary_;
  const std::string target_;
  const std::string sha256_;
  const int64_t size_;
  int64_t written_ = 0;
  Sha256 digest_;
  bool finished_ = false;
};

// Needs no lock: a blob appears whole by its rename, and never changes.
class FileBlobStore final : public BlobStore {
 public:
  explicit FileBlobStore(const FileBlobStoreOptions& options) : options_(options) {}

  absl::Status Open() {
    RETURN_IF_ERROR(MakeDirectories(options_.folder));
    std::error_code error;
    fs::remove_all(Incoming(), error);
    if (error) return ErrnoStatus(error.value(), "cannot clear", Incoming());
    return MakeDirectories(Incoming());
  }

  absl::StatusOr<std::unique_ptr<BlobWriter>> NewWriter(absl::string_view sha256,
                                                        int64_t size) override {
    RETURN_IF_ERROR(CheckDigest(sha256));
    if (size < 0 || size > options_.max_blob_bytes) {
      return InvalidField(
          "size", absl::StrCat(size, " bytes is not within 0 and ", options_.max_blob_bytes));
    }
    std::string temporary = absl::StrCat(Incoming(), "/", sha256, ".", ++writers_);
    const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) return ErrnoStatus(errno, "cannot create", temporary);
    return std::make_unique<FileBlobWriter>(fd, std::move(temporary), Path(sha256),
                                            std::string(sha256), size);
  }

  bool Has(absl::string_view sha256) const override { return Size(sha256).ok(); }

  absl::StatusOr<int64_t> Size(absl::string_view sha256) const override {
    RETURN_IF_ERROR(CheckDigest(sha256));
    struct stat info {};
    const std::string path = Path(sha256);
    if (stat(path.c_str(), &info) != 0) return ReadError(errno, sha256, path);
    return info.st_size;
  }

  absl::StatusOr<std::string> Read(absl::string_view sha256, int64_t offset,
                                   int64_t limit) const override {
    RETURN_IF_ERROR(CheckDigest(sha256));
    if (offset < 0) return InvalidField("offset", absl::StrCat(offset, " is negative"));
    if (limit < 0) return InvalidField("limit", absl::StrCat(limit, " is negative"));
    const std::string path = Path(sha256);
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ReadError(errno, sha256, path);
    absl::Cleanup closer = [fd] { close(fd); };
    struct stat info {};
    if (fstat(fd, &info) != 0) return ErrnoStatus(errno, "cannot read", path);
    std::string bytes(static_cast<size_t>(std::clamp<int64_t>(info.st_size - offset, 0, limit)),
                      '\0');
    size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n = pread(fd, bytes.data() + done, bytes.size() - done,
                              static_cast<off_t>(offset + static_cast<int64_t>(done)));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return ErrnoStatus(errno, "cannot read", path);
      if (n == 0) break;
      done += static_cast<size_t>(n);
    }
    bytes.resize(done);
    return bytes;
  }

  absl::Status Delete(absl::string_view sha256) override {
    RETURN_IF_ERROR(CheckDigest(sha256));
    const std::string path = Path(sha256);
    if (unlink(path.c_str()) != 0 && errno != ENOENT) {
      return ErrnoStatus(errno, "cannot delete", path);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> List() const override {
    std::vector<std::string> digests;
    std::error_code error;
    fs::recursive_directory_iterator entry(options_.folder, error);
    while (!error && entry != fs::recursive_directory_iterator()) {
      const std::string name = entry->path().filename().string();
      // What was put there by others is not ours to list.
      if (IsSha256Hex(name) && entry->path().string() == Path(name)) digests.push_back(name);
      entry.increment(error);
    }
    if (error) return ErrnoStatus(error.value(), "cannot list", options_.folder);
    std::sort(digests.begin(), digests.end());
    return digests;
  }

 private:
  std::string Incoming() const { return absl::StrCat(options_.folder, "/incoming"); }
  std::string Path(absl::string_view sha256) const { return FileBlobPath(options_.folder, sha256); }
  static absl::Status ReadError(int error_number, absl::string_view sha256,
                                const std::string& path) {
    if (error_number == ENOENT) return absl::NotFoundError(absl::StrCat("no blob ", sha256));
    return ErrnoStatus(error_number, "cannot read", path);
  }

  const FileBlobStoreOptions options_;
  std::atomic<int64_t> writers_ = 0;
};

}  // namespace

std::string FileBlobPath(absl::string_view folder, absl::string_view sha256) {
  return absl::StrCat(folder, "/", sha256.substr(0, 2), "/", sha256);
}

absl::StatusOr<std::unique_ptr<BlobStore>> OpenFileBlobStore(const FileBlobStoreOptions& options) {
  auto store = std::make_unique<FileBlobStore>(options);
  RETURN_IF_ERROR(store->Open());
  return store;
}

}  // namespace frontier::coordinator
