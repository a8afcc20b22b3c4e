#include "common/rpc/grpc_status.h"

#include <string>

#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::testing::EndsWith;

TEST(GrpcStatusTest, OkStaysOk) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_OK(FromGrpcStatus(grpc::Status::OK));
}

TEST(GrpcStatusTest, EveryCodeGoesRound) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "words");
    EXPECT_EQ(FromGrpcStatus(ToGrpcStatus(status)), status);
    EXPECT_EQ(static_cast<int>(ToGrpcStatus(status).error_code()), code);
  }
}

TEST(GrpcStatusTest, TheDetailGoesRound) {
  v1::ErrorDetail detail;
  detail.set_reason(v1::ERROR_REASON_PROTOCOL_VERSION);
  detail.set_field("objectives[0].direction");
  detail.set_client_protocol_version(3);
  detail.set_server_protocol_version(1);
  const absl::Status status =
      ErrorWithDetail(absl::StatusCode::kFailedPrecondition, "too new", detail);
  const absl::Status back = FromGrpcStatus(ToGrpcStatus(status));
  EXPECT_EQ(back, status);
  EXPECT_EQ(GetErrorDetail(back)->SerializeAsString(), detail.SerializeAsString());
}

TEST(GrpcStatusTest, DetailsOfOthersAreLeftOut) {
  const absl::Status status =
      FromGrpcStatus(grpc::Status(grpc::StatusCode::INTERNAL, "words", "\xff\xff not ours"));
  EXPECT_EQ(status, absl::InternalError("words"));
}

TEST(GrpcStatusTest, CutsLongMessagesBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "\xc3\xa9";
  const grpc::Status status = ToGrpcStatus(absl::InternalError(text));
  EXPECT_LE(status.error_message().size(), kMaxStatusMessageBytes);
  EXPECT_GT(status.error_message().size(), kMaxStatusMessageBytes - 5);
  EXPECT_THAT(status.error_message(), EndsWith("\xc3\xa9..."));
  EXPECT_LE(ToGrpcStatus(InvalidField(text, "odd")).error_details().size(), 300u);
}

}  // namespace
}  // namespace frontier
