#include "worker/benchmark/latency.h"

#include <algorithm>
#include <vector>

#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::FakeClock;
using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

TEST(MedianIntervalRanksTest, KnownRanks) {
  // Coverage 1 - 2 P(below): Conover's table of the binomial distribution.
  EXPECT_EQ(MedianIntervalRanks(6), (std::pair<int64_t, int64_t>{0, 5}));
  EXPECT_EQ(MedianIntervalRanks(10), (std::pair<int64_t, int64_t>{1, 8}));
  EXPECT_EQ(MedianIntervalRanks(20), (std::pair<int64_t, int64_t>{5, 14}));
  EXPECT_EQ(MedianIntervalRanks(100), (std::pair<int64_t, int64_t>{39, 60}));
  // Where the probability of a single outcome leaves the range of double.
  EXPECT_EQ(MedianIntervalRanks(10000), (std::pair<int64_t, int64_t>{4901, 5098}));
}

TEST(MedianIntervalRanksTest, CoversTheMedian) {
  const uint64_t seed = 7;
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  Rng rng(seed);
  const auto [low, high] = MedianIntervalRanks(25);
  int covered = 0;
  constexpr int kTrials = 4000;
  for (int t = 0; t < kTrials; ++t) {
    std::vector<double> values(25);
    for (double& v : values) v = rng.UniformDouble() * rng.UniformDouble();  // skewed
    std::sort(values.begin(), values.end());
    constexpr double kMedian = 0.18668;  // of the product of two uniform variables
    covered +=
        values[static_cast<size_t>(low)] <= kMedian && kMedian <= values[static_cast<size_t>(high)]
            ? 1
            : 0;
  }
  EXPECT_GE(covered, kTrials * 0.95);
}

TEST(MeasureLatencyTest, LeavesOutTheWarmUpAndTakesTheMedian) {
  FakeClock clock;
  int calls = 0;
  LatencyOptions options;
  options.warmup_runs = 3;
  options.min_runs = 6;
  options.min_time = absl::ZeroDuration();
  const int milliseconds[] = {900, 900, 900, 5, 1, 4, 2, 3, 60};
  ASSERT_OK_AND_ASSIGN(const Latency latency,
                       MeasureLatency(
                           [&] {
                             clock.Advance(absl::Milliseconds(milliseconds[calls++]));
                             return absl::OkStatus();
                           },
                           &clock, options));
  EXPECT_EQ(latency.runs, 6);
  EXPECT_DOUBLE_EQ(latency.median_ms, 3.5);
  EXPECT_DOUBLE_EQ(latency.low_ms, 1);
  EXPECT_DOUBLE_EQ(latency.high_ms, 60);
}

TEST(MeasureLatencyTest, RunsForTheLeastTimeAndNotBeyondTheMostRuns) {
  FakeClock clock;
  const auto run = [&clock] {
    clock.Advance(absl::Milliseconds(1));
    return absl::OkStatus();
  };
  LatencyOptions options;
  options.min_time = absl::Milliseconds(250);
  ASSERT_OK_AND_ASSIGN(Latency latency, MeasureLatency(run, &clock, options));
  EXPECT_EQ(latency.runs, 250);
  options.max_runs = 120;
  ASSERT_OK_AND_ASSIGN(latency, MeasureLatency(run, &clock, options));
  EXPECT_EQ(latency.runs, 120);
}

TEST(MeasureLatencyTest, PassesErrorsOn) {
  FakeClock clock;
  EXPECT_THAT(
      MeasureLatency([] { return absl::InternalError("broken"); }, &clock, LatencyOptions()),
      StatusIs(absl::StatusCode::kInternal, "broken"));
  LatencyOptions options;
  options.min_runs = 5;
  EXPECT_THAT(MeasureLatency([] { return absl::OkStatus(); }, &clock, options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("min_runs 5")));
}

}  // namespace
}  // namespace frontier::worker
