// SHA-256 digests as lower-case hex.
#ifndef FRONTIER_COMMON_BASE_SHA256_H_
#define FRONTIER_COMMON_BASE_SHA256_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace frontier {

// A digest fed in pieces. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(absl::string_view bytes);
  // 64 hex digits; ends the digest.
  std::string FinishHex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string Sha256Hex(absl::string_view bytes);

// Whether `text` has the form of a digest: 64 lower-case hex digits.
bool IsSha256Hex(absl::string_view text);

}  // namespace frontier

#endif  // FRONTIER_COMMON_BASE_SHA256_H_
