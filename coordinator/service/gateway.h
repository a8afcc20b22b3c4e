// The coordinator on the network: the services, what waits in them, and the thread that wakes it.
#ifndef FRONTIER_COORDINATOR_SERVICE_GATEWAY_H_
#define FRONTIER_COORDINATOR_SERVICE_GATEWAY_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "coordinator/blobs/blob_store.h"
#include "coordinator/core/dispatcher.h"
#include "coordinator/service/service_limits.h"

namespace frontier::coordinator {

struct GatewayOptions {
  std::string listen = "127.0.0.1:7070";  // host:port; port 0 takes a free one
  // How often the dispatcher is told that time has passed.
  absl::Duration tick_interval = absl::Milliseconds(250);
  // How long calls in flight may take to end when it stops.
  absl::Duration stop_grace = absl::Seconds(2);
  ServiceLimits limits;
};

// Thread-safe.
class Gateway {
 public:
  // Serves when it returns. Takes the dispatcher's change listener. The pointers outlive the
  // gateway. Errors as ServerRunner::Start (common/rpc/server_runner.h).
  static absl::StatusOr<std::unique_ptr<Gateway>> Start(const GatewayOptions& options,
                                                        Dispatcher* dispatcher, BlobStore* blobs,
                                                        Clock* clock);
  virtual ~Gateway() = default;  // stops

  // Where it listens, with the port taken.
  virtual const std::string& address() const = 0;

  // Answers all who wait, ends watches, lets other calls end. Returns when nothing runs any more.
  virtual void Stop() = 0;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_GATEWAY_H_
