#include "common/rpc/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/rpc/limits.h"

namespace frontier {
namespace {

// A peer that vanished without closing its connection is noticed after these two.
constexpr int kKeepaliveMs = 20'000;
constexpr int kKeepaliveTimeoutMs = 10'000;

constexpr int kFirstReconnectMs = 100;
constexpr int kReconnectWaitMs = 200;
constexpr int kLongestReconnectMs = 2'000;
// For a connection to come about, the peer's first answer included: a busy machine takes its time.
constexpr int kConnectMs = 5'000;

}  // namespace

std::shared_ptr<grpc::Channel> NewChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  // Its name is misleading: gRPC takes it for the time that an attempt has.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMs);
  // Repeats are ours, and connections are not shared with other clients of the process.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Machines of one cluster talk directly, whatever proxy is set for the way out.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

void AwaitConnection(grpc::Channel* channel) {
  if (channel->GetState(/*try_to_connect=*/true) != GRPC_CHANNEL_TRANSIENT_FAILURE) return;
  channel->WaitForConnected(std::chrono::system_clock::now() +
                            std::chrono::milliseconds(kReconnectWaitMs));
}

void SetDeadline(absl::Duration from_now, grpc::ClientContext* context) {
  context->set_deadline(std::chrono::system_clock::now() + absl::ToChronoMicroseconds(from_now));
}

absl::Status DescribeFailure(const absl::Status& status, const std::string& address) {
  // With a detail it is the coordinator itself that speaks.
  if (GetErrorDetail(status).has_value()) return status;
  if (absl::IsUnavailable(status)) {
    return absl::UnavailableError(
        absl::StrCat("coordinator at ", address, " cannot be reached: ", status.message()));
  }
  if (absl::IsDeadlineExceeded(status)) {
    return absl::DeadlineExceededError(
        absl::StrCat("coordinator at ", address, " did not answer in time: ", status.message()));
  }
  if (absl::IsUnimplemented(status)) {
    return absl::UnimplementedError(absl::StrCat(
        "what answers at ", address, " is no coordinator of this version: ", status.message()));
  }
  return status;
}

}  // namespace frontier
