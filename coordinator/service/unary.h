// How every unary call is answered.
#ifndef FRONTIER_COORDINATOR_SERVICE_UNARY_H_
#define FRONTIER_COORDINATOR_SERVICE_UNARY_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/rpc/grpc_status.h"
#include "coordinator/core/dispatcher.h"
#include "coordinator/service/admission.h"
#include "coordinator/service/durable.h"
#include "coordinator/service/request_checks.h"

namespace frontier::coordinator {

// Checks `request`, then answers with what `call(*request)` gives, once all that it tells of is
// durable. However much there is to do.
template <typename Request, typename Response, typename Call>
grpc::ServerUnaryReactor* AnswerUnary(grpc::CallbackServerContext* context, Dispatcher* dispatcher,
                                      const Request* request, Response* response, Call call) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::Status checked = CheckRequest(*request);
  if (!checked.ok()) {
    reactor->Finish(ToGrpcStatus(checked));
    return reactor;
  }
  const int64_t losses = dispatcher->losses();
  absl::StatusOr<Response> result = call(*request);
  const absl::Status status = result.status();
  if (result.ok()) *response = *std::move(result);
  AnswerWhenDurable(dispatcher, losses, status, [reactor](const absl::Status& answer) {
    reactor->Finish(ToGrpcStatus(answer));
  });
  return reactor;
}

// Likewise, unless there is too much to do.
template <typename Request, typename Response, typename Call>
grpc::ServerUnaryReactor* AnswerUnary(grpc::CallbackServerContext* context, Admission* admission,
                                      const Request* request, Response* response, Call call) {
  const absl::Status admitted = admission->Check();
  if (admitted.ok()) {
    return AnswerUnary(context, admission->dispatcher(), request, response, std::move(call));
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(admitted));
  return reactor;
}

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_UNARY_H_
