#include "common/rpc/request_id.h"

#include <random>

#include "absl/strings/str_cat.h"

namespace frontier {

std::string NewRequestId() {
  std::random_device source;
  std::string id;
  for (int word = 0; word < 4; ++word) {
    absl::StrAppend(&id, absl::Hex(source(), absl::kZeroPad8));
  }
  return id;
}

}  // namespace frontier
