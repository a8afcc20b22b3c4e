// The command line and configuration file of frontier-coordinator.
#ifndef FRONTIER_COORDINATOR_FLAGS_H_
#define FRONTIER_COORDINATOR_FLAGS_H_

#include <optional>
#include <string>

#include "common/base/log.h"
#include "coordinator/service/coordinator_server.h"

namespace frontier::coordinator {

// What the process exits with; --help says so too.
enum ExitCode { kOk = 0, kInternal = 1, kUsage = 2, kDatabase = 3, kAddress = 4 };

// What to do with the data folder.
enum class Task { kServe, kBackUp, kRestore, kCheck, kCompact };

struct Flags {
  Task task = Task::kServe;
  std::string folder;  // to back up to, or to restore from
  CoordinatorServerOptions server;
  LogOptions log;
  std::string port_file;      // empty = none
  std::string configuration;  // what is in effect on one line, for the log
};

// An exit code if the process is to end here, having said why.
std::optional<ExitCode> ParseFlags(int argc, char** argv, Flags* flags);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_FLAGS_H_
