// The stream by which a client or a worker gets the weights of a trial.
#ifndef FRONTIER_COORDINATOR_SERVICE_WEIGHTS_REACTOR_H_
#define FRONTIER_COORDINATOR_SERVICE_WEIGHTS_REACTOR_H_

#include <grpcpp/support/server_callback.h>

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "coordinator/blobs/blob_store.h"
#include "coordinator/service/admission.h"
#include "frontier/v1/job_service.pb.h"

namespace frontier::coordinator {

// The blob whose digest `find` gives, or the error. Reads one chunk at a time, as the client takes
// them. Deletes itself.
grpc::ServerWriteReactor<v1::GetWeightsResponse>* SendWeights(
    Admission* admission, const BlobStore* blobs, grpc::CallbackServerContext* context,
    absl::FunctionRef<absl::StatusOr<std::string>()> find);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_WEIGHTS_REACTOR_H_
