#include "worker/agent/trial_limits.h"

#include <fcntl.h>
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
namespace {

int64_t fault_memory_limit = 0;  // set before the handlers are

// Private writable memory of this process in bytes, 0 if unknown. Async-signal-safe.
int64_t DataBytes() {
  const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[256] = {};
  const ssize_t n = read(fd, text, sizeof(text) - 1);
  close(fd);
  // size resident shared text lib data dt, in pages
  int64_t field = 0;
  int index = 0;
  for (ssize_t i = 0; i < n && index <= 5; ++i) {
    if (text[i] == ' ') {
      if (index == 5) return field * sysconf(_SC_PAGESIZE);
      field = 0;
      ++index;
    } else if (text[i] >= '0' && text[i] <= '9') {
      field = field * 10 + (text[i] - '0');
    }
  }
  return 0;
}

void OnFault(int signal_number) {
  if (errno == ENOMEM || (fault_memory_limit > 0 && DataBytes() > fault_memory_limit / 10 * 9)) {
    _exit(kOutOfMemoryExitCode);
  }
  // The handler was reset when it was entered: this time the signal kills.
  raise(signal_number);
}

}  // namespace

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

void ExitWhenOutOfMemory(int64_t memory_bytes) {
  fault_memory_limit = memory_bytes;
  struct sigaction action = {};
  action.sa_handler = OnFault;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  sigemptyset(&action.sa_mask);
  for (const int signal_number : {SIGSEGV, SIGBUS, SIGABRT}) {
    sigaction(signal_number, &action, nullptr);
  }
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
