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

cli::JobFile ReadExample(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return cli::ParseJobFile(text.str(), {});
}

// Job 1 with a trial 1 whose weights are kept, of the same data.
void RunParent(testing::Harness* h) {
  cli::JobFile file =
      ReadExample(std::filesystem::path(FRONTIER_EXAMPLES_DIR) / "fashion-mnist.yaml");
  file.spec.mutable_dataset()->set_name("fashion");  // which the harness's workers have
  ASSERT_EQ(h->Submit(file.spec), 1);
  h->Register("w1");
  const auto lease = h->Lease("w1");
  ASSERT_TRUE(lease.has_value());
  const std::string digest(64, 'a');
  ASSERT_OK(h->Upload("w1", *lease, digest));
  v1::TrialResult result = testing::MakeResult(0.9, 1);
  result.set_weights_sha256(digest);
  ASSERT_OK(h->Report("w1", *lease, result));
}

TEST(Examples, AreAccepted) {
  int examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FRONTIER_EXAMPLES_DIR)) {
    if (entry.path().extension() != ".yaml") continue;
    ++examples;
    const cli::JobFile file = ReadExample(entry.path());
    ASSERT_TRUE(file.problems.empty())
        << entry.path() << cli::FormatProblem("", file.problems.front());
    testing::Harness h;
    if (file.spec.search_space().compress().parent().job() != 0) RunParent(&h);
    const auto response = h.TrySubmit(file.spec);
    EXPECT_OK(response) << entry.path();
    h.Register("w1");
  }
  EXPECT_GE(examples, 3);
}

}  // namespace
}  // namespace frontier::coordinator
