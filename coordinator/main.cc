// frontier-coordinator: holds the jobs and hands work to workers.
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/version.h"
#include "common/rpc/address.h"
#include "coordinator/flags.h"
#include "coordinator/service/coordinator_server.h"
#include "coordinator/tasks.h"

namespace frontier::coordinator {
namespace {

ExitCode Fail(ExitCode code, const absl::Status& status) {
  LogError({}, status.message());
  return code;
}

// Of what CoordinatorServer::Create says.
ExitCode CodeOf(const absl::Status& status) {
  if (absl::IsInvalidArgument(status)) return kUsage;
  return absl::IsInternal(status) ? kInternal : kDatabase;
}

ExitCode Run(const Flags& flags, const sigset_t& signals) {
  LogInfo({}, absl::StrCat(VersionLine("frontier-coordinator"), " with ", flags.configuration));
#ifdef NDEBUG
  // Debian's Abseil keeps a graph of the order in which gRPC takes its mutexes, under one lock.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
  SystemClock clock;
  absl::StatusOr<std::unique_ptr<CoordinatorServer>> server =
      CoordinatorServer::Create(flags.server, &clock);
  if (!server.ok()) {
    return Fail(CodeOf(server.status()), server.status());
  }
  const absl::Status serving = (*server)->Serve();
  if (!serving.ok()) return Fail(kAddress, serving);
  LogInfo({},
          absl::StrCat("serving on ", (*server)->address(), ", data in ", flags.server.data_dir));
  const absl::StatusOr<Address> address = ParseAddress((*server)->address());
  if (address.ok() && address->IsWildcard()) {
    LogWarning({},
               "whoever reaches any address of this machine is served, without authentication or "
               "encryption; --listen may name that of a trusted network");
  }
  if (!flags.port_file.empty()) {
    const absl::Status status =
        WriteFileAtomically(flags.port_file, absl::StrCat((*server)->address(), "\n"));
    if (!status.ok()) return Fail(kUsage, status);
  }

  int signal = 0;
  sigwait(&signals, &signal);
  LogInfo({}, absl::StrCat("stopping on ", strsignal(signal)));
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // a second one ends it at once
  (*server)->Stop();
  if (!flags.port_file.empty()) unlink(flags.port_file.c_str());
  LogInfo({}, "stopped");
  return kOk;
}

}  // namespace
}  // namespace frontier::coordinator

int main(int argc, char** argv) {
  using namespace frontier::coordinator;  // NOLINT(google-build-using-namespace)
  Flags flags;
  if (const std::optional<ExitCode> code = ParseFlags(argc, argv, &flags)) return *code;
  if (const absl::Status status = frontier::InitLogging(flags.log); !status.ok()) {
    return Fail(kUsage, status);
  }
  // Before any thread is made, so that all of them leave the signals to this one.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  if (flags.task != Task::kServe) return RunTask(flags);
  return Run(flags, signals);
}
