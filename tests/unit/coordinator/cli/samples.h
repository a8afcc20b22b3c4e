// A job, its trials and a worker, as a coordinator would answer them.
#ifndef FRONTIER_TESTS_UNIT_COORDINATOR_CLI_SAMPLES_H_
#define FRONTIER_TESTS_UNIT_COORDINATOR_CLI_SAMPLES_H_

#include <vector>

#include "frontier/v1/job_service.pb.h"

namespace frontier::cli {

// 2026-01-02 03:04:05 UTC.
inline constexpr int64_t kSampleTimeUs = 1'767'323'045'000'000;

v1::Job SampleJob();
// Seven succeeded (three on the front), one failed, one running; without architectures.
std::vector<v1::Trial> SampleTrials();
// Trial 3 with all there is: architecture, epochs, a lost attempt before.
v1::Trial SampleDetailedTrial();
v1::Trial SampleFailedTrial();
std::vector<v1::Worker> SampleWorkers();
std::vector<v1::Event> SampleEvents();

}  // namespace frontier::cli

#endif  // FRONTIER_TESTS_UNIT_COORDINATOR_CLI_SAMPLES_H_
