// How every unary call is answered.
#ifndef FRONTIER_COORDINATOR_SERVICE_UNARY_H_
#define FRONTIER_COORDINATOR_SERVICE_UNARY_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/rpc/grpc_status.h"
#include "coordinator/service/request_checks.h"

namespace frontier::coordinator {

// Checks `request`, then answers with what `call(*request)` gives.
template <typename Request, typename Response, typename Call>
grpc::ServerUnaryReactor* AnswerUnary(grpc::CallbackServerContext* context, const Request* request,
                                      Response* response, Call call) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::Status status = CheckRequest(*request);
  if (status.ok()) {
    absl::StatusOr<Response> result = call(*request);
    if (result.ok()) {
      *response = *std::move(result);
    } else {
      status = std::move(result).status();
    }
  }
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_UNARY_H_
