// Who is let in.
#ifndef FRONTIER_COORDINATOR_SERVICE_ADMISSION_H_
#define FRONTIER_COORDINATOR_SERVICE_ADMISSION_H_

#include <grpcpp/server_context.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "coordinator/core/dispatcher.h"
#include "coordinator/service/overload.h"
#include "coordinator/service/service_limits.h"
#include "coordinator/service/stream_guard.h"

namespace frontier::coordinator {

// Thread-safe.
class Admission {
 public:
  // The pointers outlive it.
  Admission(const ServiceLimits& limits, Dispatcher* dispatcher, Clock* clock)
      : limits_(limits), dispatcher_(dispatcher), clock_(clock) {}

  const ServiceLimits& limits() const { return limits_; }
  Dispatcher* dispatcher() const { return dispatcher_; }

  // OVERLOADED while the store is too far behind.
  absl::Status Check() const;

  // The place of a stream of a model, given back when it is destroyed.
  class Transfer {
   public:
    Transfer(Admission* admission, std::shared_ptr<StreamGuard> guard)
        : admission_(admission), guard_(std::move(guard)) {}
    ~Transfer() { admission_->EndTransfer(guard_); }
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    // Around each read or write.
    void Wait() { guard_->Wait(admission_->clock_->Elapsed()); }
    void Moved() { guard_->Moved(); }
    // As StreamGuard::Finish.
    void Finish(std::function<void()> finish) { guard_->Finish(std::move(finish)); }

   private:
    Admission* const admission_;
    const std::shared_ptr<StreamGuard> guard_;
  };
  // OVERLOADED if there are too many. `context` is the stream's.
  absl::StatusOr<std::unique_ptr<Transfer>> BeginTransfer(grpc::CallbackServerContext* context);

  // Ends transfers whose peer does not keep up.
  void DropSlow();

 private:
  void EndTransfer(const std::shared_ptr<StreamGuard>& guard);

  const ServiceLimits limits_;
  Dispatcher* const dispatcher_;
  Clock* const clock_;
  Mutex mutex_;
  std::set<std::shared_ptr<StreamGuard>> transfers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_ADMISSION_H_
