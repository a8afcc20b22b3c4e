// What happens inside a trial process.
#ifndef FRONTIER_WORKER_TRIAL_TRIAL_PROCESS_H_
#define FRONTIER_WORKER_TRIAL_TRIAL_PROCESS_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/base/clock.h"
#include "frontier/v1/trial_process.pb.h"

namespace frontier::worker {

// Trains, validates and benchmarks one architecture. Calls `update` after each epoch and
// exactly once at the end with a result or a typed failure (out of memory, diverged, invalid, data
// set). The result has every metric of the process itself: accuracy, loss, latency, parameters,
// MACs. What only the daemon sees (CPU time, wall time, energy, CO2) is added by the daemon.
void RunTrial(const v1::TrialProcessInput& input, Clock* clock,
              absl::FunctionRef<void(const v1::TrialProcessUpdate&)> update);

// The body of `frontier-worker run-trial`: reads one TrialProcessInput (serialized, to end of file)
// from `input_fd`, writes updates to `output_fd`, each with a varint length before it. Returns the
// exit code.
int RunTrialProcess(int input_fd, int output_fd);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_TRIAL_TRIAL_PROCESS_H_
