#include "worker/benchmark/latency.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace frontier::worker {
namespace {

constexpr int64_t kLeastRuns = 6;  // with fewer no interval covers 95 %
constexpr double kTail = 0.025;

}  // namespace

std::pair<int64_t, int64_t> MedianIntervalRanks(int64_t n) {
  const double trials = static_cast<double>(n);
  double below = 0;  // probability that the variable is below k
  int64_t k = 0;
  while (2 * k < n) {
    const double successes = static_cast<double>(k);
    below += std::exp(std::lgamma(trials + 1) - std::lgamma(successes + 1) -
                      std::lgamma(trials - successes + 1) - trials * std::log(2.0));
    if (below > kTail) break;
    ++k;
  }
  return {k - 1, n - k};
}

absl::StatusOr<Latency> MeasureLatency(absl::FunctionRef<absl::Status()> run, Clock* clock,
                                       const LatencyOptions& options) {
  if (options.min_runs < kLeastRuns || options.max_runs < options.min_runs ||
      options.warmup_runs < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "latency needs at least ", kLeastRuns, " runs and no negative warm-up: min_runs ",
        options.min_runs, ", max_runs ", options.max_runs, ", warmup_runs ", options.warmup_runs));
  }
  for (int64_t i = 0; i < options.warmup_runs; ++i) RETURN_IF_ERROR(run());
  std::vector<absl::Duration> times;
  absl::Duration total;
  while (static_cast<int64_t>(times.size()) < options.max_runs &&
         (static_cast<int64_t>(times.size()) < options.min_runs || total < options.min_time)) {
    const absl::Duration begin = clock->Elapsed();
    RETURN_IF_ERROR(run());
    times.push_back(clock->Elapsed() - begin);
    total += times.back();
  }
  std::sort(times.begin(), times.end());
  const size_t n = times.size();
  const auto [low, high] = MedianIntervalRanks(static_cast<int64_t>(n));
  Latency latency;
  latency.runs = static_cast<int64_t>(n);
  latency.median_ms = absl::ToDoubleMilliseconds((times[(n - 1) / 2] + times[n / 2]) / 2);
  latency.low_ms = absl::ToDoubleMilliseconds(times[static_cast<size_t>(low)]);
  latency.high_ms = absl::ToDoubleMilliseconds(times[static_cast<size_t>(high)]);
  return latency;
}

}  // namespace frontier::worker
