// Streams that follow a job.
#ifndef FRONTIER_COORDINATOR_SERVICE_WATCH_HUB_H_
#define FRONTIER_COORDINATOR_SERVICE_WATCH_HUB_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "coordinator/core/dispatcher.h"
#include "coordinator/service/service_limits.h"
#include "frontier/v1/job_service.pb.h"

namespace frontier::coordinator {

class WatchReactor;

// Keeps the open watches and tells them of changes. Each has at most one answer on its way: what
// changes meanwhile is in the next one, so a slow client costs no memory. Thread-safe; outlives its
// watches, which gRPC ends before the server is gone.
class WatchHub {
 public:
  // The pointers outlive the hub.
  WatchHub(Dispatcher* dispatcher, Clock* clock, const ServiceLimits& limits)
      : dispatcher_(dispatcher), clock_(clock), limits_(limits) {}

  // A checked request's stream. OVERLOADED if there are too many, UNAVAILABLE after Shutdown.
  absl::StatusOr<grpc::ServerWriteReactor<v1::WatchJobResponse>*> Watch(
      const v1::WatchJobRequest& request, grpc::CallbackServerContext* context);

  // Drops the watches whose last answer is on its way for too long.
  void DropSlow();

  // Polls every watched job. Not for the dispatcher's change listener itself: it calls back.
  void Notify();

  // Ends all watches with UNAVAILABLE, and those that come later.
  void Shutdown();

 private:
  friend class WatchReactor;
  void Remove(const std::shared_ptr<WatchReactor>& watch);

  Dispatcher* const dispatcher_;
  Clock* const clock_;
  const ServiceLimits limits_;
  Mutex mutex_;
  std::set<std::shared_ptr<WatchReactor>> watches_ ABSL_GUARDED_BY(mutex_);
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_WATCH_HUB_H_
