// Connections to a coordinator.
#ifndef FRONTIER_COMMON_RPC_CHANNEL_H_
#define FRONTIER_COMMON_RPC_CHANNEL_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace frontier {

// A connection of its own, made at the first call and again whenever it is lost.
std::shared_ptr<grpc::Channel> NewChannel(const std::string& address);

// To be called before each call that waits for its answer in place. While a connection that was
// lost comes about anew, gRPC lets calls fail at once, and looks after it only every five seconds
// unless somebody waits: this does, for a moment.
void AwaitConnection(grpc::Channel* channel);

void SetDeadline(absl::Duration from_now, grpc::ClientContext* context);

// Puts what a caller can act on before the transport's own words, which name no address.
absl::Status DescribeFailure(const absl::Status& status, const std::string& address);

}  // namespace frontier

#endif  // FRONTIER_COMMON_RPC_CHANNEL_H_
