// How long one call takes.
#ifndef FRONTIER_WORKER_BENCHMARK_LATENCY_H_
#define FRONTIER_WORKER_BENCHMARK_LATENCY_H_

#include <cstdint>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"

namespace frontier::worker {

struct LatencyOptions {
  int64_t warmup_runs = 10;                           // not counted
  int64_t min_runs = 100;                             // counted, at least; at least 6
  int64_t max_runs = 1000000;                         // counted, at most
  absl::Duration min_time = absl::Milliseconds(200);  // of the counted runs together, at least
};

struct Latency {
  double median_ms = 0;
  double low_ms = 0;  // 95 % interval of the median
  double high_ms = 0;
  int64_t runs = 0;
};

// Calls `run` until there are at least min_runs and they took at least min_time, or there are
// max_runs. Each call is timed by itself. INVALID_ARGUMENT for options out of range; the first
// error of `run`.
absl::StatusOr<Latency> MeasureLatency(absl::FunctionRef<absl::Status()> run, Clock* clock,
                                       const LatencyOptions& options);

// Ranks (from 0) of the ordered values of a sample of `n` >= 6 between which the median of its
// distribution, whatever that is, lies with a probability of at least 95 %: the largest k for which
// a binomial variable of n trials and probability 1/2 is below k with at most 2.5 % gives (k - 1,
// n - k) (Conover 1999, "Practical Nonparametric Statistics", section 3.2).
std::pair<int64_t, int64_t> MedianIntervalRanks(int64_t n);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_BENCHMARK_LATENCY_H_
