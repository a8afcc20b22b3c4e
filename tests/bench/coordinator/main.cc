// Loads a running coordinator with workers that train nothing, and tells in a line of JSON what
// they got done:
//   frontier-coordinator-bench --coordinator HOST:PORT --workers 8 --seconds 10
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "tests/bench/coordinator/no_op_worker.h"

namespace frontier::bench {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(5);

struct Side {
  std::unique_ptr<NoOpWorker> worker;
  std::vector<NoOpWorker::Times> trials;
  absl::Status status;
};

double Quantile(std::vector<double>* values, double q) {
  if (values->empty()) return 0;
  const auto at =
      values->begin() + static_cast<int64_t>(q * static_cast<double>(values->size() - 1));
  std::nth_element(values->begin(), at, values->end());
  return *at;
}

absl::Status Run(const std::string& coordinator, int workers, double seconds) {
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
        if (!ran.ok()) {
          side.status = ran.status();
        } else if (!*ran) {
          side.status = absl::FailedPreconditionError("the coordinator has no work");
        } else {
          side.trials.push_back(times);
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
      "\"report_p50_ms\": %.3f, \"report_p99_ms\": %.3f}\n",
      leases.size(), took, static_cast<double>(leases.size()) / took, Quantile(&leases, 0.5),
      Quantile(&leases, 0.99), Quantile(&reports, 0.5), Quantile(&reports, 0.99));
  return absl::OkStatus();
}

}  // namespace
}  // namespace frontier::bench

int main(int argc, char** argv) {
  CLI::App app("Loads a running coordinator with workers that train nothing.");
  std::string coordinator;
  int workers = 8;
  double seconds = 10;
  app.add_option("--coordinator", coordinator, "HOST:PORT")->required();
  app.add_option("--workers", workers, "each with a thread and a connection of its own")
      ->check(CLI::Range(1, 1000));
  app.add_option("--seconds", seconds, "how long")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = frontier::bench::Run(coordinator, workers, seconds);
  if (status.ok()) return 0;
  std::fprintf(stderr, "frontier-coordinator-bench: %s\n", std::string(status.message()).c_str());
  return 1;
}
