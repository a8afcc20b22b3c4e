// The service for worker daemons over the dispatcher: checks, converts, calls, converts back.
#ifndef FRONTIER_COORDINATOR_SERVICE_WORKER_SERVICE_H_
#define FRONTIER_COORDINATOR_SERVICE_WORKER_SERVICE_H_

#include "coordinator/blobs/blob_store.h"
#include "coordinator/core/dispatcher.h"
#include "coordinator/service/admission.h"
#include "coordinator/service/lease_queue.h"
#include "frontier/v1/worker_service.grpc.pb.h"

namespace frontier::coordinator {

// Thread-safe. The pointers outlive the service.
class WorkerServiceAdapter final : public v1::WorkerService::CallbackService {
 public:
  WorkerServiceAdapter(Admission* admission, BlobStore* blobs, LeaseQueue* leases)
      : admission_(admission),
        dispatcher_(admission->dispatcher()),
        blobs_(blobs),
        leases_(leases) {}

  grpc::ServerUnaryReactor* Register(grpc::CallbackServerContext* context,
                                     const v1::RegisterRequest* request,
                                     v1::RegisterResponse* response) override;
  grpc::ServerUnaryReactor* Lease(grpc::CallbackServerContext* context,
                                  const v1::LeaseRequest* request,
                                  v1::LeaseResponse* response) override;
  grpc::ServerUnaryReactor* Heartbeat(grpc::CallbackServerContext* context,
                                      const v1::HeartbeatRequest* request,
                                      v1::HeartbeatResponse* response) override;
  grpc::ServerReadReactor<v1::UploadWeightsRequest>* UploadWeights(
      grpc::CallbackServerContext* context, v1::UploadWeightsResponse* response) override;
  grpc::ServerUnaryReactor* Report(grpc::CallbackServerContext* context,
                                   const v1::ReportRequest* request,
                                   v1::ReportResponse* response) override;
  grpc::ServerUnaryReactor* GiveBack(grpc::CallbackServerContext* context,
                                     const v1::GiveBackRequest* request,
                                     v1::GiveBackResponse* response) override;
  grpc::ServerWriteReactor<v1::GetWeightsResponse>* GetParentWeights(
      grpc::CallbackServerContext* context, const v1::GetParentWeightsRequest* request) override;
  grpc::ServerWriteReactor<v1::GetWeightsResponse>* GetCheckpoint(
      grpc::CallbackServerContext* context, const v1::GetCheckpointRequest* request) override;

 private:
  Admission* const admission_;
  Dispatcher* const dispatcher_;
  BlobStore* const blobs_;
  LeaseQueue* const leases_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_WORKER_SERVICE_H_
