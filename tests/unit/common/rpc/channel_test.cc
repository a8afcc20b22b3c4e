#include "common/rpc/channel.h"

#include <arpa/inet.h>
#include <grpcpp/channel.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

// Takes connections, as the kernel does for any program that listens, and never says a word.
class SilentPeer {
 public:
  SilentPeer() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(socket_, 8), 0);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~SilentPeer() { close(socket_); }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  int socket_;
  int port_ = 0;
};

TEST(ChannelTest, APeerThatAnswersLateIsWaitedFor) {
  const SilentPeer peer;
  const auto channel = NewChannel(peer.address());
  const auto now = [] { return std::chrono::system_clock::now(); };
  EXPECT_EQ(channel->GetState(/*try_to_connect=*/true), GRPC_CHANNEL_IDLE);
  ASSERT_TRUE(channel->WaitForStateChange(GRPC_CHANNEL_IDLE, now() + std::chrono::seconds(30)));
  EXPECT_FALSE(channel->WaitForStateChange(GRPC_CHANNEL_CONNECTING,
                                           now() + std::chrono::milliseconds(1'500)))
      << "the attempt was given up: state " << channel->GetState(false);
}

TEST(ChannelTest, OnlyWhatTheTransportSaysIsExplained) {
  EXPECT_THAT(DescribeFailure(absl::UnavailableError("refused"), "a:1"),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("coordinator at a:1 cannot be reached: refused")));
  EXPECT_THAT(DescribeFailure(absl::DeadlineExceededError("late"), "a:1"),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("a:1 did not answer")));
  const absl::Status said = ErrorWithReason(absl::StatusCode::kUnavailable,
                                            v1::ERROR_REASON_OVERLOADED, "its state is read anew");
  EXPECT_EQ(DescribeFailure(said, "a:1"), said);
}

}  // namespace
}  // namespace frontier
