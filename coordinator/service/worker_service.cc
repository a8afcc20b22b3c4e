#include "coordinator/service/worker_service.h"

#include <cstdint>
#include <utility>

#include "common/base/status.h"
#include "common/base/version.h"
#include "common/rpc/grpc_status.h"
#include "coordinator/service/request_checks.h"
#include "coordinator/service/unary.h"
#include "coordinator/service/upload_reactor.h"
#include "coordinator/service/weights_reactor.h"

namespace frontier::coordinator {
namespace {

// One long poll. Finished by the queue's answer or by OnCancel, whichever the queue says came
// first.
class LeaseReactor final : public grpc::ServerUnaryReactor {
 public:
  LeaseReactor(const Admission* admission, LeaseQueue* queue, v1::LeaseResponse* response)
      : admission_(admission), queue_(queue), response_(response) {}

  void Start(const v1::LeaseRequest& request) {
    absl::Status status = CheckRequest(request);
    if (status.ok()) status = admission_->Check();
    if (!status.ok()) {
      Finish(ToGrpcStatus(status));
      return;
    }
    id_ = queue_->Wait(request, [this](absl::StatusOr<v1::LeaseResponse> response) {
      const grpc::Status answer = ToGrpcStatus(response.status());
      if (response.ok()) *response_ = *std::move(response);
      Finish(answer);
    });
  }

  // gRPC calls this after Start has returned, if at all.
  void OnCancel() override {
    if (queue_->Cancel(id_)) Finish(grpc::Status::CANCELLED);
  }

  void OnDone() override { delete this; }

 private:
  const Admission* const admission_;
  LeaseQueue* const queue_;
  v1::LeaseResponse* const response_;
  uint64_t id_ = 0;
};

}  // namespace

grpc::ServerUnaryReactor* WorkerServiceAdapter::Register(grpc::CallbackServerContext* context,
                                                         const v1::RegisterRequest* request,
                                                         v1::RegisterResponse* response) {
  // Before the fields, which another version may fill differently.
  const absl::Status status =
      CheckProtocolVersion(kProtocolVersion, request->protocol_version(), "worker");
  if (!status.ok()) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(status));
    return reactor;
  }
  return AnswerUnary(
      context, admission_, request, response,
      [this](const v1::RegisterRequest& checked) { return dispatcher_->Register(checked); });
}

grpc::ServerUnaryReactor* WorkerServiceAdapter::Lease(grpc::CallbackServerContext*,
                                                      const v1::LeaseRequest* request,
                                                      v1::LeaseResponse* response) {
  auto* reactor = new LeaseReactor(admission_, leases_, response);
  reactor->Start(*request);
  return reactor;
}

grpc::ServerReadReactor<v1::UploadWeightsRequest>* WorkerServiceAdapter::UploadWeights(
    grpc::CallbackServerContext* context, v1::UploadWeightsResponse*) {
  return ReceiveWeights(admission_, blobs_, context);
}

grpc::ServerUnaryReactor* WorkerServiceAdapter::Heartbeat(grpc::CallbackServerContext* context,
                                                          const v1::HeartbeatRequest* request,
                                                          v1::HeartbeatResponse* response) {
  // Else leases would be lost for no fault of their workers.
  return AnswerUnary(
      context, dispatcher_, request, response,
      [this](const v1::HeartbeatRequest& checked) { return dispatcher_->Heartbeat(checked); });
}

grpc::ServerUnaryReactor* WorkerServiceAdapter::Report(grpc::CallbackServerContext* context,
                                                       const v1::ReportRequest* request,
                                                       v1::ReportResponse* response) {
  return AnswerUnary(
      context, admission_, request, response,
      [this](const v1::ReportRequest& checked) { return dispatcher_->Report(checked); });
}

grpc::ServerUnaryReactor* WorkerServiceAdapter::GiveBack(grpc::CallbackServerContext* context,
                                                         const v1::GiveBackRequest* request,
                                                         v1::GiveBackResponse* response) {
  return AnswerUnary(
      context, admission_, request, response,
      [this](const v1::GiveBackRequest& checked) { return dispatcher_->GiveBack(checked); });
}

grpc::ServerWriteReactor<v1::GetWeightsResponse>* WorkerServiceAdapter::GetParentWeights(
    grpc::CallbackServerContext* context, const v1::GetParentWeightsRequest* request) {
  return SendWeights(admission_, blobs_, context, [&]() -> absl::StatusOr<std::string> {
    RETURN_IF_ERROR(CheckRequest(*request));
    return dispatcher_->FindParentWeights(*request);
  });
}

grpc::ServerWriteReactor<v1::GetWeightsResponse>* WorkerServiceAdapter::GetCheckpoint(
    grpc::CallbackServerContext* context, const v1::GetCheckpointRequest* request) {
  return SendWeights(admission_, blobs_, context, [&]() -> absl::StatusOr<std::string> {
    RETURN_IF_ERROR(CheckRequest(*request));
    return dispatcher_->FindCheckpoint(*request);
  });
}

}  // namespace frontier::coordinator
