// Streams whose peer does not keep up.
#ifndef FRONTIER_COORDINATOR_SERVICE_STREAM_GUARD_H_
#define FRONTIER_COORDINATOR_SERVICE_STREAM_GUARD_H_

#include <grpcpp/server_context.h>

#include <functional>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/base/mutex.h"

namespace frontier::coordinator {

// Of one stream: since when its reactor waits for the peer. Lets another thread cancel it, and
// keeps the reactor from finishing meanwhile, since the context is gone soon after. Thread-safe.
class StreamGuard {
 public:
  // `context` lives until the stream is done.
  explicit StreamGuard(grpc::CallbackServerContext* context) : context_(context) {}

  // Before a read or write is started, and once it is done.
  void Wait(absl::Duration now) {
    MutexLock lock(&mutex_);
    waits_since_ = now;
  }
  void Moved() {
    MutexLock lock(&mutex_);
    waits_since_.reset();
  }

  // Runs `finish`, the reactor's last step, now or when a cancellation under way has been given
  // out. Once.
  void Finish(std::function<void()> finish) {
    {
      MutexLock lock(&mutex_);
      finished_ = true;
      if (cancelling_) {
        finish_ = std::move(finish);
        return;
      }
    }
    finish();
  }

  // Cancels the stream if it has waited since before `deadline`: what it waits for fails.
  void CancelIfSlow(absl::Duration deadline) {
    {
      MutexLock lock(&mutex_);
      if (finished_ || cancelling_ || !waits_since_.has_value() || *waits_since_ >= deadline) {
        return;
      }
      cancelling_ = true;
    }
    context_->TryCancel();
    std::function<void()> finish;
    {
      MutexLock lock(&mutex_);
      cancelling_ = false;
      finish = std::move(finish_);
    }
    if (finish) finish();
  }

 private:
  grpc::CallbackServerContext* const context_;
  Mutex mutex_;
  std::optional<absl::Duration> waits_since_ ABSL_GUARDED_BY(mutex_);
  bool cancelling_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<void()> finish_ ABSL_GUARDED_BY(mutex_);  // while cancelling
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_STREAM_GUARD_H_
