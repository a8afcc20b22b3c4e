// Messages as bytes that do not depend on the run.
#ifndef FRONTIER_COMMON_BASE_SERIALIZE_H_
#define FRONTIER_COMMON_BASE_SERIALIZE_H_

#include <google/protobuf/message_lite.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace frontier {

// What protobuf reads again.
inline constexpr size_t kMostSerializedBytes = INT32_MAX;

// Equal messages give equal bytes, also those with maps. RESOURCE_EXHAUSTED with `what` and its
// size beyond `most_bytes`.
absl::StatusOr<std::string> SerializeDeterministically(const google::protobuf::MessageLite& message,
                                                       absl::string_view what,
                                                       size_t most_bytes = kMostSerializedBytes);

}  // namespace frontier

#endif  // FRONTIER_COMMON_BASE_SERIALIZE_H_
