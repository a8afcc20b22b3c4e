#include "worker/agent/stop_event.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace frontier::worker {

StopEvent::StopEvent() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) {
    std::perror("cannot make an eventfd");
    std::abort();
  }
}

StopEvent::~StopEvent() { close(fd_); }

void StopEvent::Raise() {
  const int saved_errno = errno;
  raised_.store(true, std::memory_order_release);
  const uint64_t one = 1;
  // Fails only if the counter is full, and then it is readable already.
  [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof(one));
  errno = saved_errno;
}

bool StopEvent::WaitFor(absl::Duration timeout) const {
  const auto deadline =
      std::chrono::steady_clock::now() +
      absl::ToChronoMicroseconds(std::clamp(timeout, absl::ZeroDuration(), absl::Hours(24 * 365)));
  while (!raised()) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    pollfd item = {fd_, POLLIN, 0};
    poll(&item, 1, static_cast<int>(std::min<int64_t>(left.count(), 1 << 30)));
  }
  return raised();
}

void StopEvent::Wait() const {
  while (!WaitFor(absl::Hours(24))) {
  }
}

}  // namespace frontier::worker
