// What --json prints: read back, and the same each time.
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "tests/unit/coordinator/cli/app_fixture.h"
#include "tests/unit/coordinator/cli/samples.h"

namespace frontier::cli {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::testing::HasSubstr;

using JsonTest = AppTest;

TEST_F(JsonTest, AJobThatWasPrintedCanBeSubmitted) {
  int examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FRONTIER_EXAMPLES_DIR)) {
    SCOPED_TRACE(entry.path().string());
    ASSERT_EQ(Run({"submit", entry.path().string()}).code, 0);
    const v1::JobSpec spec = coordinator_.submitted.back().spec();
    // As it would be submitted, and as it was.
    coordinator_.jobs[0].mutable_spec()->CopyFrom(spec);
    for (const std::vector<std::string>& line :
         {std::vector<std::string>{"submit", entry.path().string(), "--print_job", "--json"},
          std::vector<std::string>{"show", "1", "--json"}}) {
      input_ = Run(line).out;
      const Outcome again = Run({"submit", "-", "--name", "again"});
      ASSERT_EQ(again.code, 0) << again.err << input_;
      v1::JobSpec expected = spec;
      expected.set_name("again");
      EXPECT_TRUE(MessageDifferencer::Equals(coordinator_.submitted.back().spec(), expected))
          << coordinator_.submitted.back().spec().DebugString();
    }
    ++examples;
  }
  EXPECT_GE(examples, 1);
}

TEST_F(JsonTest, WhatTheCoordinatorRefusesIsShownInIt) {
  input_ = Run({"show", "1", "--json"}).out;
  coordinator_.error = InvalidField("spec.training.epochs", "2 is refused");
  const Outcome outcome = Run({"submit", "-"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, ::testing::ContainsRegex(
                               "standard input:[0-9]+:[0-9]+: training.epochs: 2 is refused"));
}

TEST_F(JsonTest, KeysAreSorted) {
  const std::vector<std::string> line = {"arch", "diff", "resnet20", "vgg-like", "--json"};
  const std::string text = Run(line).out;
  size_t last = 0;
  for (const char* key :
       {"\n \"a\":", "\n \"b\":", "\n \"changed\":", "\n \"equal\":", "\n \"only_a\":",
        "\n \"only_b\":", "\n \"renamed\":", "\n \"reshaped\":"}) {
    const size_t place = text.find(key);
    ASSERT_NE(place, std::string::npos) << key;
    EXPECT_GE(place, last) << key;
    last = place;
  }
  EXPECT_LT(text.find("\"activation_bytes\""), text.find("\"depth\""));
  EXPECT_LT(text.find("\"depth\""), text.find("\"hash\""));
  EXPECT_EQ(Run(line).out, text);
}

TEST_F(JsonTest, VersionHasBothSides) {
  coordinator_.info.set_version("0.2.0");
  coordinator_.info.set_protocol_version(2);
  coordinator_.info.set_started_unix_us(kSampleTimeUs);
  const std::string text = Run({"version", "--json"}).out;
  for (const char* words :
       {"\"client\": {", "\"coordinator\": {", "\"address\": \"127.0.0.1:7070\"",
        "\"version\": \"0.2.0\"", "\"started_unix_us\": \"17"}) {
    EXPECT_THAT(text, HasSubstr(words));
  }
}

}  // namespace
}  // namespace frontier::cli
