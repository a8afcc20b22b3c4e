// Searches that go on whatever is killed.
#include <string>

#include "tests/e2e/search/jobs.h"
#include "tests/support/mini_cluster.h"
#include "tests/support/temp_folder.h"

namespace frontier::testing {
namespace {

class FaultsTest : public ::testing::Test {
 protected:
  FaultsTest() : folder_(temp_.File("cluster")), cluster_(ShortLeases(folder_)) {}

  void SetUp() override { ASSERT_OK(WriteBarsDataset(folder_ + "_data", 1200, 200, 1)); }
  void TearDown() override {
    if (HasFailure()) std::cerr << cluster_.Logs();
  }

  // The coordinator knows the data set once a worker has registered.
  int64_t Submit(const v1::JobSpec& spec) {
    cluster_.AwaitWorker();
    v1::SubmitJobRequest request;
    *request.mutable_spec() = spec;
    const absl::StatusOr<v1::SubmitJobResponse> response = cluster_.client().SubmitJob(request);
    EXPECT_OK(response);
    return response.ok() ? response->job().id() : 0;
  }

  // Watches until `condition` holds of an event.
  template <typename Condition>
  void AwaitEvent(int64_t job_id, Condition condition) {
    v1::WatchJobRequest request;
    request.set_job_id(job_id);
    request.set_after_event(1);
    bool seen = false;
    ASSERT_OK(cluster_.client().WatchJob(request, [&](const v1::WatchJobResponse& response) {
      for (const v1::Event& event : response.events()) seen = seen || condition(event);
      return !seen;
    }));
    ASSERT_TRUE(seen) << "the job ended first";
  }

  const TempFolder temp_;
  const std::string folder_;
  MiniCluster cluster_;
};

TEST_F(FaultsTest, KilledWorkerAndTwiceKilledCoordinatorLoseAndDoubleNothing) {
  constexpr int kTrials = 10;
  ASSERT_OK(cluster_.StartCoordinator());
  ASSERT_OK(cluster_.StartWorker("steady"));
  ASSERT_OK(cluster_.StartWorker("doomed"));
  const int64_t job = Submit(BarsJob(kTrials, /*epochs=*/40));
  ASSERT_NE(job, 0);

  int64_t orphan = 0;
  AwaitEvent(job, [&](const v1::Event& event) {
    if (event.kind() != v1::EVENT_KIND_ATTEMPT_STARTED || event.worker_id() != "doomed") {
      return false;
    }
    orphan = event.trial();
    return true;
  });
  cluster_.KillWorker("doomed");  // in mid-trial

  for (const int finished : {2, 5}) {
    AwaitEvent(job, [&, count = 0](const v1::Event& event) mutable {
      count += event.kind() == v1::EVENT_KIND_TRIAL_SUCCEEDED;
      return count >= finished;
    });
    cluster_.KillCoordinator();
    ASSERT_OK(cluster_.StartCoordinator());
  }
  AwaitEnd(cluster_.client(), job);
  ExpectWholeJob(cluster_.client(), job, kTrials);

  v1::GetTrialRequest request;
  request.set_job_id(job);
  request.set_trial(orphan);
  ASSERT_OK_AND_ASSIGN(const v1::GetTrialResponse response, cluster_.client().GetTrial(request));
  ASSERT_EQ(response.trial().attempts_size(), 2) << response.ShortDebugString();
  EXPECT_EQ(response.trial().attempts(0).state(), v1::ATTEMPT_STATE_LOST);
  EXPECT_EQ(response.trial().attempts(0).worker_id(), "doomed");
  EXPECT_EQ(response.trial().attempts(1).state(), v1::ATTEMPT_STATE_SUCCEEDED);
  EXPECT_EQ(response.trial().attempts(1).worker_id(), "steady");
  EXPECT_EQ(response.trial().state(), v1::TRIAL_STATE_SUCCEEDED);
}

TEST_F(FaultsTest, TerminatedWorkerGivesItsLeaseBack) {
  ASSERT_OK(cluster_.StartCoordinator());
  ASSERT_OK(cluster_.StartWorker("leaver"));
  const int64_t job = Submit(BarsJob(2, /*epochs=*/60));
  ASSERT_NE(job, 0);
  AwaitEvent(job,
             [](const v1::Event& event) { return event.kind() == v1::EVENT_KIND_ATTEMPT_STARTED; });
  EXPECT_EQ(cluster_.StopWorker("leaver"), 0);
  v1::GetTrialRequest request;
  request.set_job_id(job);
  request.set_trial(1);
  ASSERT_OK_AND_ASSIGN(const v1::GetTrialResponse left, cluster_.client().GetTrial(request));
  EXPECT_EQ(left.trial().state(), v1::TRIAL_STATE_QUEUED);
  ASSERT_EQ(left.trial().attempts_size(), 1);
  EXPECT_EQ(left.trial().attempts(0).state(), v1::ATTEMPT_STATE_RETURNED);

  ASSERT_OK(cluster_.StartWorker("heir"));
  AwaitEnd(cluster_.client(), job);
  ExpectWholeJob(cluster_.client(), job, 2);
  EXPECT_EQ(cluster_.StopCoordinator(), 0);
}

TEST_F(FaultsTest, CancelStopsWhatRuns) {
  ASSERT_OK(cluster_.StartCoordinator());
  ASSERT_OK(cluster_.StartWorker("busy"));
  const int64_t job = Submit(BarsJob(50, /*epochs=*/1000));
  ASSERT_NE(job, 0);
  AwaitEvent(job,
             [](const v1::Event& event) { return event.kind() == v1::EVENT_KIND_ATTEMPT_STARTED; });
  v1::CancelJobRequest cancel;
  cancel.set_job_id(job);
  ASSERT_OK(cluster_.client().CancelJob(cancel));
  AwaitEnd(cluster_.client(), job);

  // The worker drops the long trial and is free for other work.
  const int64_t next = Submit(BarsJob(1, /*epochs=*/1));
  AwaitEnd(cluster_.client(), next);
  ExpectWholeJob(cluster_.client(), next, 1);
}

}  // namespace
}  // namespace frontier::testing
