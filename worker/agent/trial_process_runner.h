// Runs each attempt in a process of its own, so that a crash, exhausted memory or a hang costs that
// attempt and nothing else.
#ifndef FRONTIER_WORKER_AGENT_TRIAL_PROCESS_RUNNER_H_
#define FRONTIER_WORKER_AGENT_TRIAL_PROCESS_RUNNER_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "worker/agent/trial_runner.h"

namespace frontier::worker {

struct TrialProcessRunnerOptions {
  // Started as `program run-trial --memory_bytes=N --parent_pid=P` with the compute threads in the
  // environment (OMP_NUM_THREADS), input on standard input, updates on standard output. The default
  // is this very binary, even if its file has been replaced since.
  std::string program = "/proc/self/exe";
  std::string proc_root = "/proc";  // memory of the process is read here
  // How often memory and limits are looked at.
  absl::Duration sample_interval = absl::Milliseconds(100);
  // A process that says nothing for so long, no epoch and no sign of life, hangs.
  absl::Duration stall_limit = absl::Minutes(10);
};

// The process leads a process group that is killed as a whole when the attempt ends. It limits its
// own memory (ApplyTrialLimits); that its resident private memory stays under the limit is watched
// from outside as well. It dies with the daemon's thread that started it.
//
// Failure causes: OUT_OF_MEMORY for an exit with kOutOfMemoryExitCode, a kill over the limit by us
// or the kernel; TIMED_OUT over the wall limit or the stall limit; CRASHED for any other death
// without an outcome and for output that is no update; INTERNAL if the process cannot be started.
// An outcome written by the process before it dies counts.
std::unique_ptr<TrialRunner> NewTrialProcessRunner(const TrialProcessRunnerOptions& options,
                                                   Clock* clock);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_TRIAL_PROCESS_RUNNER_H_
