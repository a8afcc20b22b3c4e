#include "common/flags/config_file.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/flags/validators.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

struct Settings {
  std::string data_dir, log_file, folder;
  double seconds = 5;
  std::optional<double> days;
  std::vector<std::string> labels;
  std::string effective;
  std::string error;  // what is wrong; empty = nothing
};

class ConfigFileTest : public ::testing::Test {
 protected:
  static Settings Parse(std::vector<std::string> arguments) {
    Settings s;
    CLI::App app("A daemon.", "daemon");
    AddConfigFile(&app, "Read flags from this file");
    app.add_option("--data_dir", s.data_dir, "A folder")->required();
    app.add_option("--seconds", s.seconds, "A number")
        ->capture_default_str()
        ->check(NumberIn(0, 9));
    app.add_option("--days", s.days, "Not given = for ever")->check(NumberIn(0, 9));
    app.add_option("--log_file", s.log_file, "A file");
    app.add_option("--label", s.labels, "May be repeated");
    app.add_subcommand("backup", "A command")
        ->add_option("folder", s.folder, "Where to")
        ->configurable(false);
    std::reverse(arguments.begin(), arguments.end());
    try {
      app.parse(arguments);
      s.effective = EffectiveConfig(app);
    } catch (const CLI::ParseError& error) {
      s.error = error.what();
    }
    return s;
  }

  Settings ParseFile(const std::string& text, std::vector<std::string> arguments = {}) const {
    EXPECT_OK(WriteFileAtomically(file_, text));
    arguments.insert(arguments.end(), {"--config", file_});
    return Parse(std::move(arguments));
  }

  testing::TempFolder folder_;
  const std::string file_ = folder_.File("daemon.conf");
};

TEST_F(ConfigFileTest, FlagsGoBeforeTheFile) {
  const std::string text =
      "# a comment\n\n  data_dir = \"a b\"  # another\nseconds=2\nlabel = [\"x\", \"y\"]\n";
  const Settings file = ParseFile(text);
  EXPECT_THAT(file.error, IsEmpty());
  EXPECT_EQ(file.data_dir, "a b");
  EXPECT_EQ(file.seconds, 2);
  EXPECT_THAT(file.labels, ElementsAre("x", "y"));
  const Settings both = ParseFile(text, {"--seconds", "3"});
  EXPECT_EQ(both.seconds, 3);
  EXPECT_EQ(both.data_dir, "a b");
}

TEST_F(ConfigFileTest, MistakesAreToldWithFileAndLine) {
  const std::pair<std::string, std::string> cases[] = {
      {"data_dir = d\nfoo = 3\n", ":2: unknown setting 'foo'"},
      {"data_dir = d\n\n# foo = 1\n\"foo\" = 3\n", ":4: unknown setting 'foo'"},
      {"garbage here\n", ":1: unknown setting 'garbage here'"},
      {"config = other.conf\n", ":1: unknown setting 'config'"},
      {"data_dir = d\n[backup]\nfolder = f\n", ":2: unknown setting 'backup'"},
      {"backup.folder = f\n", ":1: unknown setting 'backup.folder'"},
      {"data_dir = d\nseconds = ten\n", ":2: --seconds: 'ten' is not a number from 0 to 9"},
      {"data_dir = d\nseconds = nan\n", ":2: --seconds: 'nan' is not a number from 0 to 9"},
      {"seconds = 1\ndata_dir = d\nseconds = 2\n", ":1: setting 'seconds' is given again"}};
  for (const auto& [text, words] : cases) {
    EXPECT_THAT(ParseFile(text).error, StartsWith(absl::StrCat("daemon: ", file_, words))) << text;
  }
  EXPECT_THAT(ParseFile("seconds = 1\n").error, HasSubstr("--data_dir is required"));
  EXPECT_THAT(Parse({"--config", "/no/such/file"}).error, HasSubstr("/no/such/file"));
}

TEST_F(ConfigFileTest, WhatIsPrintedIsReadBack) {
  const std::vector<std::vector<std::string>> lines = {
      {"--data_dir", "d"},
      {"--data_dir", "a b", "--seconds", "0.1", "--days", "2.5", "--log_file", "l", "--label", "x"},
      {"--data_dir", "d", "--log_file", "", "--label", "x", "y", "--seconds", "1e-3"}};
  for (const std::vector<std::string>& line : lines) {
    const Settings given = Parse(line);
    ASSERT_THAT(given.error, IsEmpty());
    const Settings read = ParseFile(given.effective);
    EXPECT_THAT(read.error, IsEmpty()) << given.effective;
    EXPECT_EQ(read.effective, given.effective);
    EXPECT_EQ(read.data_dir, given.data_dir);
    EXPECT_EQ(read.seconds, given.seconds);
    EXPECT_EQ(read.days, given.days);
    EXPECT_EQ(read.log_file, given.log_file);
    EXPECT_EQ(read.labels, given.labels);
  }
  // What has no value is not there; defaults are.
  EXPECT_EQ(Parse({"--data_dir", "dd"}).effective, "data_dir=\"dd\"\nseconds=5\n");
}

}  // namespace
}  // namespace frontier
