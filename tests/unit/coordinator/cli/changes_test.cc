// Commands that change jobs that were submitted, and workers.
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "tests/unit/coordinator/cli/app_fixture.h"
#include "tests/unit/coordinator/cli/samples.h"

namespace frontier::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(AppTest, ExtendAddsAtTheEndOfAList) {
  const Outcome outcome = Run({"extend", "1", "staged.stages[0].kernels", "7", "9"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("job 1 has version 1 of its space: 2304 genotypes, were"));
  ASSERT_EQ(coordinator_.extended.size(), 1u);
  const v1::ExtendSpaceRequest& request = coordinator_.extended[0];
  EXPECT_EQ(request.from_version(), 0);
  v1::SearchSpace expected = SampleJob().spec().search_space();
  expected.mutable_staged()->mutable_stages(0)->add_kernels(7);
  expected.mutable_staged()->mutable_stages(0)->add_kernels(9);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(request.search_space(), expected))
      << request.search_space().DebugString();

  const auto refused = [this](const std::string& list, const std::string& value) {
    const Outcome bad = Run({"extend", "1", list, value});
    EXPECT_EQ(bad.code, 3);
    EXPECT_THAT(bad.err, HasSubstr("nothing was added"));
    return bad.err;
  };
  EXPECT_THAT(refused("staged.stages[0].kernel", "7"), HasSubstr("did you mean kernels?"));
  EXPECT_THAT(refused("staged.stages[7].kernels", "7"), HasSubstr("there is no element 7"));
  EXPECT_THAT(refused("staged.stages[0].kernels", "8"), HasSubstr("8 is even"));
  EXPECT_THAT(refused("staged", "8"), HasSubstr("is no list"));
  EXPECT_THAT(refused("staged.stages[0].blocks", "convolutin"), HasSubstr("did you mean"));
  EXPECT_EQ(coordinator_.extended.size(), 1u);
  EXPECT_EQ(Run({"extend", "9", "staged.stem_widths", "64"}).code, 4);
}

TEST_F(AppTest, UpdateSendsWhatIsGivenAndTheWholeBudget) {
  Outcome outcome = Run({"update", "1", "--wall_time", "2h", "--priority", "-5"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out,
            "job 1 is running; its budget is 14 trials, 2h 00m of time; its priority is -5\n");
  ASSERT_EQ(coordinator_.updated.size(), 1u);
  const v1::UpdateJobRequest& request = coordinator_.updated[0];
  EXPECT_EQ(request.budget().wall_seconds(), 7200);
  EXPECT_EQ(request.budget().trials(), SampleJob().spec().budget().trials());
  EXPECT_EQ(request.from_budget().SerializeAsString(),
            SampleJob().spec().budget().SerializeAsString());
  EXPECT_EQ(request.priority(), -5);
  EXPECT_FALSE(request.has_share());
  EXPECT_FALSE(request.has_max_parallel_trials());

  outcome = Run({"update", "1", "--share", "0.5", "--max_parallel", "0"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out,
            "job 1 is running; its share is 0.5; any number of its trials run at a time\n");
  EXPECT_FALSE(coordinator_.updated[1].has_budget());
  EXPECT_EQ(coordinator_.updated[1].share(), 0.5);
  EXPECT_TRUE(coordinator_.updated[1].has_max_parallel_trials());

  const std::pair<std::vector<std::string>, std::string> wrong[] = {
      {{"--trials", "many"}, "is not a whole number"},
      {{"--trials", "0"}, "must be at least 1"},
      {{"--wall_time", "soon"}, "is not a duration"},
      {{"--share", "-1"}, "must be positive"},
      {{"--priority", "101"}, "must lie in [-100, 100]"}};
  for (const auto& [flags, text] : wrong) {
    std::vector<std::string> line = {"update", "1"};
    line.insert(line.end(), flags.begin(), flags.end());
    outcome = Run(line);
    EXPECT_EQ(outcome.code, 3) << flags[0];
    EXPECT_THAT(outcome.err, AllOf(HasSubstr(text), HasSubstr("nothing was changed")));
  }
  EXPECT_EQ(coordinator_.updated.size(), 2u);
  EXPECT_EQ(Run({"update", "9", "--trials", "5"}).code, 4);
  coordinator_.error = absl::AbortedError("job 1 has a budget of 7 trials by now");
  outcome = Run({"update", "1", "--trials", "5"});
  EXPECT_EQ(outcome.code, 6);
  EXPECT_THAT(outcome.err, HasSubstr("7 trials by now"));
}

TEST_F(AppTest, UpdateTakesEachPartOfABudget) {
  EXPECT_EQ(Run({"update", "1", "--trials", "20", "--cpu_time", "3h", "--energy", "0.5"}).code, 0);
  ASSERT_EQ(coordinator_.updated.size(), 1u);
  const v1::Budget& budget = coordinator_.updated[0].budget();
  EXPECT_EQ(budget.trials(), 20);
  EXPECT_EQ(budget.cpu_seconds(), 3 * 3600);
  EXPECT_EQ(budget.energy_kwh(), 0.5);
  EXPECT_EQ(budget.wall_seconds(), SampleJob().spec().budget().wall_seconds());
}

TEST_F(AppTest, CancelPauseAndResumeSayWhatTheJobIsNow) {
  coordinator_.jobs.push_back(SampleJob());
  coordinator_.jobs.back().set_id(7);
  EXPECT_EQ(Run({"pause", "7"}).out, "job 7 is paused\n");
  EXPECT_EQ(Run({"resume", "7"}).out, "job 7 is running\n");
  EXPECT_EQ(Run({"cancel", "7"}).out, "job 7 is cancelled\n");
  EXPECT_EQ(Run({"pause", "8"}).code, 4);
}

TEST_F(AppTest, DeleteDrainAndAdmitSayWhatTheyDid) {
  EXPECT_EQ(Run({"delete", "1"}).out, "job 1 is deleted\n");
  EXPECT_EQ(Run({"delete", "1", "9"}).code, 4);
  const Outcome json = Run({"delete", "1", "9", "--json"});
  EXPECT_EQ(json.code, 4);
  EXPECT_EQ(json.out, "{\"deleted\":true,\"job_id\":\"1\"}\n");
  EXPECT_THAT(json.err, HasSubstr("job 9: not found"));
  EXPECT_THAT(coordinator_.deleted, ::testing::ElementsAre(1, 1, 1));
  EXPECT_THAT(Run({"drain", "worker-1"}).out, HasSubstr("worker worker-1 gets no more trials; "));
  EXPECT_THAT(Run({"admit", "worker-1"}).out, HasSubstr("worker worker-1 gets trials; "));
  EXPECT_EQ(Run({"drain", "nobody"}).code, 4);
}

}  // namespace
}  // namespace frontier::cli
