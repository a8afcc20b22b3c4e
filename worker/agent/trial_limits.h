// What a trial process does to itself before it touches the candidate.
#ifndef FRONTIER_WORKER_AGENT_TRIAL_LIMITS_H_
#define FRONTIER_WORKER_AGENT_TRIAL_LIMITS_H_

#include <sys/types.h>

#include <cstdint>

#include "absl/status/status.h"

namespace frontier::worker {

// Exit code of a trial process that ran out of memory and could not say so otherwise.
inline constexpr int kOutOfMemoryExitCode = 77;

// Limits the private memory of this process (RLIMIT_DATA: allocations beyond it fail), leaves no
// core dumps, and has the kernel kill it when the thread that started it ends, and before the
// daemons when the machine is out of memory. FAILED_PRECONDITION if the parent is `parent_pid` no
// more; 0 = do not look. `memory_bytes` 0 = no limit.
absl::Status ApplyTrialLimits(int64_t memory_bytes, pid_t parent_pid);

// From now on the process ends with kOutOfMemoryExitCode, not by a signal, if an allocation failure
// is not handled: a std::bad_alloc nobody catches, or a fault or abort right after an allocation
// failed or with `memory_bytes` (0 = unknown) nearly used up, as when a library does not check what
// it allocates.
void ExitWhenOutOfMemory(int64_t memory_bytes);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_TRIAL_LIMITS_H_
