// Processes are killed and suspended at random while they search. FRONTIER_CHAOS_KILLS=50 runs the
// long form, in which a job has six times as many trials as there are kills.
#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/base/random.h"
#include "tests/e2e/search/jobs.h"
#include "tests/support/mini_cluster.h"
#include "tests/support/seed.h"
#include "tests/support/temp_folder.h"

namespace frontier::testing {
namespace {

constexpr int kWorkers = 3;
constexpr int kTrialsPerKill = 6;

int KillsWanted() {
  const char* text = std::getenv("FRONTIER_CHAOS_KILLS");
  int kills = 0;
  return text != nullptr && absl::SimpleAtoi(text, &kills) && kills > 0 ? kills : 8;
}

class ChaosTest : public ::testing::Test {
 protected:
  ChaosTest() : folder_(temp_.File("cluster")), cluster_(ShortLeases(folder_)) {}

  void SetUp() override {
    ASSERT_OK(WriteBarsDataset(folder_ + "_data", 600, 100, 1));
    ASSERT_OK(cluster_.StartCoordinator());
    for (int i = 0; i < kWorkers; ++i) ASSERT_OK(cluster_.StartWorker(Name(i)));
    cluster_.AwaitWorker(kWorkers);
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << cluster_.Logs();
  }

  static std::string Name(int worker) { return absl::StrCat("w", worker); }

  // Waits until `condition` holds of an event after `*cursor`, which moves on. False if the job
  // ends first.
  template <typename Condition>
  bool Await(int64_t job_id, int64_t* cursor, Condition condition) {
    v1::WatchJobRequest request;
    request.set_job_id(job_id);
    request.set_after_event(*cursor);
    bool seen = false;
    EXPECT_OK(cluster_.client().WatchJob(request, [&](const v1::WatchJobResponse& response) {
      for (const v1::Event& event : response.events()) {
        if (seen) break;
        seen = condition(event);
        *cursor = event.sequence();
      }
      return !seen;
    }));
    return seen;
  }

  const TempFolder temp_;
  const std::string folder_;
  MiniCluster cluster_;
};

TEST_F(ChaosTest, EachTrialIsCountedOnceWhateverIsKilled) {
  const uint64_t seed = frontier::testing::DrawSeed();
  Rng rng(seed);
  const int kills = KillsWanted();
  const int trials = kills * kTrialsPerKill;
  v1::SubmitJobRequest submit;
  *submit.mutable_spec() = BarsJob(trials, /*epochs=*/1);
  // None is to fail for want of attempts.
  submit.mutable_spec()->mutable_limits()->set_max_attempts(kills + 1);
  ASSERT_OK_AND_ASSIGN(const v1::SubmitJobResponse submitted, cluster_.client().SubmitJob(submit));
  const int64_t job = submitted.job().id();
  int64_t cursor = 1;
  int coordinators = 0;
  int workers = 0;
  int coordinators_suspended = 0;
  int workers_suspended = 0;
  for (int i = 0; i < kills; ++i) {
    // At any time within the next trials.
    const uint64_t events = 1 + rng.Uniform(3 * kTrialsPerKill);
    uint64_t seen = 0;
    if (!Await(job, &cursor, [&](const v1::Event&) { return ++seen >= events; })) break;
    const std::string worker = Name(static_cast<int>(rng.Uniform(kWorkers)));
    // The short form suspends the coordinator, too.
    switch (i == kills / 2 ? 7 : rng.Uniform(8)) {
      case 0:
      case 1:
      case 2:
      case 3:
        cluster_.KillCoordinator();
        ASSERT_OK(cluster_.StartCoordinator());
        ++coordinators;
        break;
      case 4:
      case 5:
        cluster_.KillWorker(worker);
        ASSERT_OK(cluster_.StartWorker(worker));
        ++workers;
        break;
      case 6:
        // For longer than its lease, if it has one: another attempt begins elsewhere, and what it
        // reports later is refused.
        cluster_.SuspendWorker(worker);
        Await(job, &cursor, [&, count = 0](const v1::Event& event) mutable {
          const bool lost =
              event.kind() == v1::EVENT_KIND_ATTEMPT_ENDED && event.worker_id() == worker;
          count += event.kind() == v1::EVENT_KIND_TRIAL_SUCCEEDED;
          return lost || count > kTrialsPerKill;
        });
        cluster_.ResumeWorker(worker);
        ++workers_suspended;
        break;
      default:
        // For longer than all leases; nothing can be seen of it meanwhile.
        cluster_.SuspendCoordinator();
        absl::SleepFor(kLease + absl::Seconds(1));
        cluster_.ResumeCoordinator();
        ++coordinators_suspended;
    }
  }
  AwaitEnd(cluster_.client(), job);
  ExpectWholeJob(cluster_.client(), job, trials);
  v1::GetJobRequest request;
  request.set_job_id(job);
  ASSERT_OK_AND_ASSIGN(const v1::GetJobResponse end, cluster_.client().GetJob(request));
  EXPECT_EQ(end.job().trials_succeeded(), trials);
  const int disturbed = coordinators + workers + coordinators_suspended + workers_suspended;
  EXPECT_GE(disturbed, kills * 3 / 4);
  EXPECT_GT(coordinators_suspended, 0);
  std::cerr << disturbed << " kills and suspensions in " << trials << " trials; killed "
            << coordinators << " times the coordinator, " << workers
            << " times a worker, suspended " << coordinators_suspended << " times the coordinator, "
            << workers_suspended << " times a worker\n";
}

}  // namespace
}  // namespace frontier::testing
