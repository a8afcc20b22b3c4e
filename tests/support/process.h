// Child processes of tests: started, signalled, awaited, and never left behind.
#ifndef FRONTIER_TESTS_SUPPORT_PROCESS_H_
#define FRONTIER_TESTS_SUPPORT_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace frontier::testing {

// What a finished command left. `exit_code` is 128 + signal if one ended it.
struct CommandResult {
  int exit_code = 0;
  std::string output;  // standard output
  std::string errors;  // standard error
};

// Runs to the end. `input` goes to standard input.
absl::StatusOr<CommandResult> RunCommand(const std::vector<std::string>& argv,
                                         const std::string& input = "");

// A process in the background; its output is appended to a log file. Killed when dropped.
class Process {
 public:
  static absl::StatusOr<std::unique_ptr<Process>> Start(const std::vector<std::string>& argv,
                                                        const std::string& log_path);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal);
  // Waits for the end; 128 + signal if one ended it. Repeatable.
  int Wait();

 private:
  explicit Process(pid_t pid) : pid_(pid) {}

  const pid_t pid_;
  bool ended_ = false;
  int exit_code_ = 0;
};

// A TCP port on loopback that was free a moment ago.
int FreePort();

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_PROCESS_H_
