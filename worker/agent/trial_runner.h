// Runs one attempt to its end, in isolation.
#ifndef FRONTIER_WORKER_AGENT_TRIAL_RUNNER_H_
#define FRONTIER_WORKER_AGENT_TRIAL_RUNNER_H_

#include <cstdint>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "frontier/v1/trial.pb.h"
#include "frontier/v1/trial_process.pb.h"
#include "worker/agent/stop_event.h"

namespace frontier::worker {

struct TrialOrder {
  v1::TrialProcessInput input;
  int threads = 1;
  int64_t memory_bytes = 0;  // private memory the attempt may use; 0 = no limit
  absl::Duration wall_limit = absl::InfiniteDuration();
  std::vector<int> cpus;  // the only ones it may run on; empty = those of this process
};

// The attempt was ended by its stop event.
struct TrialStopped {};

struct TrialEnd {
  std::variant<TrialStopped, v1::TrialResult, v1::Failure> outcome;
  // What it used, however it ended.
  absl::Duration cpu = absl::ZeroDuration();
  absl::Duration wall = absl::ZeroDuration();
  int64_t peak_memory_bytes = 0;  // largest resident set
};

// Thread-safe: several attempts may run at a time.
class TrialRunner {
 public:
  virtual ~TrialRunner() = default;
  // Blocks until the attempt has ended and nothing of it is left running. `on_epoch` is called from
  // the calling thread. Every way an attempt can fail is a Failure; there is no other error.
  virtual TrialEnd Run(const TrialOrder& order, const StopEvent& stop,
                       absl::FunctionRef<void(const v1::EpochMetrics&)> on_epoch) = 0;
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_TRIAL_RUNNER_H_
