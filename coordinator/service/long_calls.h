// Calls that may take seconds, away from the threads that hear workers.
#ifndef FRONTIER_COORDINATOR_SERVICE_LONG_CALLS_H_
#define FRONTIER_COORDINATOR_SERVICE_LONG_CALLS_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "common/base/mutex.h"

namespace frontier::coordinator {

// A few threads with a queue. gRPC has as few as two threads for all calls: two that read all
// trials of large jobs there would keep heartbeats from being heard until leases end. Thread-safe.
class LongCalls {
 public:
  // At most `waiting` calls wait for one of `threads`.
  LongCalls(int threads, size_t waiting);
  // Runs what waits, then ends.
  ~LongCalls();
  LongCalls(const LongCalls&) = delete;
  LongCalls& operator=(const LongCalls&) = delete;

  // Runs `call` on another thread. OVERLOADED if too many wait.
  absl::Status Run(std::function<void()> call);

 private:
  void Work();

  const size_t most_waiting_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool ends_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_LONG_CALLS_H_
