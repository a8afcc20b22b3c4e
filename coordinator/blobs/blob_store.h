// Content-addressed store of large data (trained weights), as files named by their SHA-256.
#ifndef FRONTIER_COORDINATOR_BLOBS_BLOB_STORE_H_
#define FRONTIER_COORDINATOR_BLOBS_BLOB_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace frontier::coordinator {

// One blob on its way in. Dropping a writer that was not finished leaves nothing. Not thread-safe.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  // OUT_OF_RANGE past the announced size; DISK_FULL.
  virtual absl::Status Append(absl::string_view bytes) = 0;
  // Durable once OK. DATA_LOSS if size or digest are not as announced.
  virtual absl::Status Finish() = 0;
};

// Thread-safe.
class BlobStore {
 public:
  virtual ~BlobStore() = default;
  // INVALID_ARGUMENT for what is no digest, or a size that is negative or over the limit.
  virtual absl::StatusOr<std::unique_ptr<BlobWriter>> NewWriter(absl::string_view sha256,
                                                                int64_t size) = 0;
  virtual bool Has(absl::string_view sha256) const = 0;
  virtual absl::StatusOr<int64_t> Size(absl::string_view sha256) const = 0;
  // Up to `limit` bytes from `offset`; empty at the end. NOT_FOUND names the digest.
  virtual absl::StatusOr<std::string> Read(absl::string_view sha256, int64_t offset,
                                           int64_t limit) const = 0;
  // Fine if it is not there.
  virtual absl::Status Delete(absl::string_view sha256) = 0;
  virtual absl::StatusOr<std::vector<std::string>> List() const = 0;
};

struct FileBlobStoreOptions {
  std::string folder;                         // made if absent
  int64_t max_blob_bytes = int64_t{1} << 30;  // of one blob
};

// Where such a store keeps a blob.
std::string FileBlobPath(absl::string_view folder, absl::string_view sha256);

// Removes what unfinished writers of an earlier process left.
absl::StatusOr<std::unique_ptr<BlobStore>> OpenFileBlobStore(const FileBlobStoreOptions& options);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_BLOBS_BLOB_STORE_H_
