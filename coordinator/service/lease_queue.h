// Workers that wait for work.
#ifndef FRONTIER_COORDINATOR_SERVICE_LEASE_QUEUE_H_
#define FRONTIER_COORDINATOR_SERVICE_LEASE_QUEUE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "coordinator/core/dispatcher.h"
#include "frontier/v1/worker_service.pb.h"

namespace frontier::coordinator {

// Holds lease requests that found no work, without a thread for each, and tries them again, first
// come first served, when something has changed. Thread-safe; callbacks run outside the lock.
class LeaseQueue {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<v1::LeaseResponse>)>;

  // At most `most` wait at once. `wake` asks for a call of Pump from another thread, soon. The
  // pointers outlive the queue.
  LeaseQueue(Dispatcher* dispatcher, Clock* clock, size_t most, std::function<void()> wake);

  // Calls `done` once: now if there is work, an error, nothing to wait for or no place; else from
  // Pump; from Expire, with no lease, `request.wait_ms` from now; or from Shutdown. Returns an id
  // for Cancel.
  uint64_t Wait(const v1::LeaseRequest& request, Done done);

  // True if the request was still waiting: its `done` will not be called.
  bool Cancel(uint64_t id);

  // There may be work now. Cheap, from any thread.
  void NoteChange() { ++changes_; }

  // Answers those whose time is up.
  void Expire();

  // Tries those who wait. Stops after a bounded number of tries in vain and goes on from there the
  // next time. Called by one thread at a time.
  void Pump();

  // When the next wait is over, on the clock's Elapsed scale; infinite if nobody waits.
  absl::Duration NextDeadline() const;
  size_t size() const;

  // Answers all with UNAVAILABLE, and those who come later.
  void Shutdown();

 private:
  struct Waiter {
    v1::LeaseRequest request;
    absl::Duration deadline;
    Done done;
  };

  // Calls `done` once what the response tells of is durable. `losses` is from before it was made.
  void Answer(int64_t losses, absl::StatusOr<v1::LeaseResponse> response, Done done);

  // Takes `waiter` in and returns its id; leaves it if the queue was shut down or is full.
  absl::StatusOr<uint64_t> Add(Waiter* waiter);
  // The first waiter at or after `cursor_`, going round, out of the queue; false if there is none.
  bool Take(uint64_t* id, Waiter* waiter);
  // Puts back a waiter tried in vain, unless it was cancelled meanwhile or the queue was shut down.
  void PutBack(uint64_t id, Waiter waiter);

  Dispatcher* const dispatcher_;
  Clock* const clock_;
  const size_t most_;
  const std::function<void()> wake_;
  std::atomic<uint64_t> changes_ = 0;

  mutable Mutex mutex_;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, Waiter> waiters_ ABSL_GUARDED_BY(mutex_);  // in the order they came
  std::set<std::pair<absl::Duration, uint64_t>> deadlines_ ABSL_GUARDED_BY(mutex_);
  uint64_t cursor_ ABSL_GUARDED_BY(mutex_) = 0;  // where Pump goes on
  uint64_t taken_ ABSL_GUARDED_BY(mutex_) = 0;   // the one Pump is trying; 0 = none
  bool taken_cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_LEASE_QUEUE_H_
