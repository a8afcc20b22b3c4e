#include "common/data/idx.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/base/file.h"
#include "common/base/status.h"

namespace frontier {
namespace {

constexpr int kUnsignedByte = 0x08;
// Deflate cannot expand by more than this (RFC 1951: 258 bytes from two bits).
constexpr int64_t kMaxDeflateRatio = 1032;

absl::Status Damaged(absl::string_view path, absl::string_view problem) {
  return absl::DataLossError(absl::StrCat("'", path, "': ", problem));
}

// One open file, read through zlib, which passes plain files on unchanged.
class IdxReader {
 public:
  ~IdxReader() {
    if (file_ != nullptr) gzclose(file_);
  }

  absl::Status Open(const std::string& path) {
    path_ = path;
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ErrnoStatus(errno, "cannot open", path);
    struct stat info;
    if (fstat(fd, &info) != 0) {
      const int error_number = errno;
      close(fd);
      return ErrnoStatus(error_number, "cannot read", path);
    }
    if (!S_ISREG(info.st_mode)) {
      close(fd);
      return absl::FailedPreconditionError(absl::StrCat("'", path, "' is not a regular file"));
    }
    size_ = info.st_size;
    file_ = gzdopen(fd, "rb");
    if (file_ == nullptr) {
      close(fd);
      return absl::ResourceExhaustedError(absl::StrCat("no memory to read '", path, "'"));
    }
    gzbuffer(file_, 1 << 17);
    return absl::OkStatus();
  }

  // The number of bytes read into `out`, less than `count` only at the end of the data.
  absl::StatusOr<int64_t> Read(uint8_t* out, int64_t count) {
    int64_t done = 0;
    while (done < count) {
      const unsigned wanted = static_cast<unsigned>(std::min<int64_t>(count - done, 1 << 24));
      const int n = gzread(file_, out + done, wanted);
      if (n < 0) return GzipError();
      if (n == 0) break;
      done += n;
    }
    int code = Z_OK;
    gzerror(file_, &code);
    if (code == Z_BUF_ERROR && done < count) return Damaged(path_, "gzip data is truncated");
    if (code != Z_OK && code != Z_BUF_ERROR && code != Z_STREAM_END) return GzipError();
    return done;
  }

  absl::StatusOr<IdxHeader> ReadHeader(int rank) {
    uint8_t magic[4];
    ASSIGN_OR_RETURN(const int64_t got, Read(magic, 4));
    if (got < 4) return Damaged(path_, absl::StrCat("header is truncated at byte ", got, " of 4"));
    if (magic[0] != 0 || magic[1] != 0) {
      return Damaged(path_, absl::StrFormat("magic number 0x%02x%02x%02x%02x is none of IDX",
                                            magic[0], magic[1], magic[2], magic[3]));
    }
    if (magic[2] != kUnsignedByte) {
      return Damaged(path_,
                     absl::StrFormat("element type 0x%02x is not unsigned byte (0x08)", magic[2]));
    }
    if (magic[3] != rank) {
      return Damaged(path_, absl::StrFormat("has %d dimensions, expected %d", magic[3], rank));
    }
    IdxHeader header;
    header.elements = 1;
    for (int i = 0; i < rank; ++i) {
      uint8_t bytes[4];
      ASSIGN_OR_RETURN(const int64_t n, Read(bytes, 4));
      if (n < 4) {
        return Damaged(path_, absl::StrCat("header is truncated at byte ", 4 + 4 * i + n, " of ",
                                           4 + 4 * rank));
      }
      const int64_t dimension = (int64_t{bytes[0]} << 24) | (int64_t{bytes[1]} << 16) |
                                (int64_t{bytes[2]} << 8) | int64_t{bytes[3]};
      header.dimensions.push_back(dimension);
      if (dimension == 0) return Damaged(path_, absl::StrCat("dimension ", i, " is 0"));
      // No overflow: the product so far is at most 2^32 and a dimension is less than that.
      if (header.elements > kMaxIdxElements / dimension) {
        return Damaged(path_, absl::StrCat("dimensions ", absl::StrJoin(header.dimensions, "x"),
                                           " exceed the limit of ", kMaxIdxElements, " elements"));
      }
      header.elements *= dimension;
    }
    const int64_t header_bytes = 4 + 4 * rank;
    const int64_t capacity = gzdirect(file_) != 0 ? size_ - header_bytes : size_ * kMaxDeflateRatio;
    if (header.elements > capacity) {
      return Damaged(path_, absl::StrCat("dimensions ", absl::StrJoin(header.dimensions, "x"),
                                         " need ", header.elements, " bytes, more than a file of ",
                                         size_, " bytes can hold"));
    }
    return header;
  }

 private:
  absl::Status GzipError() {
    int code = Z_OK;
    const char* message = gzerror(file_, &code);
    if (code == Z_ERRNO) return ErrnoStatus(errno, "cannot read", path_);
    if (code == Z_MEM_ERROR) {
      return absl::ResourceExhaustedError(absl::StrCat("no memory to read '", path_, "'"));
    }
    // zlib puts the path it knows before the reason; ours is already there.
    absl::string_view reason = message;
    const size_t colon = reason.rfind(": ");
    if (colon != absl::string_view::npos) reason.remove_prefix(colon + 2);
    return Damaged(path_, absl::StrCat("gzip data is corrupt: ", reason));
  }

  std::string path_;
  int64_t size_ = 0;  // of the file, bytes
  gzFile file_ = nullptr;
};

}  // namespace

absl::StatusOr<IdxHeader> ReadIdxHeader(const std::string& path, int rank) {
  IdxReader reader;
  RETURN_IF_ERROR(reader.Open(path));
  return reader.ReadHeader(rank);
}

absl::StatusOr<IdxArray> ReadIdx(const std::string& path, int rank) {
  IdxReader reader;
  RETURN_IF_ERROR(reader.Open(path));
  IdxArray array;
  ASSIGN_OR_RETURN(array.header, reader.ReadHeader(rank));
  array.values.resize(static_cast<size_t>(array.header.elements));
  ASSIGN_OR_RETURN(const int64_t got, reader.Read(array.values.data(), array.header.elements));
  if (got < array.header.elements) {
    return Damaged(
        path, absl::StrCat("data is truncated at element ", got, " of ", array.header.elements));
  }
  // Reading on also makes zlib check the sum at the end of the data.
  uint8_t extra;
  ASSIGN_OR_RETURN(const int64_t trailing, reader.Read(&extra, 1));
  if (trailing > 0) {
    return Damaged(
        path, absl::StrCat("has bytes after the last of ", array.header.elements, " elements"));
  }
  return array;
}

}  // namespace frontier
