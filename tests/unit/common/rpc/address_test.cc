#include "common/rpc/address.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using frontier::testing::StatusIs;
using ::testing::HasSubstr;

TEST(AddressTest, GoesRound) {
  for (const char* text : {"127.0.0.1:7070", "[::1]:0", "node-3.cluster:65535", "localhost:1"}) {
    ASSERT_OK_AND_ASSIGN(const Address address, ParseAddress(text));
    EXPECT_EQ(address.ToString(), text);
  }
}

TEST(AddressTest, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {{"", "no port"},
                                                       {"localhost", "no port"},
                                                       {":7070", "no host"},
                                                       {"::1:7070", "brackets"},
                                                       {"host:", "port ''"},
                                                       {"host:port", "port 'port'"},
                                                       {"host:65536", "65536"},
                                                       {"host:-1", "-1"},
                                                       {"host: 70", "port ' 70'"},
                                                       {"ho st:70", "malformed"},
                                                       {"http://host:70", "bracket"},
                                                       {"host:70/x", "70/x"}};
  for (const auto& [text, words] : cases) {
    EXPECT_THAT(ParseAddress(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words)))
        << text;
  }
}

TEST(AddressTest, NobodyIsCalledAtPortZero) {
  EXPECT_EQ(ParsePeerAddress("[::1]:7070")->ToString(), "[::1]:7070");
  EXPECT_THAT(ParsePeerAddress("host:0"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'host:0': nobody")));
  EXPECT_THAT(ParsePeerAddress("host:99999"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("port '99999'")));
}

TEST(AddressTest, KnowsLoopback) {
  for (const char* text : {"127.0.0.1:1", "127.8.8.8:1", "[::1]:1", "localhost:1"}) {
    EXPECT_TRUE(ParseAddress(text)->IsLoopback()) << text;
  }
  for (const char* text : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "localhost.example:1"}) {
    EXPECT_FALSE(ParseAddress(text)->IsLoopback()) << text;
  }
}

TEST(AddressTest, KnowsWhatStandsForAll) {
  for (const char* text : {"0.0.0.0:1", "[::]:1"}) {
    EXPECT_TRUE(ParseAddress(text)->IsWildcard()) << text;
  }
  for (const char* text : {"127.0.0.1:1", "[::1]:1", "10.0.0.1:1", "localhost:1"}) {
    EXPECT_FALSE(ParseAddress(text)->IsWildcard()) << text;
  }
}

TEST(AddressTest, ProbesWhetherItCanListen) {
  EXPECT_OK(ProbeListen(Address{"127.0.0.1", 0}));
  // Of a block reserved for documentation (RFC 5737).
  EXPECT_THAT(ProbeListen(Address{"192.0.2.1", 0}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("192.0.2.1")));
}

}  // namespace
}  // namespace frontier
