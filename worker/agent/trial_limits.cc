#include "worker/agent/trial_limits.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace frontier::worker {

absl::Status ApplyTrialLimits(int64_t memory_bytes, pid_t parent_pid) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
    return ErrnoStatus(errno, "cannot set", "parent death signal");
  }
  if (parent_pid != 0 && getppid() != parent_pid) {
    return absl::FailedPreconditionError(
        absl::StrCat("process ", parent_pid, ", which started this trial, is gone"));
  }
  const rlimit no_core = {0, 0};
  if (setrlimit(RLIMIT_CORE, &no_core) != 0) return ErrnoStatus(errno, "cannot limit", "core dump");
  // A machine out of memory loses its trials before its daemons.
  if (std::FILE* adjust = std::fopen("/proc/self/oom_score_adj", "we")) {
    std::fputs("500", adjust);
    std::fclose(adjust);
  }
  if (memory_bytes > 0) {
    const rlimit memory = {static_cast<rlim_t>(memory_bytes), static_cast<rlim_t>(memory_bytes)};
    if (setrlimit(RLIMIT_DATA, &memory) != 0) {
      return ErrnoStatus(errno, "cannot limit memory to bytes", absl::StrCat(memory_bytes));
    }
  }
  return absl::OkStatus();
}

void ExitWhenOutOfMemory() {
  std::set_terminate([] {
    if (const std::exception_ptr current = std::current_exception()) {
      try {
        std::rethrow_exception(current);
      } catch (const std::bad_alloc&) {
        _exit(kOutOfMemoryExitCode);
      } catch (...) {
      }
    }
    std::abort();
  });
}

}  // namespace frontier::worker
