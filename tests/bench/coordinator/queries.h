// What clients ask of a coordinator, timed.
#ifndef FRONTIER_TESTS_BENCH_COORDINATOR_QUERIES_H_
#define FRONTIER_TESTS_BENCH_COORDINATOR_QUERIES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace frontier::bench {

// Prints the medians of `rounds` calls for the status of job 1, its front, and a page of its trials
// from the middle of them.
absl::Status TimeQueries(const std::string& coordinator, int rounds);

// Asks for a lease until there is one, and prints the seconds since `began`.
absl::Status AwaitLease(const std::string& coordinator, absl::Time began);

}  // namespace frontier::bench

#endif  // FRONTIER_TESTS_BENCH_COORDINATOR_QUERIES_H_
