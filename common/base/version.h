// Versions of the product and of its protocol.
#ifndef FRONTIER_COMMON_BASE_VERSION_H_
#define FRONTIER_COMMON_BASE_VERSION_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace frontier {

// "0.1.0"
absl::string_view ProductVersion();

// Grows by one with each release that changes what goes over the wire.
inline constexpr int32_t kProtocolVersion = 2;
// From which on workers know parts of a training: pauses, rules under which it ends, scores of
// untrained networks.
inline constexpr int32_t kLegsProtocolVersion = 2;

// A coordinator serves peers of its own protocol version and of the one before. Anything else is
// FAILED_PRECONDITION with reason PROTOCOL_VERSION, both versions in message and detail.
// `peer` is the word for the other side: "worker", "client".
absl::Status CheckProtocolVersion(int32_t server, int32_t client, absl::string_view peer);

// "frontier-worker 0.1.0 (protocol 1)"
std::string VersionLine(absl::string_view binary);

}  // namespace frontier

#endif  // FRONTIER_COMMON_BASE_VERSION_H_
