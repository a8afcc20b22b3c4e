// Thousands of workers in one process.
#ifndef FRONTIER_TESTS_BENCH_COORDINATOR_SWARM_H_
#define FRONTIER_TESTS_BENCH_COORDINATOR_SWARM_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace frontier::bench {

struct SwarmOptions {
  std::string coordinator;
  int coordinator_pid = 0;
  int workers = 10'000;  // each with a connection of its own
  absl::Duration trial = absl::Seconds(60);
  absl::Duration heartbeat = absl::Seconds(10);
  absl::Duration lease_wait = absl::Seconds(20);
  absl::Duration measured = absl::Seconds(60);
};

// Registers the workers over the time of one trial, lets each run trials that only take time, and
// then prints of the time measured: how long a report and the next lease took, calls a second, the
// cores that the coordinator used, its memory at the end. Errors of calls are counted and printed.
absl::Status RunSwarm(const SwarmOptions& options);

}  // namespace frontier::bench

#endif  // FRONTIER_TESTS_BENCH_COORDINATOR_SWARM_H_
