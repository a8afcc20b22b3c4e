// IDX files (the format of MNIST): big-endian header, then unsigned bytes, gzip'd or plain.
#ifndef FRONTIER_COMMON_DATA_IDX_H_
#define FRONTIER_COMMON_DATA_IDX_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace frontier {

// More elements than this are refused before anything is allocated.
inline constexpr int64_t kMaxIdxElements = int64_t{1} << 32;

struct IdxHeader {
  std::vector<int64_t> dimensions;  // each at least 1
  int64_t elements = 0;             // their product
};

struct IdxArray {
  IdxHeader header;
  std::vector<uint8_t> values;  // header.elements, row-major
};

// Reads the header of `path`, which must have `rank` dimensions. NOT_FOUND if there is no such
// file; DATA_LOSS names file and value for a wrong magic number, element type or rank, a dimension
// of zero, more than kMaxIdxElements elements or more than the file can hold, a truncated file and
// broken gzip data.
absl::StatusOr<IdxHeader> ReadIdxHeader(const std::string& path, int rank);

// Reads the whole file. Errors as above, and DATA_LOSS for bytes after the last element.
absl::StatusOr<IdxArray> ReadIdx(const std::string& path, int rank);

}  // namespace frontier

#endif  // FRONTIER_COMMON_DATA_IDX_H_
