// A started program with its standard streams in our hands.
#ifndef FRONTIER_WORKER_AGENT_CHILD_PROCESS_H_
#define FRONTIER_WORKER_AGENT_CHILD_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace frontier::worker {

// How a process ended and what it used, its waited-for children included.
struct ProcessEnd {
  int exit_code = 0;  // if signal is 0
  int signal = 0;     // that killed it
  absl::Duration cpu = absl::ZeroDuration();
  int64_t peak_resident_bytes = 0;

  // "exit code 3", "signal SEGV"
  std::string Describe() const;
};

// Leader of a process group of its own. All our ends of its streams are non-blocking. Not
// thread-safe.
class ChildProcess {
 public:
  // Starts `program` (argv[0] included in `arguments`) with this process's environment, in which
  // `variables` are replaced; default signal handling. INTERNAL with the system's reason.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(
      const std::string& program, const std::vector<std::string>& arguments,
      const std::vector<std::pair<std::string, std::string>>& variables);

  // Kills the group and waits, unless Finish did.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  int input() const { return input_; }         // a socket to its standard input; -1 once closed
  int output() const { return output_; }       // -1 once closed
  int error() const { return error_; }         // -1 once closed
  int exit_notice() const { return pid_fd_; }  // readable once it has ended; -1 = not supported

  // Writes what can be written and takes it off `*data`; closes the input once all is gone or the
  // process does not listen any more.
  void Feed(absl::string_view* data);
  // What can be read now, appended to `*bytes`, at most 1 MiB a call; closes the stream at its end.
  void ReadOutput(std::string* bytes) { ReadStream(&output_, bytes); }
  void ReadError(std::string* bytes) { ReadStream(&error_, bytes); }

  // Whether it has ended; it stays unreaped, so that its id is not given to another process.
  bool HasEnded() const;
  // Kills its group, whether or not the leader has ended.
  void Kill() const;
  // Kills the group and waits for the leader; once.
  ProcessEnd Finish();

 private:
  ChildProcess() = default;
  static void ReadStream(int* fd, std::string* bytes);

  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  int error_ = -1;
  int pid_fd_ = -1;
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_CHILD_PROCESS_H_
