#include "common/flags/validators.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace frontier {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What `validator` says of `text`; "" = it is fine.
std::string Said(const CLI::Validator& validator, std::string text) { return validator(text); }

TEST(ValidatorsTest, NumbersAreFiniteAndWithinBounds) {
  const CLI::Validator number = NumberIn(0.5, 86'400);
  for (const char* text : {"0.5", "86400", "3e2", "7"}) EXPECT_THAT(Said(number, text), IsEmpty());
  for (const char* text :
       {"nan", "NaN", "-nan", "inf", "-inf", "1e999", "0.4", "86400.5", "-1", "many", "3 s", ""}) {
    EXPECT_THAT(Said(number, text), HasSubstr("is not a number from 0.5 to 86400")) << text;
  }
}

TEST(ValidatorsTest, Addresses) {
  EXPECT_THAT(Said(ListenAddress(), "127.0.0.1:0"), IsEmpty());
  EXPECT_THAT(Said(ListenAddress(), "foo"), HasSubstr("address 'foo': no port"));
  EXPECT_THAT(Said(PeerAddress(), "head-node:7070"), IsEmpty());
  EXPECT_THAT(Said(PeerAddress(), "head-node:0"), HasSubstr("address 'head-node:0'"));
  EXPECT_THAT(Said(PeerAddress(), ""), HasSubstr("address ''"));
}

TEST(ValidatorsTest, Texts) {
  EXPECT_THAT(Said(NotEmpty(), "d"), IsEmpty());
  EXPECT_EQ(Said(NotEmpty(), ""), "is empty");
}

}  // namespace
}  // namespace frontier
