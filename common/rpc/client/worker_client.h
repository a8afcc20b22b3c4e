// What a worker daemon can ask of its coordinator.
#ifndef FRONTIER_COMMON_RPC_CLIENT_WORKER_CLIENT_H_
#define FRONTIER_COMMON_RPC_CLIENT_WORKER_CLIENT_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "frontier/v1/worker_service.pb.h"

namespace frontier {

// Thread-safe. Each call is tried once, within its own deadline; the caller decides about repeats
// (common/rpc/retry.h). Errors are the coordinator's, with their ErrorDetail; UNAVAILABLE if it
// cannot be reached.
class WorkerClient {
 public:
  virtual ~WorkerClient() = default;
  virtual absl::StatusOr<v1::RegisterResponse> Register(const v1::RegisterRequest& request) = 0;
  // Waits for request.wait_ms and a margin for the answer.
  virtual absl::StatusOr<v1::LeaseResponse> Lease(const v1::LeaseRequest& request) = 0;
  virtual absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request) = 0;
  // Sends the file at `path` in chunks.
  virtual absl::Status UploadWeights(const v1::UploadWeightsHeader& header,
                                     const std::string& path) = 0;
  virtual absl::StatusOr<v1::ReportResponse> Report(const v1::ReportRequest& request) = 0;
  virtual absl::StatusOr<v1::GiveBackResponse> GiveBack(const v1::GiveBackRequest& request) = 0;
  // The whole model file that a leased trial inherits from.
  virtual absl::StatusOr<std::string> GetParentWeights(
      const v1::GetParentWeightsRequest& request) = 0;
  // The whole checkpoint from which a leased trial goes on.
  virtual absl::StatusOr<std::string> GetCheckpoint(const v1::GetCheckpointRequest& request) = 0;
  // Ends calls in flight with CANCELLED; later calls fail at once. For a quick way out.
  virtual void Cancel() = 0;
};

// `address` is host:port. Does not connect yet.
std::unique_ptr<WorkerClient> NewWorkerClient(const std::string& address);

// Two that share a connection. Cancel ends the calls of one alone.
std::pair<std::unique_ptr<WorkerClient>, std::unique_ptr<WorkerClient>> NewWorkerClients(
    const std::string& address);

}  // namespace frontier

#endif  // FRONTIER_COMMON_RPC_CLIENT_WORKER_CLIENT_H_
