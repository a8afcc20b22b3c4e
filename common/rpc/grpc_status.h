// The one conversion between absl::Status inside and grpc::Status on the wire. An ErrorDetail
// travels serialized in the status's binary details.
#ifndef FRONTIER_COMMON_RPC_GRPC_STATUS_H_
#define FRONTIER_COMMON_RPC_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include <cstddef>

#include "absl/status/status.h"

namespace frontier {

// Statuses travel in headers, which peers limit to 8 KiB: longer messages are cut and end in "...".
inline constexpr size_t kMaxStatusMessageBytes = 2000;

grpc::Status ToGrpcStatus(const absl::Status& status);

absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace frontier

#endif  // FRONTIER_COMMON_RPC_GRPC_STATUS_H_
