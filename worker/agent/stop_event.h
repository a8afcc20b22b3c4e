// A flag that can be waited on, also with poll(2), and raised from a signal handler.
#ifndef FRONTIER_WORKER_AGENT_STOP_EVENT_H_
#define FRONTIER_WORKER_AGENT_STOP_EVENT_H_

#include <atomic>

#include "absl/time/time.h"

namespace frontier::worker {

// Thread-safe. Once raised it stays raised.
class StopEvent {
 public:
  // Aborts if the process has no file descriptor left.
  StopEvent();
  ~StopEvent();
  StopEvent(const StopEvent&) = delete;
  StopEvent& operator=(const StopEvent&) = delete;

  // Async-signal-safe.
  void Raise();
  bool raised() const { return raised_.load(std::memory_order_acquire); }

  // Waits until raised, at most `timeout`; whether it is raised.
  bool WaitFor(absl::Duration timeout) const;
  void Wait() const;

  // Readable once raised. Not to be read from.
  int fd() const { return fd_; }

 private:
  std::atomic<bool> raised_{false};
  int fd_ = -1;
};

// Waits between tries, so that tests need not wait. Thread-safe.
class Pacer {
 public:
  virtual ~Pacer() = default;
  // Waits for `duration`, or until `stop` is raised; whether it is raised.
  virtual bool Pause(const StopEvent& stop, absl::Duration duration) = 0;
};

class SystemPacer final : public Pacer {
 public:
  bool Pause(const StopEvent& stop, absl::Duration duration) override {
    return stop.WaitFor(duration);
  }
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_STOP_EVENT_H_
