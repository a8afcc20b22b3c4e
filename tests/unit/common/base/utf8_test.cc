#include "common/base/utf8.h"

#include "gtest/gtest.h"

namespace frontier {
namespace {

TEST(Utf8Test, TellsCharactersFromBytes) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("stage1.block0"));
  EXPECT_TRUE(IsUtf8("größe 模型 \xF0\x9F\x98\x80"));
  EXPECT_TRUE(IsUtf8(absl::string_view("\0", 1)));
  EXPECT_FALSE(IsUtf8("\xFF"));
  EXPECT_FALSE(IsUtf8("a\x80"));
  EXPECT_FALSE(IsUtf8("\xC0\x80"));          // overlong
  EXPECT_FALSE(IsUtf8("\xED\xA0\x80"));      // a surrogate
  EXPECT_FALSE(IsUtf8("\xF4\x90\x80\x80"));  // beyond the last
  EXPECT_FALSE(IsUtf8("\xE6\xA8"));          // cut
  EXPECT_EQ(Utf8Length("größe"), 1u);
  EXPECT_EQ(Utf8Length("模型"), 3u);
  EXPECT_EQ(Utf8Length(""), 0u);
}

}  // namespace
}  // namespace frontier
