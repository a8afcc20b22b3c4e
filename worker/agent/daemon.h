// The worker as a process: puts the parts together, handles signals, maps errors to exit codes.
#ifndef FRONTIER_WORKER_AGENT_DAEMON_H_
#define FRONTIER_WORKER_AGENT_DAEMON_H_

#include <string>

#include "absl/status/statusor.h"
#include "frontier/v1/worker_service.pb.h"
#include "worker/agent/options.h"

namespace frontier::worker {

// Runs until told to leave; the exit code. `engine` describes the compute library. Installs signal
// handlers; once in a process.
int RunDaemon(const CommandLine& line, const std::string& engine);

// Hardware, data sets and slots as this machine would register them, as JSON.
absl::StatusOr<std::string> DescribeMachine(const WorkerOptions& options,
                                            const std::string& engine);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_DAEMON_H_
