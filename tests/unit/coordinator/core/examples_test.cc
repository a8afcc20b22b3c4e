// The example files are jobs the coordinator accepts.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "coordinator/cli/job_file/job_file.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

TEST(Examples, AreAccepted) {
  int examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FRONTIER_EXAMPLES_DIR)) {
    if (entry.path().extension() != ".yaml") continue;
    ++examples;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const cli::JobFile file = cli::ParseJobFile(text.str(), {});
    ASSERT_TRUE(file.problems.empty())
        << entry.path() << cli::FormatProblem("", file.problems.front());
    testing::Harness h;
    const auto response = h.TrySubmit(file.spec);
    EXPECT_OK(response) << entry.path();
    h.Register("w1");
  }
  EXPECT_GE(examples, 3);
}

}  // namespace
}  // namespace frontier::coordinator
