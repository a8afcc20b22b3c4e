// Proposals can be rebuilt from the log, and a log that was altered is told.
#include "coordinator/core/replay.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"
#include "tests/support/strategies.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::AllStrategies;
using ::frontier::testing::Harness;
using ::frontier::testing::MakeResult;
using ::frontier::testing::SmallJob;
using ::frontier::testing::StatusIs;
using ::frontier::testing::StrategyCase;
using ::testing::HasSubstr;

constexpr int kWorkers = 3;

// Three attempts at a time whose trials end out of order, one in seven of them failed; a restart of
// the coordinator now and then.
void RunTrials(Harness* h, int trials) {
  std::vector<v1::AttemptLease> running;
  for (int i = 1; i <= trials; ++i) {
    if (i % 9 == 0) h->Restart();
    if (running.size() == kWorkers) {
      const size_t pick = static_cast<size_t>(i % kWorkers);
      const v1::AttemptLease lease = running[pick];
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(pick));
      const int64_t number = lease.task().key().trial();
      if (number % 7 == 0) {
        EXPECT_OK(h->ReportFailure("w1", lease, v1::FAILURE_CAUSE_OUT_OF_MEMORY));
      } else {
        const double score = static_cast<double>((number * 37) % 40) / 40;
        EXPECT_OK(h->Report("w1", lease, MakeResult(score, 1 + static_cast<double>(number % 5))));
      }
    }
    std::optional<v1::AttemptLease> lease = h->Lease("w1");
    if (!lease.has_value()) break;
    running.push_back(*lease);
  }
  for (const v1::AttemptLease& lease : running) {
    EXPECT_OK(h->Report("w1", lease, MakeResult(0.5, 3)));
  }
}

// All pages in one.
absl::StatusOr<v1::ReplayJobResponse> Replay(Harness* h, int64_t job, int limit) {
  v1::ReplayJobRequest request;
  request.set_job_id(job);
  request.set_limit(limit);
  v1::ReplayJobResponse all;
  do {
    absl::StatusOr<v1::ReplayJobResponse> page = h->core().ReplayJob(request);
    if (!page.ok()) return page;
    EXPECT_LE(page->compared(), limit == 0 ? 100 : limit);
    all.set_compared(all.compared() + page->compared());
    all.mutable_differences()->MergeFrom(page->differences());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return all;
}

// Time is up whenever it is looked at.
class HurriedClock final : public Clock {
 public:
  absl::Time Now() override { return absl::UnixEpoch(); }
  absl::Duration Elapsed() override { return elapsed_ += absl::Minutes(1); }

 private:
  absl::Duration elapsed_;
};

// All pages in one, each of which ends at the first chance.
absl::StatusOr<v1::ReplayJobResponse> ReplayInAHurry(Harness* h, int64_t job) {
  HurriedClock clock;
  v1::ReplayJobRequest request;
  request.set_job_id(job);
  v1::ReplayJobResponse all;
  do {
    absl::StatusOr<v1::ReplayJobResponse> page = ReplayProposals(request, h->store(), &clock);
    if (!page.ok()) return page;
    EXPECT_LE(page->compared(), 1);
    all.set_compared(all.compared() + page->compared());
    all.mutable_differences()->MergeFrom(page->differences());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return all;
}

class ReplayTest : public ::testing::TestWithParam<StrategyCase> {
 protected:
  static v1::JobSpec Job(int64_t trials) {
    v1::JobSpec spec = SmallJob(trials);
    *spec.mutable_search_space() = frontier::testing::BroadSpace();
    *spec.mutable_strategy() = GetParam().spec;
    spec.mutable_strategy()->set_seed(3);
    return spec;
  }
};

TEST_P(ReplayTest, RebuildsEveryProposal) {
  Harness h;
  h.Register("w1", "i1", kWorkers);
  const int64_t job = h.Submit(Job(40));
  RunTrials(&h, 40);
  for (const int limit : {0, 7}) {
    ASSERT_OK_AND_ASSIGN(const v1::ReplayJobResponse response, Replay(&h, job, limit));
    EXPECT_EQ(response.compared(), 40);
    EXPECT_THAT(response.differences(), ::testing::IsEmpty()) << response.DebugString();
  }
}

TEST_P(ReplayTest, AlsoInASpaceThatIsUsedUpAndExtended) {
  Harness h;
  h.Register("w1", "i1", kWorkers);
  v1::JobSpec spec = Job(33);
  *spec.mutable_search_space() = frontier::testing::FiveByFiveSpace();
  const int64_t job = h.Submit(spec);
  RunTrials(&h, 23);
  ASSERT_OK(h.Extend(job, [](v1::SearchSpace* space) {
    space->mutable_staged()->mutable_stages(0)->add_widths(12);
  }));
  RunTrials(&h, 10);
  for (const int limit : {0, 5}) {
    ASSERT_OK_AND_ASSIGN(const v1::ReplayJobResponse response, Replay(&h, job, limit));
    EXPECT_EQ(response.compared(), 30);
    EXPECT_THAT(response.differences(), ::testing::IsEmpty()) << response.DebugString();
  }
  ASSERT_OK_AND_ASSIGN(const v1::ReplayJobResponse hurried, ReplayInAHurry(&h, job));
  EXPECT_EQ(hurried.compared(), 30);
  EXPECT_THAT(hurried.differences(), ::testing::IsEmpty()) << hurried.DebugString();
}

INSTANTIATE_TEST_SUITE_P(Strategies, ReplayTest, ::testing::ValuesIn(AllStrategies()),
                         [](const auto& instance) { return instance.param.name; });

TEST(Replay, NamesTheProposalThatDiffers) {
  Harness h;
  h.Register("w1", "i1", kWorkers);
  v1::JobSpec spec = SmallJob(20);
  *spec.mutable_search_space() = frontier::testing::BroadSpace();
  const int64_t job = h.Submit(spec);
  RunTrials(&h, 20);
  v1::Trial altered = h.Trial(job, 12);
  const int32_t option = altered.genotype().options(0);
  altered.mutable_genotype()->set_options(0, option == 0 ? 1 : 0);
  v1::Change change;
  *change.add_trials() = altered;
  ASSERT_OK(h.store().Commit(&change));
  ASSERT_OK_AND_ASSIGN(const v1::ReplayJobResponse response, Replay(&h, job, 6));
  EXPECT_EQ(response.compared(), 20);
  ASSERT_EQ(response.differences_size(), 1) << response.DebugString();
  EXPECT_EQ(response.differences(0).trial(), 12);
  EXPECT_EQ(response.differences(0).proposed(), altered.summary());
}

TEST(Replay, AnEndThatWasAlteredChangesWhatFollows) {
  Harness h;
  h.Register("w1", "i1", kWorkers);
  v1::JobSpec spec = SmallJob(60);
  *spec.mutable_search_space() = frontier::testing::BroadSpace();
  spec.mutable_strategy()->mutable_evolution()->set_population_size(6);
  const int64_t job = h.Submit(spec);
  RunTrials(&h, 60);
  v1::Trial altered = h.Trial(job, 9);
  for (v1::Measurement& m : *altered.mutable_result()->mutable_measurements()) {
    if (m.metric() == v1::METRIC_ACCURACY) m.set_value(1);
  }
  v1::Change change;
  *change.add_trials() = altered;
  ASSERT_OK(h.store().Commit(&change));
  ASSERT_OK_AND_ASSIGN(const v1::ReplayJobResponse response, Replay(&h, job, 0));
  EXPECT_GT(response.differences_size(), 0);
  for (const v1::ReplayDifference& difference : response.differences()) {
    EXPECT_GT(difference.trial(), 9);
  }
}

TEST(Replay, WrongRequestsAreRefused) {
  Harness h;
  h.Register("w1");
  v1::ReplayJobRequest request;
  request.set_job_id(4);
  EXPECT_THAT(h.core().ReplayJob(request),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("job 4")));
  request.set_job_id(h.Submit(SmallJob(2)));
  request.set_page_token("never given");
  EXPECT_THAT(h.core().ReplayJob(request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_token")));
  // Nothing proposed yet.
  request.clear_page_token();
  EXPECT_EQ(h.core().ReplayJob(request).value().compared(), 0);
}

TEST(Replay, TrialsOfOlderReleasesCannotBeRebuilt) {
  Harness h;
  h.Register("w1", "i1", kWorkers);
  const int64_t job = h.Submit(SmallJob(5));
  RunTrials(&h, 3);
  v1::Trial older = h.Trial(job, 2);
  older.clear_origin();
  older.clear_end_order();
  v1::Change change;
  *change.add_trials() = older;
  ASSERT_OK(h.store().Commit(&change));
  EXPECT_THAT(Replay(&h, job, 0), StatusIs(absl::StatusCode::kFailedPrecondition,
                                           HasSubstr("trial 2 was proposed by a release")));
  // But the job goes on.
  h.Restart();
  EXPECT_TRUE(h.Lease("w1").has_value());
}

}  // namespace
}  // namespace frontier::coordinator
