// Killed at any moment and started again, the coordinator goes on where it was.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/core/dispatcher.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"
#include "tests/support/strategies.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::Harness;
using ::frontier::testing::MakeResult;
using ::frontier::testing::SmallJob;
using ::frontier::testing::StoreKind;

struct RestartParam {
  std::string name;
  v1::StrategySpec strategy;
  StoreKind store;
};

std::vector<RestartParam> RestartParams() {
  std::vector<RestartParam> params;
  for (const StoreKind store : {StoreKind::kMemory, StoreKind::kSqlite}) {
    const std::string suffix = store == StoreKind::kMemory ? "_memory" : "_sqlite";
    for (const frontier::testing::StrategyCase& strategy : frontier::testing::AllStrategies()) {
      params.push_back({strategy.name + suffix, strategy.spec, store});
    }
  }
  return params;
}

class RestartTest : public ::testing::TestWithParam<RestartParam> {};

// Two attempts at a time, one failed trial in seven. Restarts before each trial named.
std::vector<std::string> Proposals(const RestartParam& param, const std::vector<int>& restarts) {
  Harness h(param.store);
  v1::JobSpec spec = SmallJob(40);
  *spec.mutable_search_space() = frontier::testing::BroadSpace();
  *spec.mutable_strategy() = param.strategy;
  spec.mutable_strategy()->set_seed(11);
  const int64_t job = h.Submit(spec);
  h.Register("w1", "i1", 2);
  std::vector<v1::AttemptLease> running;
  for (int i = 1; i <= 40; ++i) {
    for (const int restart : restarts) {
      if (restart != i) continue;
      if (i > 20) h.Tick();  // outlines what has ended
      h.Restart();
    }
    if (running.size() == 2) {
      const v1::AttemptLease lease = running.front();
      running.erase(running.begin());
      const int64_t number = lease.task().key().trial();
      if (number % 7 == 0) {
        EXPECT_OK(h.ReportFailure("w1", lease, v1::FAILURE_CAUSE_OUT_OF_MEMORY));
      } else {
        const double score = static_cast<double>((number * 37) % 40) / 40;
        EXPECT_OK(h.Report("w1", lease, MakeResult(score, 1 + number % 5)));
      }
    }
    std::optional<v1::AttemptLease> lease = h.Lease("w1");
    EXPECT_TRUE(lease.has_value()) << i;
    if (!lease.has_value()) break;
    EXPECT_EQ(lease->task().key().trial(), i);
    running.push_back(*lease);
  }
  std::vector<std::string> proposals;
  for (const v1::Trial& trial : h.Trials(job)) proposals.push_back(trial.genotype().DebugString());
  return proposals;
}

TEST(Restart, AnAttemptWithoutItsLeaseIsLost) {
  Harness h(StoreKind::kSqlite);
  const int64_t job = h.Submit(SmallJob(2));
  h.Register("w1");
  const auto lease = h.Lease("w1");
  ASSERT_TRUE(lease.has_value());
  v1::Change damage;
  *damage.add_ended_leases() = lease->task().key();
  ASSERT_OK(h.store().Commit(&damage));
  h.Restart();
  const v1::Trial trial = h.Trial(job, 1);
  EXPECT_EQ(trial.state(), v1::TRIAL_STATE_QUEUED);
  EXPECT_EQ(trial.attempts(0).state(), v1::ATTEMPT_STATE_LOST);
  EXPECT_EQ(h.Lease("w1")->task().key().attempt(), 2);
}

TEST_P(RestartTest, FortyTrialsStraightAreTwentyARestartAndTwenty) {
  RestartParam in_memory = GetParam();
  in_memory.store = StoreKind::kMemory;
  const std::vector<std::string> straight = Proposals(in_memory, {});
  ASSERT_EQ(straight.size(), 40u);
  EXPECT_EQ(Proposals(GetParam(), {21}), straight);
  if (GetParam().store == StoreKind::kMemory) {
    EXPECT_EQ(Proposals(GetParam(), {1, 2, 3, 9, 21, 40}), straight);
  }
}

INSTANTIATE_TEST_SUITE_P(Strategies, RestartTest, ::testing::ValuesIn(RestartParams()),
                         [](const ::testing::TestParamInfo<RestartParam>& p) {
                           return p.param.name;
                         });

TEST(Restart, KnownWorkersGoOnWithoutRegistering) {
  for (const StoreKind store : {StoreKind::kMemory, StoreKind::kSqlite}) {
    Harness h(store);
    const int64_t job = h.Submit(SmallJob(3));
    h.Register("w1", "i1", 2);
    const auto lease = h.Lease("w1");
    h.clock().Advance(absl::Seconds(29));
    h.Restart();
    // The lease counts as just renewed.
    h.clock().Advance(absl::Seconds(29));
    h.Tick();
    EXPECT_OK(h.Heartbeat("w1", {*lease}));
    EXPECT_EQ(h.Job(job).trials_running(), 1);
    EXPECT_EQ(h.Lease("w1")->task().key().trial(), 2);
    ASSERT_OK(h.Report("w1", *lease, MakeResult(0.5, 1)));
    h.Restart();
    // Nobody renews this time.
    h.clock().Advance(absl::Seconds(30));
    h.Tick();
    EXPECT_EQ(h.Job(job).trials_queued(), 1);
    EXPECT_EQ(h.Job(job).trials_succeeded(), 1);
  }
}

TEST(Restart, AWorkerWithoutALeaseGetsWorkAtOnce) {
  Harness h;
  h.Submit(SmallJob(3));
  h.Register("w1");
  h.Restart();
  EXPECT_TRUE(h.Lease("w1").has_value());
}

TEST(Restart, FrontAndTokensGoOn) {
  for (const StoreKind store : {StoreKind::kMemory, StoreKind::kSqlite}) {
    Harness h(store);
    const int64_t job = h.Submit(SmallJob(5));
    h.Register("w1");
    const auto first = h.Lease("w1");
    ASSERT_OK(h.Report("w1", *first, MakeResult(0.5, 1)));
    h.Restart();
    const auto second = h.Lease("w1");
    EXPECT_GT(second->token(), first->token());
    ASSERT_OK(h.Report("w1", *second, MakeResult(0.4, 2)));  // dominated by the first
    EXPECT_EQ(h.Job(job).front_size(), 1);
    EXPECT_FALSE(h.Trial(job, 2).on_front());
    ASSERT_OK(h.Report("w1", *h.Lease("w1"), MakeResult(0.6, 0.5)));  // dominates it
    EXPECT_EQ(h.Job(job).front_size(), 1);
    EXPECT_FALSE(h.Trial(job, 1).on_front());
    EXPECT_EQ(h.Job(job).best_trial(), 3);
  }
}

TEST(Restart, OptionsThatMakeNoSenseAreRefused) {
  frontier::testing::MemoryStore store;
  frontier::testing::DirectJournal journal(&store);
  frontier::testing::MemoryBlobStore blobs;
  frontier::testing::FakeClock clock;
  DispatcherOptions options;
  options.heartbeat_interval = absl::Seconds(11);
  EXPECT_FALSE(CreateDispatcher(options, &store, &journal, &blobs, &clock).ok());
  options.heartbeat_interval = absl::Seconds(10);
  EXPECT_OK(CreateDispatcher(options, &store, &journal, &blobs, &clock));
  options.lease_duration = absl::ZeroDuration();
  EXPECT_FALSE(CreateDispatcher(options, &store, &journal, &blobs, &clock).ok());
}

}  // namespace
}  // namespace frontier::coordinator
