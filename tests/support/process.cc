#include "tests/support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"

extern char** environ;

namespace frontier::testing {
namespace {

absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& argv, int input, int output,
                            int errors) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  absl::Cleanup destroy = [&actions] { posix_spawn_file_actions_destroy(&actions); };
  posix_spawn_file_actions_adddup2(&actions, input, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, errors, 2);
  std::vector<char*> args;
  for (const std::string& arg : argv) args.push_back(const_cast<char*>(arg.c_str()));
  args.push_back(nullptr);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, args[0], &actions, nullptr, args.data(), environ);
  if (error != 0) return ErrnoStatus(error, "cannot start", argv[0]);
  return pid;
}

int ExitCode(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

int WaitFor(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return ExitCode(status);
}

// An unlinked file that both sides can use without ever blocking on a full pipe.
absl::StatusOr<FILE*> ScratchFile() {
  FILE* file = std::tmpfile();
  if (file == nullptr) return ErrnoStatus(errno, "cannot create", "temporary file");
  return file;
}

std::string ReadAll(FILE* file) {
  std::string content;
  std::rewind(file);
  char buffer[4096];
  size_t n = 0;
  while ((n = std::fread(buffer, 1, sizeof(buffer), file)) > 0) content.append(buffer, n);
  return content;
}

}  // namespace

absl::StatusOr<CommandResult> RunCommand(const std::vector<std::string>& argv,
                                         const std::string& input) {
  FILE* files[3] = {};
  absl::Cleanup closer = [&files] {
    for (FILE* file : files) {
      if (file != nullptr) std::fclose(file);
    }
  };
  for (FILE*& file : files) {
    absl::StatusOr<FILE*> scratch = ScratchFile();
    if (!scratch.ok()) return scratch.status();
    file = *scratch;
  }
  std::fwrite(input.data(), 1, input.size(), files[0]);
  std::fflush(files[0]);
  std::rewind(files[0]);
  absl::StatusOr<pid_t> pid = Spawn(argv, fileno(files[0]), fileno(files[1]), fileno(files[2]));
  if (!pid.ok()) return pid.status();
  CommandResult result;
  result.exit_code = WaitFor(*pid);
  result.output = ReadAll(files[1]);
  result.errors = ReadAll(files[2]);
  return result;
}

absl::StatusOr<std::unique_ptr<Process>> Process::Start(const std::vector<std::string>& argv,
                                                        const std::string& log_path) {
  const int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  absl::Cleanup closer = [input, log] {
    close(input);
    if (log >= 0) close(log);
  };
  if (log < 0) return ErrnoStatus(errno, "cannot create", log_path);
  absl::StatusOr<pid_t> pid = Spawn(argv, input, log, log);
  if (!pid.ok()) return pid.status();
  return std::unique_ptr<Process>(new Process(*pid));
}

Process::~Process() {
  Signal(SIGKILL);
  Wait();
}

void Process::Signal(int signal) {
  if (!ended_) kill(pid_, signal);
}

int Process::Wait() {
  if (!ended_) {
    exit_code_ = WaitFor(pid_);
    ended_ = true;
  }
  return exit_code_;
}

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

}  // namespace frontier::testing
