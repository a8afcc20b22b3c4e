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
#include "coordinator/service/long_calls.h"
#include "coordinator/service/request_checks.h"

namespace frontier::coordinator {

// Checks `request`, then answers with what `call(*request)` gives, once all that it tells of is
// durable.
template <typename Request, typename Response, typename Call>
void AnswerBy(grpc::ServerUnaryReactor* reactor, Dispatcher* dispatcher, const Request* request,
              Response* response, Call call) {
  const absl::Status checked = CheckRequest(*request);
  if (!checked.ok()) {
    reactor->Finish(ToGrpcStatus(checked));
    return;
  }
  const int64_t losses = dispatcher->losses();
  absl::StatusOr<Response> result = call(*request);
  const absl::Status status = result.status();
  if (result.ok()) *response = *std::move(result);
  AnswerWhenDurable(dispatcher, losses, status, [reactor](const absl::Status& answer) {
    reactor->Finish(ToGrpcStatus(answer));
  });
}

// Does so however much there is to do.
template <typename Request, typename Response, typename Call>
grpc::ServerUnaryReactor* AnswerUnary(grpc::CallbackServerContext* context, Dispatcher* dispatcher,
                                      const Request* request, Response* response, Call call) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  AnswerBy(reactor, dispatcher, request, response, std::move(call));
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

// Likewise, for a call that may take seconds: on one of the threads of `calls`. One whose client
// has gone while it waited is not begun.
template <typename Request, typename Response, typename Call>
grpc::ServerUnaryReactor* AnswerLong(grpc::CallbackServerContext* context, Admission* admission,
                                     LongCalls* calls, const Request* request, Response* response,
                                     Call call) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::Status begun = admission->Check();
  if (begun.ok()) {
    begun = calls->Run([=, call = std::move(call)]() mutable {
      if (context->IsCancelled()) {
        reactor->Finish(ToGrpcStatus(absl::CancelledError("the client did not wait")));
        return;
      }
      AnswerBy(reactor, admission->dispatcher(), request, response, std::move(call));
    });
  }
  if (!begun.ok()) reactor->Finish(ToGrpcStatus(begun));
  return reactor;
}

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_UNARY_H_
