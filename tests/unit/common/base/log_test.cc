#include "common/base/log.h"

#include <string>

#include "common/base/file.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

constexpr absl::string_view kTime = "2024-05-06T07:08:09.123Z";

TEST(LogTest, TextLineNamesIdsAndStaysOneLine) {
  EXPECT_EQ(FormatLogLine(LogFormat::kText, kTime, LogLevel::kInfo, "coordinator",
                          {.job = 3, .trial = 17, .attempt = 2, .worker = "box"}, "lost\nlease"),
            "2024-05-06T07:08:09.123Z info    coordinator job=3 trial=17 attempt=2 worker=box: "
            "lost\\nlease");
  EXPECT_EQ(FormatLogLine(LogFormat::kText, kTime, LogLevel::kWarning, "", {}, "x\x01"),
            "2024-05-06T07:08:09.123Z warning: x\\x01");
}

TEST(LogTest, JsonLineIsEscaped) {
  EXPECT_EQ(FormatLogLine(LogFormat::kJson, kTime, LogLevel::kError, "worker",
                          {.job = 1, .worker = "a\"b"}, "line\none\\two"),
            "{\"time\":\"2024-05-06T07:08:09.123Z\",\"level\":\"error\",\"component\":\"worker\","
            "\"job\":1,\"worker\":\"a\\\"b\",\"message\":\"line\\u000aone\\\\two\"}");
}

TEST(LogTest, ParsesNamesAndRefusesOthers) {
  LogFormat format = LogFormat::kText;
  ASSERT_OK(ParseLogFormat("json", &format));
  EXPECT_EQ(format, LogFormat::kJson);
  EXPECT_THAT(ParseLogFormat("xml", &format),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'xml'")));
  LogLevel level = LogLevel::kInfo;
  ASSERT_OK(ParseLogLevel("warning", &level));
  EXPECT_EQ(level, LogLevel::kWarning);
  EXPECT_THAT(ParseLogLevel("loud", &level),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'loud'")));
}

TEST(LogTest, WritesToItsFileFromItsLevelOn) {
  const testing::TempFolder folder;
  const std::string path = folder.File("log");
  ASSERT_OK(InitLogging({.level = LogLevel::kWarning, .file = path, .component = "test"}));
  LogInfo({}, "quiet");
  LogWarning({.job = 9}, "loud");
  const std::string content = *ReadFile(path);
  EXPECT_THAT(content, HasSubstr("warning test job=9: loud\n"));
  EXPECT_EQ(content.find("quiet"), std::string::npos);
  ASSERT_OK(InitLogging({}));
}

TEST(LogTest, FileThatCannotBeOpenedIsNamed) {
  EXPECT_THAT(InitLogging({.file = "/dev/null/x.log", .component = ""}),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("/dev/null/x.log")));
}

}  // namespace
}  // namespace frontier
