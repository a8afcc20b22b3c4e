// The network between workers and coordinator is cut for longer than a lease, one worker at a time
// and all at once, while they search.
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/e2e/search/jobs.h"
#include "tests/support/cutting_proxy.h"
#include "tests/support/mini_cluster.h"
#include "tests/support/temp_folder.h"

namespace frontier::testing {
namespace {

constexpr int kWorkers = 3;
// More than can be run while the network is cut; then the job is told that a few more are enough.
constexpr int kMostTrials = 2000;
constexpr int kLastTrials = 6;

class NetworkCutTest : public ::testing::Test {
 protected:
  NetworkCutTest() : folder_(temp_.File("cluster")), cluster_(ShortLeases(folder_)) {}

  void SetUp() override {
    ASSERT_OK(WriteBarsDataset(folder_ + "_data", 600, 100, 1));
    ASSERT_OK(cluster_.StartCoordinator());
    for (int i = 0; i < kWorkers; ++i) {
      ASSERT_OK_AND_ASSIGN(std::unique_ptr<CuttingProxy> wire,
                           CuttingProxy::Start(cluster_.address()));
      wires_.push_back(std::move(wire));
      ASSERT_OK(cluster_.StartWorkerAt(Name(i), wires_.back()->address()));
    }
    cluster_.AwaitWorker(kWorkers);
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << cluster_.Logs();
  }

  static std::string Name(int worker) { return absl::StrCat("w", worker); }

  // Waits until one of the workers that were just cut off has lost an attempt, or, should none have
  // had one, until others have done more for longer than a lease.
  void AwaitLoss(int64_t job, const std::set<std::string>& workers, int64_t* cursor) {
    v1::WatchJobRequest request;
    request.set_job_id(job);
    request.set_after_event(*cursor);
    const absl::Time enough = absl::Now() + 2 * kLease;
    bool done = false;
    ASSERT_OK(cluster_.client().WatchJob(request, [&](const v1::WatchJobResponse& response) {
      for (const v1::Event& event : response.events()) {
        *cursor = event.sequence();
        const bool lost =
            event.kind() == v1::EVENT_KIND_ATTEMPT_ENDED && workers.count(event.worker_id()) > 0;
        losses_ += lost;
        done |= lost || absl::FromUnixMicros(event.at_unix_us()) > enough;
      }
      return !done;
    }));
    EXPECT_TRUE(done) << "the job ended first";
  }

  const TempFolder temp_;
  const std::string folder_;
  MiniCluster cluster_;
  std::vector<std::unique_ptr<CuttingProxy>> wires_;
  int losses_ = 0;
};

TEST_F(NetworkCutTest, NothingIsLostOrDoubledByCutsLongerThanALease) {
  v1::SubmitJobRequest submit;
  *submit.mutable_spec() = BarsJob(kMostTrials, /*epochs=*/1);
  submit.mutable_spec()->mutable_limits()->set_max_attempts(10);
  ASSERT_OK_AND_ASSIGN(const v1::SubmitJobResponse submitted, cluster_.client().SubmitJob(submit));
  const int64_t job = submitted.job().id();
  int64_t cursor = 1;
  for (int i = 0; i < kWorkers; ++i) {
    wires_[static_cast<size_t>(i)]->Cut();
    AwaitLoss(job, {Name(i)}, &cursor);
    wires_[static_cast<size_t>(i)]->Join();
  }
  // All at once.
  std::set<std::string> all;
  for (int i = 0; i < kWorkers; ++i) {
    wires_[static_cast<size_t>(i)]->Cut();
    all.insert(Name(i));
  }
  AwaitLoss(job, all, &cursor);
  for (const auto& wire : wires_) wire->Join();
  v1::GetJobRequest get;
  get.set_job_id(job);
  ASSERT_OK_AND_ASSIGN(const v1::GetJobResponse joined, cluster_.client().GetJob(get));
  v1::UpdateJobRequest update;
  update.set_job_id(job);
  update.mutable_budget()->set_trials(joined.job().trials_created() + kLastTrials);
  ASSERT_OK(cluster_.client().UpdateJob(update));
  AwaitEnd(cluster_.client(), job);
  ASSERT_OK_AND_ASSIGN(const v1::GetJobResponse end, cluster_.client().GetJob(get));
  const auto trials = static_cast<int>(end.job().trials_created());
  ExpectWholeJob(cluster_.client(), job, trials);
  EXPECT_EQ(end.job().trials_succeeded(), trials);
  EXPECT_GE(trials, update.budget().trials());
  EXPECT_GT(losses_, 1);
  std::cerr << trials << " trials; each of " << kWorkers
            << " workers was cut off for longer than its lease, and all at once\n";
}

}  // namespace
}  // namespace frontier::testing
