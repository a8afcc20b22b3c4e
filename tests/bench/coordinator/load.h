// As many trials as a coordinator can take.
#ifndef FRONTIER_TESTS_BENCH_COORDINATOR_LOAD_H_
#define FRONTIER_TESTS_BENCH_COORDINATOR_LOAD_H_

#include <string>

#include "absl/status/status.h"

namespace frontier::bench {

// Runs trials that train nothing for so long with so many workers, each a thread and a connection,
// and prints what they got done. A coordinator that is away is waited for; the longest time between
// two ends of trials, of any worker, is printed, too.
absl::Status RunLoad(const std::string& coordinator, int workers, double seconds);

}  // namespace frontier::bench

#endif  // FRONTIER_TESTS_BENCH_COORDINATOR_LOAD_H_
