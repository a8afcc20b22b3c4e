#include "tests/bench/coordinator/load.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "tests/bench/coordinator/no_op_worker.h"

namespace frontier::bench {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(5);
constexpr absl::Duration kBetweenTries = absl::Milliseconds(5);

struct Side {
  std::unique_ptr<NoOpWorker> worker;
  std::vector<NoOpWorker::Times> trials;
  std::vector<absl::Duration> ends;
  absl::Status status;
};

// Between two ends, or the last and the end of it all.
absl::Duration LongestGap(const std::vector<Side>& sides, absl::Duration end) {
  std::vector<absl::Duration> ends = {end};
  for (const Side& side : sides) ends.insert(ends.end(), side.ends.begin(), side.ends.end());
  std::sort(ends.begin(), ends.end());
  absl::Duration longest;
  for (size_t i = 1; i < ends.size(); ++i) longest = std::max(longest, ends[i] - ends[i - 1]);
  return longest;
}

double Quantile(std::vector<double>* values, double q) {
  if (values->empty()) return 0;
  const auto at =
      values->begin() + static_cast<int64_t>(q * static_cast<double>(values->size() - 1));
  std::nth_element(values->begin(), at, values->end());
  return *at;
}

}  // namespace

absl::Status RunLoad(const std::string& coordinator, int workers, double seconds) {
  SystemClock clock;
  std::vector<Side> sides(static_cast<size_t>(workers));
  for (int i = 0; i < workers; ++i) {
    sides[static_cast<size_t>(i)].worker = std::make_unique<NoOpWorker>(coordinator, i + 1, &clock);
    const absl::Status status = sides[static_cast<size_t>(i)].worker->Register();
    if (!status.ok()) return status;
  }
  const absl::Duration began = clock.Elapsed();
  const absl::Duration until = began + absl::Seconds(seconds);
  std::vector<std::thread> threads;
  for (Side& side : sides) {
    threads.emplace_back([&side, &clock, until] {
      while (side.status.ok() && clock.Elapsed() < until) {
        NoOpWorker::Times times;
        const absl::StatusOr<bool> ran = side.worker->RunTrial(kPatience, &times);
        if (absl::IsUnavailable(ran.status())) {
          absl::SleepFor(kBetweenTries);
        } else if (!ran.ok()) {
          side.status = ran.status();
        } else if (!*ran) {
          side.status = absl::FailedPreconditionError("the coordinator has no work");
        } else {
          side.trials.push_back(times);
          side.ends.push_back(clock.Elapsed());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double took = absl::ToDoubleSeconds(clock.Elapsed() - began);
  std::vector<double> leases;
  std::vector<double> reports;
  for (const Side& side : sides) {
    if (!side.status.ok()) return side.status;
    for (const NoOpWorker::Times& times : side.trials) {
      leases.push_back(absl::ToDoubleMilliseconds(times.lease));
      reports.push_back(absl::ToDoubleMilliseconds(times.report));
    }
  }
  std::printf(
      "{\"trials\": %zu, \"seconds\": %.3f, \"trials_per_second\": %.1f, "
      "\"lease_p50_ms\": %.3f, \"lease_p99_ms\": %.3f, "
      "\"report_p50_ms\": %.3f, \"report_p99_ms\": %.3f, \"longest_gap_ms\": %.1f}\n",
      leases.size(), took, static_cast<double>(leases.size()) / took, Quantile(&leases, 0.5),
      Quantile(&leases, 0.99), Quantile(&reports, 0.5), Quantile(&reports, 0.99),
      absl::ToDoubleMilliseconds(LongestGap(sides, clock.Elapsed())));
  return absl::OkStatus();
}

}  // namespace frontier::bench
