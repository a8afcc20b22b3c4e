// A database with many trials.
#ifndef FRONTIER_TESTS_BENCH_COORDINATOR_FILL_H_
#define FRONTIER_TESTS_BENCH_COORDINATOR_FILL_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace frontier::bench {

// Adds trials to job 1 of a data folder that nobody serves from until it has `trials`, each as the
// first of its trials that succeeded, but for genotype, network and figures. A part of them, which
// is told, is on the front.
absl::Status Fill(const std::string& data_dir, int64_t trials);

}  // namespace frontier::bench

#endif  // FRONTIER_TESTS_BENCH_COORDINATOR_FILL_H_
