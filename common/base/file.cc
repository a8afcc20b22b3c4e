#include "common/base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/sha256.h"
#include "common/base/status.h"

namespace frontier {
namespace {

constexpr absl::string_view kTemporaryMark = ".tmp.";

std::string TemporaryPath(const std::string& path) {
  return absl::StrCat(path, kTemporaryMark, getpid());
}

// Name of the file that the temporary one called `name` would become; empty if it is none.
absl::string_view TargetOf(absl::string_view name) {
  const size_t mark = name.rfind(kTemporaryMark);
  if (mark == absl::string_view::npos) return {};
  const absl::string_view pid = name.substr(mark + kTemporaryMark.size());
  const bool good = !pid.empty() && std::all_of(pid.begin(), pid.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  return good ? name.substr(0, mark) : absl::string_view();
}

std::string FolderOf(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

void RemoveTemporaryFilesIf(const std::string& folder,
                            absl::FunctionRef<bool(absl::string_view target)> chosen) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    const absl::string_view target = TargetOf(name);
    if (!target.empty() && chosen(target)) unlink(it->path().c_str());
  }
}

}  // namespace

absl::Status ErrnoStatus(int error_number, absl::string_view what, absl::string_view path) {
  const std::string message = absl::StrCat(what, " '", path, "': ", std::strerror(error_number));
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    case ENOSPC:
    case EDQUOT:
      return ErrorWithReason(absl::StatusCode::kResourceExhausted, v1::ERROR_REASON_DISK_FULL,
                             message);
    default:
      return absl::InternalError(message);
  }
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "cannot open", path);
  absl::Cleanup closer = [fd] { close(fd); };
  std::string content;
  char buffer[1 << 16];
  while (true) {
    const ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "cannot read", path);
    if (n == 0) return content;
    content.append(buffer, static_cast<size_t>(n));
  }
}

absl::Status WriteFileAtomically(const std::string& path, absl::string_view content) {
  const std::string temporary = TemporaryPath(path);
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return ErrnoStatus(errno, "cannot create", temporary);
  absl::Cleanup remover = [&temporary] { unlink(temporary.c_str()); };
  {
    absl::Cleanup closer = [fd] { close(fd); };
    while (!content.empty()) {
      const ssize_t n = write(fd, content.data(), content.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return ErrnoStatus(errno, "cannot write", temporary);
      content.remove_prefix(static_cast<size_t>(n));
    }
    if (fsync(fd) != 0) return ErrnoStatus(errno, "cannot sync", temporary);
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) return ErrnoStatus(errno, "cannot write", path);
  std::move(remover).Cancel();
  return SyncFolder(FolderOf(path));
}

void RemoveTemporaryFiles(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  RemoveTemporaryFilesIf(FolderOf(path),
                         [&name](absl::string_view target) { return target == name; });
}

void RemoveTemporaryFilesIn(const std::string& folder) {
  RemoveTemporaryFilesIf(folder, [](absl::string_view) { return true; });
}

absl::Status SyncFolder(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "cannot open folder", path);
  absl::Cleanup closer = [fd] { close(fd); };
  if (fsync(fd) != 0) return ErrnoStatus(errno, "cannot sync folder", path);
  return absl::OkStatus();
}

absl::StatusOr<std::string> FileSha256(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return ErrnoStatus(errno, "cannot open", path);
  Sha256 digest;
  std::string buffer(size_t{1} << 18, '\0');
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    digest.Update(absl::string_view(buffer.data(), static_cast<size_t>(file.gcount())));
  }
  if (file.bad()) return absl::InternalError(absl::StrCat("cannot read '", path, "'"));
  return digest.FinishHex();
}

absl::StatusOr<int64_t> FileSize(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return ErrnoStatus(error.value(), "cannot look at", path);
  return static_cast<int64_t>(size);
}

absl::Status CopyFile(const std::string& from, const std::string& to) {
  std::error_code error;
  std::filesystem::copy_file(from, to, error);
  if (error) return ErrnoStatus(error.value(), absl::StrCat("cannot copy '", from, "' to"), to);
  const int fd = open(to.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "cannot open", to);
  absl::Cleanup closer = [fd] { close(fd); };
  if (fsync(fd) != 0) return ErrnoStatus(errno, "cannot sync", to);
  return absl::OkStatus();
}

absl::Status MakeDirectories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return ErrnoStatus(error.value(), "cannot make folder", path);
  return absl::OkStatus();
}

}  // namespace frontier
