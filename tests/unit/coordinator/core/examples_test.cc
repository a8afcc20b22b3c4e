// The example files are jobs the coordinator accepts, one at least of each kind of space.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>

#include "common/architecture/graph.h"
#include "common/base/random.h"
#include "coordinator/cli/job_file/job_file.h"
#include "coordinator/space/space.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/record.pb.h"
#include "frontier/v1/search_space.pb.h"
#include "frontier/v1/worker_service.pb.h"
#include "gtest/gtest.h"
#include "tests/support/space_laws.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

cli::JobFile ReadExample(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return cli::ParseJobFile(text.str(), {});
}

// Job 1 with a trial 1 whose weights are kept, of the same data; nothing more is leased of it.
void RunParent(testing::Harness* h) {
  cli::JobFile file =
      ReadExample(std::filesystem::path(FRONTIER_EXAMPLES_DIR) / "fashion-mnist.yaml");
  file.spec.mutable_dataset()->set_name("fashion");  // which the harness's workers have
  ASSERT_EQ(h->Submit(file.spec), 1);
  const auto lease = h->Lease("w1");
  ASSERT_TRUE(lease.has_value());
  const std::string digest(64, 'a');
  ASSERT_OK(h->Upload("w1", *lease, digest));
  v1::TrialResult result = testing::MakeResult(0.9, 1);
  result.set_weights_sha256(digest);
  ASSERT_OK(h->Report("w1", *lease, result));
  ASSERT_OK(h->Cancel(1));
}

// From the file to the first network that a worker is given; then `samples` of the space.
void ExpectRuns(v1::JobSpec spec, int samples) {
  spec.mutable_dataset()->set_name("fashion");
  testing::Harness h;
  h.Register("w1");
  if (spec.search_space().compress().parent().job() != 0) RunParent(&h);
  ASSERT_OK_AND_ASSIGN(const v1::SubmitJobResponse submitted, h.TrySubmit(spec));
  const std::optional<v1::AttemptLease> lease = h.Lease("w1");
  ASSERT_TRUE(lease.has_value());
  EXPECT_OK(AnalyzeGraph(lease->task().architecture()));

  // As it is kept: with the parent and the probes that the coordinator put in.
  ASSERT_OK_AND_ASSIGN(const v1::JobRecord record, h.store().GetJob(submitted.job().id()));
  const v1::JobSpec& job = record.job().spec();
  ASSERT_OK_AND_ASSIGN(
      const std::unique_ptr<Space> space,
      CreateSpace(job.search_space(), job.dataset().input(), job.dataset().classes()));
  constexpr uint64_t kSeed = 1;
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  for (int i = 0; i < samples; ++i) {
    EXPECT_TRUE(testing::ExpectLowers(*space, space->Sample(&rng))) << "sample " << i;
  }
}

TEST(ExamplesTest, AreAcceptedAndSampled) {
  std::set<v1::SearchSpace::KindCase> kinds;
  for (const auto& entry : std::filesystem::directory_iterator(FRONTIER_EXAMPLES_DIR)) {
    if (entry.path().extension() != ".yaml") continue;
    SCOPED_TRACE(entry.path());
    const cli::JobFile file = ReadExample(entry.path());
    ASSERT_TRUE(file.problems.empty()) << cli::FormatProblem("", file.problems.front());
    ASSERT_NO_FATAL_FAILURE(ExpectRuns(file.spec, 50));
    kinds.insert(file.spec.search_space().kind_case());
  }
  const auto* kind = v1::SearchSpace::descriptor()->FindOneofByName("kind");
  for (int i = 0; i < kind->field_count(); ++i) {
    EXPECT_TRUE(kinds.contains(static_cast<v1::SearchSpace::KindCase>(kind->field(i)->number())))
        << "no example of " << kind->field(i)->name();
  }
}

}  // namespace
}  // namespace frontier::coordinator
