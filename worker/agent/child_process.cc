#include "worker/agent/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status.h"

namespace frontier::worker {
namespace {

void Close(int* fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

// Two connected descriptors, closed with this object unless taken.
struct Channel {
  int ours = -1;
  int theirs = -1;
  ~Channel() {
    Close(&ours);
    Close(&theirs);
  }
  int TakeOurs() { return std::exchange(ours, -1); }
};

absl::Status OpenChannel(Channel* channel, bool to_child) {
  int fds[2];
  // Input is a socket: unlike a pipe it can be written to without risking SIGPIPE.
  const int failed =
      to_child ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) : pipe2(fds, O_CLOEXEC);
  if (failed != 0) return ErrnoStatus(errno, "cannot open", "a pipe to the trial process");
  channel->ours = fds[0];
  channel->theirs = fds[1];
  if (fcntl(channel->ours, F_SETFL, O_NONBLOCK) != 0) {
    return ErrnoStatus(errno, "cannot set", "a pipe to the trial process");
  }
  return absl::OkStatus();
}

std::vector<std::string> Environment(
    const std::vector<std::pair<std::string, std::string>>& variables) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    bool replaced = false;
    for (const auto& [name, value] : variables) {
      replaced = replaced || absl::StartsWith(*entry, absl::StrCat(name, "="));
    }
    if (!replaced) environment.emplace_back(*entry);
  }
  for (const auto& [name, value] : variables) {
    environment.push_back(absl::StrCat(name, "=", value));
  }
  return environment;
}

std::vector<char*> Pointers(std::vector<std::string>* strings) {
  std::vector<char*> pointers;
  for (std::string& text : *strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

absl::Duration ToDuration(const timeval& time) { return absl::DurationFromTimeval(time); }

}  // namespace

std::string ProcessEnd::Describe() const {
  if (signal == 0) return absl::StrCat("exit code ", exit_code);
  const char* name = sigabbrev_np(signal);
  return name != nullptr ? absl::StrCat("signal ", name) : absl::StrCat("signal ", signal);
}

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(
    const std::string& program, const std::vector<std::string>& arguments,
    const std::vector<std::pair<std::string, std::string>>& variables) {
  Channel input, output, error;
  RETURN_IF_ERROR(OpenChannel(&input, /*to_child=*/true));
  RETURN_IF_ERROR(OpenChannel(&output, /*to_child=*/false));
  RETURN_IF_ERROR(OpenChannel(&error, /*to_child=*/false));

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  absl::Cleanup destroy_actions = [&actions] { posix_spawn_file_actions_destroy(&actions); };
  posix_spawn_file_actions_adddup2(&actions, input.theirs, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output.theirs, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, error.theirs, STDERR_FILENO);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  absl::Cleanup destroy_attributes = [&attributes] { posix_spawnattr_destroy(&attributes); };
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);

  std::vector<std::string> argument_copies = arguments;
  std::vector<std::string> environment = Environment(variables);
  pid_t pid = -1;
  const int failed = posix_spawn(&pid, program.c_str(), &actions, &attributes,
                                 Pointers(&argument_copies).data(), Pointers(&environment).data());
  if (failed != 0) {
    return absl::InternalError(
        absl::StrCat("cannot start '", program, "': ", std::strerror(failed)));
  }
  std::unique_ptr<ChildProcess> child(new ChildProcess);
  child->pid_ = pid;
  child->input_ = input.TakeOurs();
  child->output_ = output.TakeOurs();
  child->error_ = error.TakeOurs();
  // glibc 2.36 declares pidfd_open without C linkage.
  child->pid_fd_ = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  return child;
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) Finish();
  Close(&input_);
  Close(&output_);
  Close(&error_);
  Close(&pid_fd_);
}

void ChildProcess::Feed(absl::string_view* data) {
  while (input_ >= 0 && !data->empty()) {
    const ssize_t n = send(input_, data->data(), data->size(), MSG_NOSIGNAL);
    if (n >= 0) {
      data->remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    } else if (errno != EINTR) {
      Close(&input_);
    }
  }
  Close(&input_);
}

void ChildProcess::ReadStream(int* fd, std::string* bytes) {
  constexpr size_t kMostAtOnce = size_t{1} << 20;
  char buffer[1 << 14];
  for (size_t total = 0; *fd >= 0 && total < kMostAtOnce;) {
    const ssize_t n = read(*fd, buffer, sizeof(buffer));
    if (n > 0) {
      bytes->append(buffer, static_cast<size_t>(n));
      total += static_cast<size_t>(n);
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return;
    } else if (n == 0 || errno != EINTR) {
      Close(fd);
    }
  }
}

bool ChildProcess::HasEnded() const {
  siginfo_t info = {};
  return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid_;
}

void ChildProcess::Kill() const { kill(-pid_, SIGKILL); }

ProcessEnd ChildProcess::Finish() {
  Kill();
  int status = 0;
  rusage usage = {};
  while (wait4(pid_, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  ProcessEnd end;
  if (WIFSIGNALED(status)) {
    end.signal = WTERMSIG(status);
  } else {
    end.exit_code = WEXITSTATUS(status);
  }
  end.cpu = ToDuration(usage.ru_utime) + ToDuration(usage.ru_stime);
  end.peak_resident_bytes = int64_t{usage.ru_maxrss} * 1024;
  return end;
}

}  // namespace frontier::worker
