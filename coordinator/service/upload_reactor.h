// The stream by which a worker hands over trained weights.
#ifndef FRONTIER_COORDINATOR_SERVICE_UPLOAD_REACTOR_H_
#define FRONTIER_COORDINATOR_SERVICE_UPLOAD_REACTOR_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "coordinator/blobs/blob_store.h"
#include "coordinator/service/admission.h"
#include "frontier/v1/worker_service.pb.h"

namespace frontier::coordinator {

// Takes the header, asks the dispatcher whether the lease is held, then writes the chunks into
// `blobs`; durable once answered with OK. Deletes itself.
grpc::ServerReadReactor<v1::UploadWeightsRequest>* ReceiveWeights(
    Admission* admission, BlobStore* blobs, grpc::CallbackServerContext* context);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_UPLOAD_REACTOR_H_
