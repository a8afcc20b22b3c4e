// Waits without waiting: pauses end at once and move the clock, but for those a test holds.
#ifndef FRONTIER_TESTS_SUPPORT_FAKE_PACER_H_
#define FRONTIER_TESTS_SUPPORT_FAKE_PACER_H_

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "common/base/mutex.h"
#include "tests/support/fake_clock.h"
#include "worker/agent/stop_event.h"

namespace frontier::testing {

// Thread-safe.
class FakePacer final : public worker::Pacer {
 public:
  // Pauses of exactly `held` end when the test says so, or with their stop.
  FakePacer(FakeClock* clock, std::vector<absl::Duration> held) : clock_(clock) {
    for (const absl::Duration duration : held) {
      held_.push_back({duration, eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE)});
    }
  }
  ~FakePacer() override {
    for (const Held& held : held_) close(held.fd);
  }

  bool Pause(const worker::StopEvent& stop, absl::Duration duration) override {
    for (const Held& held : held_) {
      if (held.duration == duration) return WaitForRelease(stop, held.fd);
    }
    {
      MutexLock lock(&mutex_);
      pauses_.push_back(duration);
    }
    clock_->Advance(duration);
    return stop.raised();
  }

  // Ends one pause of `duration`, this one or the next.
  void Release(absl::Duration duration) {
    const uint64_t one = 1;
    for (const Held& held : held_) {
      if (held.duration == duration && write(held.fd, &one, sizeof(one)) < 0) return;
    }
  }

  // All that were not held.
  std::vector<absl::Duration> pauses() const {
    MutexLock lock(&mutex_);
    return pauses_;
  }

 private:
  struct Held {
    absl::Duration duration;
    int fd = -1;
  };

  static bool WaitForRelease(const worker::StopEvent& stop, int fd) {
    pollfd items[] = {{stop.fd(), POLLIN, 0}, {fd, POLLIN, 0}};
    while (!stop.raised() && poll(items, 2, -1) >= 0) {
      uint64_t count = 0;
      if ((items[1].revents & POLLIN) != 0 && read(fd, &count, sizeof(count)) > 0) break;
    }
    return stop.raised();
  }

  FakeClock* const clock_;
  std::vector<Held> held_;
  mutable Mutex mutex_;
  std::vector<absl::Duration> pauses_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_FAKE_PACER_H_
