#include "common/base/serialize.h"

#include <string>

#include "frontier/v1/error.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;

TEST(SerializeTest, GivesWhatParsesAgain) {
  v1::ErrorDetail detail;
  detail.set_reason(v1::ERROR_REASON_DISK_FULL);
  detail.set_field("a.b");
  ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeDeterministically(detail, "the detail"));
  v1::ErrorDetail again;
  ASSERT_TRUE(again.ParseFromString(bytes));
  EXPECT_EQ(again.SerializeAsString(), detail.SerializeAsString());
  ASSERT_OK_AND_ASSIGN(const std::string nothing,
                       SerializeDeterministically(v1::ErrorDetail(), "the detail"));
  EXPECT_EQ(nothing, "");
}

TEST(SerializeTest, WhatIsTooLargeIsNamedWithItsSize) {
  v1::ErrorDetail detail;
  detail.set_field(std::string(100, 'x'));
  EXPECT_THAT(SerializeDeterministically(detail, "checkpoint '/state/a'", 50),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       "checkpoint '/state/a' takes 102 bytes, a file holds 50"));
}

}  // namespace
}  // namespace frontier
