#include "common/rpc/server_runner.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>

#include <future>

#include "common/rpc/address.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "frontier/v1/job_service.grpc.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using frontier::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Calls `method` with a message of these bytes; the answer's bytes go to `answer`.
grpc::Status CallRaw(const std::string& address, const std::string& method,
                     const std::string& bytes, std::string* answer) {
  grpc::GenericStub stub(NewChannel(address));
  grpc::ClientContext context;
  SetDeadline(absl::Seconds(10), &context);
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, method, grpc::StubOptions(), &request, &response,
                 [&done](grpc::Status status) { done.set_value(std::move(status)); });
  const grpc::Status status = done.get_future().get();
  grpc::Slice single;
  if (status.ok() && response.DumpToSingleSlice(&single).ok()) {
    answer->assign(reinterpret_cast<const char*>(single.begin()), single.size());
  }
  return status;
}

constexpr char kHealthCheck[] = "/grpc.health.v1.Health/Check";
// Field 1 of HealthCheckResponse with the value SERVING.
constexpr char kServing[] = "\x08\x01";

TEST(ServerRunnerTest, TakesAFreePortAndSaysThatItServes) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<ServerRunner> server,
                       ServerRunner::Start("127.0.0.1:0", {}));
  EXPECT_THAT(server->address(), StartsWith("127.0.0.1:"));
  EXPECT_NE(ParseAddress(server->address())->port, 0);
  std::string answer;
  EXPECT_TRUE(CallRaw(server->address(), kHealthCheck, "", &answer).ok());
  EXPECT_EQ(answer, kServing);
  server->Stop(absl::ZeroDuration());
  server->Stop(absl::ZeroDuration());
}

TEST(ServerRunnerTest, APortInUseIsATypedError) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<ServerRunner> server,
                       ServerRunner::Start("127.0.0.1:0", {}));
  EXPECT_THAT(ServerRunner::Start(server->address(), {}).status(),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr(server->address())));
  const std::string address = server->address();
  server.reset();
  EXPECT_OK(ServerRunner::Start(address, {}));
}

TEST(ServerRunnerTest, RefusesWhatIsNoAddressOfThisMachine) {
  EXPECT_THAT(ServerRunner::Start("nonsense", {}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nonsense")));
  EXPECT_THAT(ServerRunner::Start("192.0.2.1:0", {}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("192.0.2.1")));
}

TEST(ServerRunnerTest, ReflectsOnLoopbackOnly) {
  // A stream called as a single call: what matters is whether the method is there.
  const std::string method = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  const std::string list_services("\x3a\x00", 2);
  std::string answer;
  v1::JobService::CallbackService service;
  const std::vector<ServedService> services = {{"frontier.v1.JobService", &service}};
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<ServerRunner> local,
                       ServerRunner::Start("127.0.0.1:0", services));
  EXPECT_NE(CallRaw(local->address(), method, list_services, &answer).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<ServerRunner> open,
                       ServerRunner::Start("0.0.0.0:0", services));
  EXPECT_TRUE(CallRaw(open->address(), kHealthCheck, "", &answer).ok());
  EXPECT_EQ(CallRaw(open->address(), method, list_services, &answer).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST(ChannelTest, NamesTheAddressThatCannotBeReached) {
  std::string address;
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<ServerRunner> server,
                         ServerRunner::Start("127.0.0.1:0", {}));
    address = server->address();
  }
  std::string answer;
  const absl::Status status =
      DescribeFailure(FromGrpcStatus(CallRaw(address, kHealthCheck, "", &answer)), address);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, HasSubstr(address)));
}

}  // namespace
}  // namespace frontier
