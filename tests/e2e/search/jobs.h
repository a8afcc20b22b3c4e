// Jobs and checks that the end-to-end tests of the search share.
#ifndef FRONTIER_TESTS_E2E_SEARCH_JOBS_H_
#define FRONTIER_TESTS_E2E_SEARCH_JOBS_H_

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "frontier/v1/job_service.pb.h"
#include "gtest/gtest.h"
#include "tests/support/mini_cluster.h"
#include "tests/support/status_matchers.h"

namespace frontier::testing {

constexpr absl::Duration kLease = absl::Seconds(3);

// A cluster on the bars data set whose leases are soon over.
inline MiniClusterOptions ShortLeases(const std::string& folder) {
  return {.folder = folder,
          .dataset_name = "bars",
          .dataset_folder = absl::StrCat(folder, "_data"),
          .coordinator_flags = {"--lease_seconds", absl::StrCat(absl::ToInt64Seconds(kLease)),
                                "--heartbeat_seconds", "1"},
          .worker_flags = {}};
}

// A small search on the bars data set: `trials` trials of `epochs` epochs.
inline v1::JobSpec BarsJob(int trials, int epochs) {
  v1::JobSpec spec;
  spec.set_name("bars");
  spec.mutable_dataset()->set_name("bars");
  v1::StagedSpace& space = *spec.mutable_search_space()->mutable_staged();
  space.add_stem_widths(4);
  space.add_stem_widths(8);
  for (const int stride : {1, 2}) {
    v1::StageChoices& stage = *space.add_stages();
    for (const v1::Block block : {v1::BLOCK_CONVOLUTION, v1::BLOCK_DEPTHWISE_SEPARABLE,
                                  v1::BLOCK_INVERTED_BOTTLENECK, v1::BLOCK_RESIDUAL, v1::BLOCK_FIRE,
                                  v1::BLOCK_MAX_POOL, v1::BLOCK_AVERAGE_POOL, v1::BLOCK_SKIP}) {
      stage.add_blocks(block);
    }
    stage.add_kernels(3);
    stage.add_widths(8);
    stage.add_widths(12);
    stage.add_depths(1);
    stage.add_depths(2);
    stage.add_strides(stride);
    stage.add_connections(0);
  }
  spec.mutable_strategy()->set_seed(5);
  spec.mutable_strategy()->mutable_evolution()->set_population_size(6);
  spec.mutable_strategy()->mutable_evolution()->set_sample_size(3);
  v1::TrainingRecipe& training = *spec.mutable_training();
  training.set_epochs(epochs);
  training.set_batch_size(32);
  training.set_learning_rate(0.1);
  training.set_momentum(0.9);
  training.set_weight_decay(1e-4);
  v1::Objective& accuracy = *spec.add_objectives();
  accuracy.set_metric(v1::METRIC_ACCURACY);
  accuracy.set_direction(v1::DIRECTION_MAXIMIZE);
  v1::Objective& latency = *spec.add_objectives();
  latency.set_metric(v1::METRIC_LATENCY_MS);
  latency.set_direction(v1::DIRECTION_MINIMIZE);
  spec.mutable_budget()->set_trials(trials);
  return spec;
}

// All trials of a job, page by page.
inline std::vector<v1::Trial> AllTrials(JobClient& client, int64_t job_id) {
  std::vector<v1::Trial> trials;
  v1::ListTrialsRequest request;
  request.set_job_id(job_id);
  request.set_page_size(7);
  do {
    const absl::StatusOr<v1::ListTrialsResponse> response = client.ListTrials(request);
    EXPECT_OK(response);
    if (!response.ok()) return trials;
    trials.insert(trials.end(), response->trials().begin(), response->trials().end());
    request.set_page_token(response->next_page_token());
  } while (!request.page_token().empty());
  return trials;
}

// The job has ended with exactly `count` trials, each counted once and none left over.
inline void ExpectWholeJob(JobClient& client, int64_t job_id, int count) {
  v1::GetJobRequest request;
  request.set_job_id(job_id);
  ASSERT_OK_AND_ASSIGN(const v1::GetJobResponse response, client.GetJob(request));
  const v1::Job& job = response.job();
  EXPECT_EQ(job.state(), v1::JOB_STATE_COMPLETED) << job.ShortDebugString();
  EXPECT_EQ(job.trials_created(), count);
  EXPECT_EQ(job.trials_succeeded() + job.trials_failed(), count);
  EXPECT_EQ(job.trials_running(), 0);
  EXPECT_EQ(job.trials_queued(), 0);
  const std::vector<v1::Trial> trials = AllTrials(client, job_id);
  ASSERT_EQ(trials.size(), static_cast<size_t>(count));
  std::set<std::string> hashes;
  int succeeded = 0;
  for (int i = 0; i < count; ++i) {
    EXPECT_EQ(trials[i].number(), i + 1);
    EXPECT_TRUE(hashes.insert(trials[i].canonical_hash()).second)
        << "trial " << trials[i].number() << " repeats an architecture";
    int accepted = 0;
    for (const v1::Attempt& attempt : trials[i].attempts()) {
      EXPECT_NE(attempt.state(), v1::ATTEMPT_STATE_RUNNING) << trials[i].ShortDebugString();
      accepted += attempt.state() == v1::ATTEMPT_STATE_SUCCEEDED;
    }
    const bool success = trials[i].state() == v1::TRIAL_STATE_SUCCEEDED;
    EXPECT_EQ(accepted, success ? 1 : 0) << trials[i].ShortDebugString();
    succeeded += success;
  }
  EXPECT_EQ(job.trials_succeeded(), succeeded);
}

// Waits for the end of a job.
inline void AwaitEnd(JobClient& client, int64_t job_id) {
  v1::WatchJobRequest request;
  request.set_job_id(job_id);
  ASSERT_OK(client.WatchJob(request, [](const v1::WatchJobResponse&) { return true; }));
}

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_E2E_SEARCH_JOBS_H_
