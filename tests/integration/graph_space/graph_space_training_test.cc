// What a space written by its user emits, the engine trains and exports.
#include <cstdint>
#include <fstream>
#include <iostream>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include "common/base/random.h"
#include "coordinator/cli/job_file/job_file.h"
#include "coordinator/space/space.h"
#include "gtest/gtest.h"
#include "tests/support/one_training_step.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

TEST(GraphSpaceTraining, SamplesOfTheExampleTrainAndExport) {
  constexpr uint64_t kSeed = 3;
  std::cout << "seed " << kSeed << "\n";
  std::ostringstream text;
  text << std::ifstream(FRONTIER_EXAMPLES_DIR "/own-graph.yaml").rdbuf();
  const cli::JobFile file = cli::ParseJobFile(text.str(), {});
  ASSERT_TRUE(file.problems.empty());
  const v1::JobSpec& job = file.spec;
  ASSERT_OK_AND_ASSIGN(
      const std::unique_ptr<coordinator::Space> space,
      coordinator::CreateSpace(job.search_space(), job.dataset().input(), job.dataset().classes()));
  Rng rng(kSeed);
  std::set<std::string> seen;
  for (int i = 0; i < 20; ++i) {
    const v1::Genotype genotype = space->Sample(&rng);
    SCOPED_TRACE(space->Summarize(genotype));
    ASSERT_OK_AND_ASSIGN(const v1::Architecture network, space->Lower(genotype));
    if (seen.insert(network.SerializeAsString()).second) {
      testing::ExpectTrainsAndExports(network, 4);
    }
  }
  EXPECT_GT(seen.size(), 10u);
}

}  // namespace
}  // namespace frontier
