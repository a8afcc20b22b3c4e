// A whole coordinator in one object: store, blobs, dispatcher and gateway.
#ifndef FRONTIER_COORDINATOR_SERVICE_COORDINATOR_SERVER_H_
#define FRONTIER_COORDINATOR_SERVICE_COORDINATOR_SERVER_H_

#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "coordinator/blobs/blob_store.h"
#include "coordinator/core/dispatcher.h"
#include "coordinator/service/gateway.h"
#include "coordinator/storage/group_journal.h"
#include "coordinator/storage/store.h"

namespace frontier::coordinator {

struct CoordinatorServerOptions {
  std::string data_dir;  // made if absent; holds frontier.db and blobs/
  // How long to wait for another process that holds the database.
  absl::Duration database_wait = absl::Seconds(5);
  DispatcherOptions dispatcher;
  GatewayOptions gateway;
};

// Not thread-safe.
class CoordinatorServer {
 public:
  // Opens what is in the data folder and restores from it. Errors: those of the store and of the
  // blobs, or INVALID_ARGUMENT for durations that make no sense.
  static absl::StatusOr<std::unique_ptr<CoordinatorServer>> Create(
      const CoordinatorServerOptions& options, Clock* clock);
  ~CoordinatorServer();  // stops
  CoordinatorServer(const CoordinatorServer&) = delete;
  CoordinatorServer& operator=(const CoordinatorServer&) = delete;

  // Once. Serves when it returns. Errors as Gateway::Start.
  absl::Status Serve();
  // Where it serves, with the port taken.
  const std::string& address() const { return gateway_->address(); }
  // Lets calls end, and commits what they have left.
  void Stop();

 private:
  CoordinatorServer(const CoordinatorServerOptions& options, Clock* clock);

  const CoordinatorServerOptions options_;
  Clock* const clock_;
  // In the order in which they stand on each other.
  std::unique_ptr<Store> store_;
  std::unique_ptr<GroupJournal> journal_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<Gateway> gateway_;
  std::thread journal_thread_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_COORDINATOR_SERVER_H_
