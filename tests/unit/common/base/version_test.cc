#include "common/base/version.h"

#include "common/base/status.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(VersionTest, ServesOwnAndPreviousProtocol) {
  EXPECT_OK(CheckProtocolVersion(5, 5, "worker"));
  EXPECT_OK(CheckProtocolVersion(5, 4, "worker"));
  EXPECT_OK(CheckProtocolVersion(1, 1, "worker"));
}

TEST(VersionTest, RefusalNamesBothVersions) {
  for (const int client : {3, 6, -1, 0}) {
    const absl::Status status = CheckProtocolVersion(5, client, "worker");
    EXPECT_THAT(status,
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         AllOf(HasSubstr("worker speaks protocol " + std::to_string(client)),
                               HasSubstr("coordinator speaks protocol 5"))));
    EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_PROTOCOL_VERSION);
    EXPECT_EQ(GetErrorDetail(status)->client_protocol_version(), client);
    EXPECT_EQ(GetErrorDetail(status)->server_protocol_version(), 5);
  }
  // There is no protocol 0 to be one release older.
  EXPECT_FALSE(CheckProtocolVersion(1, 0, "worker").ok());
}

TEST(VersionTest, LineNamesBinaryAndVersions) {
  EXPECT_EQ(VersionLine("frontier"), std::string("frontier ") + std::string(ProductVersion()) +
                                         " (protocol " + std::to_string(kProtocolVersion) + ")");
}

}  // namespace
}  // namespace frontier
