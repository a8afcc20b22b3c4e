// Trials that pause, go on elsewhere and are scored untrained, with real processes.
#include <cstdlib>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/random.h"
#include "gmock/gmock.h"
#include "tests/e2e/search/jobs.h"
#include "tests/support/mini_cluster.h"
#include "tests/support/temp_folder.h"

namespace frontier::testing {
namespace {

using ::testing::HasSubstr;

TEST(StoppingTest, TheBestGoOnThroughTheDeathOfTheCoordinator) {
  const TempFolder temp;
  const std::string folder = temp.File("cluster");
  MiniCluster cluster({.folder = folder,
                       .dataset_name = "bars",
                       .dataset_folder = folder + "_data",
                       .coordinator_flags = {},
                       .worker_flags = {}});
  ASSERT_OK(WriteBarsDataset(folder + "_data", 1200, 400, 1));
  ASSERT_OK(cluster.StartCoordinator());
  ASSERT_OK(cluster.StartWorker("one"));
  ASSERT_OK(cluster.StartWorker("two"));
  cluster.AwaitWorker(2);
  v1::JobSpec spec = BarsJob(/*trials=*/12, /*epochs=*/8);
  spec.mutable_early_stopping()->mutable_asha()->set_reduction(2);
  spec.mutable_screening()->set_proxy(v1::PROXY_NASWOT);
  spec.mutable_screening()->set_pool(2);
  v1::SubmitJobRequest submit;
  *submit.mutable_spec() = spec;
  ASSERT_OK(cluster.client().SubmitJob(submit));
  // Once the first trial waits at a rung.
  v1::WatchJobRequest watch;
  watch.set_job_id(1);
  bool killed = false;
  ASSERT_OK(cluster.client().WatchJob(watch, [&](const v1::WatchJobResponse& response) {
    if (killed || response.job().trials_stopped() < 2) return true;
    killed = true;
    return false;
  }));
  cluster.KillCoordinator();
  ASSERT_OK(cluster.StartCoordinator());
  AwaitEnd(cluster.client(), 1);

  v1::GetJobRequest get;
  get.set_job_id(1);
  ASSERT_OK_AND_ASSIGN(const v1::GetJobResponse response, cluster.client().GetJob(get));
  const v1::Job& job = response.job();
  EXPECT_EQ(job.state(), v1::JOB_STATE_COMPLETED) << job.DebugString() << cluster.Logs();
  EXPECT_EQ(job.trials_created(), 12);
  EXPECT_EQ(job.trials_succeeded() + job.trials_stopped() + job.trials_failed(), 12);
  EXPECT_GE(job.trials_succeeded(), 1);
  EXPECT_GE(job.trials_stopped(), 8);
  EXPECT_EQ(job.screening().scored(), 12);
  int whole = 0;
  for (const v1::Trial& trial : AllTrials(cluster.client(), 1)) {
    if (trial.state() != v1::TRIAL_STATE_SUCCEEDED) continue;
    ++whole;
    ASSERT_EQ(trial.rungs_size(), 4);  // scored, then after 1, 2 and 4 epochs
    EXPECT_EQ(trial.rungs(3).epochs(), 4);
    // What all its legs took.
    EXPECT_GT(trial.attempts_size(), 4);
  }
  EXPECT_EQ(whole, job.trials_succeeded());
  ASSERT_OK_AND_ASSIGN(const CommandResult replay, cluster.Frontier({"replay", "1"}));
  EXPECT_EQ(replay.exit_code, 0) << replay.output << replay.errors;
  ASSERT_OK_AND_ASSIGN(const CommandResult status, cluster.Frontier({"status", "1"}));
  EXPECT_THAT(status.output, HasSubstr("stopped early"));
  EXPECT_THAT(status.output, HasSubstr("naswot, 1 in 2 is trained; 12 scored"));
}

// All cells of three operations, with figures made up.
void WriteTable(const std::string& path) {
  const std::string operations[] = {"none", "skip_connect", "nor_conv_3x3"};
  Rng rng(3);
  std::string table = "architecture,accuracy@3,accuracy,latency_ms,proxy,seconds\n";
  for (int cell = 0; cell < 729; ++cell) {
    std::string edges[6];
    int convolutions = 0;
    for (int edge = 0, rest = cell; edge < 6; ++edge, rest /= 3) {
      edges[edge] = operations[rest % 3];
      convolutions += rest % 3 == 2;
    }
    const double accuracy = 0.5 + 0.06 * convolutions + 0.05 * rng.UniformDouble();
    absl::StrAppend(&table, "|", edges[0], "~0|+|", edges[1], "~0|", edges[2], "~1|+|", edges[3],
                    "~0|", edges[4], "~1|", edges[5], "~2|,", accuracy - 0.1, ",", accuracy, ",",
                    1 + 0.5 * convolutions, ",", convolutions, ",3600\n");
  }
  ASSERT_OK(WriteFileAtomically(path, table));
}

TEST(StoppingTest, ATableAnswersThroughTheSameProtocol) {
  const TempFolder temp;
  const std::string folder = temp.File("cluster");
  const std::string table = folder + ".csv";
  WriteTable(table);
  MiniCluster cluster({.folder = folder,
                       .dataset_name = "made-up",
                       .dataset_folder = "3x32x32/10",
                       .coordinator_flags = {},
                       .worker_flags = {absl::StrCat("--evaluator=table:", table)}});
  ASSERT_OK(cluster.StartCoordinator());
  ASSERT_OK(cluster.StartWorker("one"));
  constexpr char kJob[] = R"(
name: rehearsal
dataset: {name: made-up}
search_space: {nasbench201: {operations: [none, skip_connect, nor_conv_3x3]}}
strategy: {nsga2: {}, seed: 4}
training: {epochs: 9, batch_size: 256, learning_rate: 0.1}
early_stopping: {asha: {rungs: [3], reduction: 3}}
objectives: [{accuracy: maximize}, {latency_ms: minimize}]
budget: {trials: 60}
)";
  cluster.AwaitWorker(1);
  ASSERT_OK_AND_ASSIGN(const CommandResult submitted,
                       cluster.Frontier({"submit", "-", "--watch"}, kJob));
  ASSERT_EQ(submitted.exit_code, 0) << submitted.errors << cluster.Logs();
  v1::GetJobRequest get;
  get.set_job_id(1);
  ASSERT_OK_AND_ASSIGN(const v1::GetJobResponse response, cluster.client().GetJob(get));
  const v1::Job& job = response.job();
  EXPECT_EQ(job.state(), v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(job.trials_succeeded(), 20);
  EXPECT_EQ(job.trials_stopped(), 40);
  // A third of an hour for each, and the rest for those that went on.
  EXPECT_NEAR(job.usage().cpu_seconds(), 60 * 1200 + 20 * 2400, 1e-3);
  // Results of the first job are there in a second one.
  const std::string again = absl::StrCat(kJob, "warm_start: {job: 1}\n");
  ASSERT_OK_AND_ASSIGN(const CommandResult second,
                       cluster.Frontier({"submit", "-", "--watch", "--trials", "9"}, again));
  ASSERT_EQ(second.exit_code, 0) << second.errors;
  get.set_job_id(2);
  EXPECT_EQ(cluster.client().GetJob(get)->job().trials_reused(), 20);
  for (const char* id : {"1", "2"}) {
    ASSERT_OK_AND_ASSIGN(const CommandResult replay, cluster.Frontier({"replay", id}));
    EXPECT_EQ(replay.exit_code, 0) << replay.output << replay.errors;
  }
}

}  // namespace
}  // namespace frontier::testing
