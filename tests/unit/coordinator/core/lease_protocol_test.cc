// Holds the tables of coordinator/README.md to the code.
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/base/enum_names.h"
#include "common/base/failure_causes.h"
#include "common/base/file.h"
#include "coordinator/core/trial_machine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::testing::UnorderedElementsAreArray;

// As in the tables: "worker lost".
template <typename Enum>
std::string Words(Enum value) {
  return absl::StrReplaceAll(EnumName(value), {{"_", " "}});
}

// The rows of the first table after `heading`.
std::vector<std::vector<std::string>> Table(const std::string& readme, const std::string& heading) {
  const size_t at = readme.find(heading);
  EXPECT_NE(at, std::string::npos) << heading;
  std::vector<std::vector<std::string>> rows;
  int lines = 0;
  for (const absl::string_view line :
       absl::StrSplit(readme.substr(at == std::string::npos ? readme.size() : at), '\n')) {
    if (absl::StartsWith(line, "| ")) {
      if (++lines <= 2) continue;  // its head
      std::vector<std::string> cells;
      for (const absl::string_view cell : absl::StrSplit(line, '|')) {
        cells.emplace_back(absl::StripAsciiWhitespace(cell));
      }
      rows.emplace_back(cells.begin() + 1, cells.end() - 1);
    } else if (lines > 0) {
      break;
    }
  }
  return rows;
}

using Step = std::tuple<std::string, std::string, std::string>;

template <typename State, typename Event>
std::vector<Step> OfTheCode(int states, int events) {
  std::vector<Step> steps;
  for (int state = 1; state <= states; ++state) {
    for (int event = 0; event < events; ++event) {
      const auto from = static_cast<State>(state);
      const auto next = NextState(from, static_cast<Event>(event));
      if (!next.ok()) continue;
      steps.emplace_back(Words(from), EventName(static_cast<Event>(event)), Words(*next));
    }
  }
  return steps;
}

std::vector<Step> OfTheTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<Step> steps;
  for (const std::vector<std::string>& row : rows) {
    EXPECT_EQ(row.size(), 4u);
    if (row.size() != 4) continue;
    EXPECT_FALSE(row[3].empty()) << "who causes it: " << row[0] << ", " << row[1];
    steps.emplace_back(row[0], row[1], row[2]);
  }
  return steps;
}

class LeaseProtocolTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto readme = ReadFile(FRONTIER_COORDINATOR_README);
    ASSERT_OK(readme);
    readme_ = *std::move(readme);
  }
  std::string readme_;
};

TEST_F(LeaseProtocolTest, Trials) {
  EXPECT_THAT(OfTheTable(Table(readme_, "Trials:")),
              UnorderedElementsAreArray(OfTheCode<v1::TrialState, TrialEvent>(
                  v1::TrialState_MAX, static_cast<int>(TrialEvent::kGoesOn) + 1)));
}

TEST_F(LeaseProtocolTest, Attempts) {
  EXPECT_THAT(OfTheTable(Table(readme_, "Attempts:")),
              UnorderedElementsAreArray(OfTheCode<v1::AttemptState, AttemptEvent>(
                  v1::AttemptState_MAX, static_cast<int>(AttemptEvent::kCancelled) + 1)));
}

TEST_F(LeaseProtocolTest, Jobs) {
  EXPECT_THAT(OfTheTable(Table(readme_, "Jobs:")),
              UnorderedElementsAreArray(OfTheCode<v1::JobState, JobEvent>(
                  v1::JobState_MAX, static_cast<int>(JobEvent::kFailed) + 1)));
}

TEST_F(LeaseProtocolTest, Causes) {
  std::map<std::string, std::string> code;
  for (int cause = 1; cause <= v1::FailureCause_MAX; ++cause) {
    const auto value = static_cast<v1::FailureCause>(cause);
    code[Words(value)] = IsRetried(value) ? "yes" : "no";
  }
  std::map<std::string, std::string> table;
  for (const std::vector<std::string>& row : Table(readme_, "Causes of failures")) {
    ASSERT_EQ(row.size(), 2u);
    table[row[0]] = row[1];
  }
  EXPECT_EQ(table, code);
}

}  // namespace
}  // namespace frontier::coordinator
