#include "coordinator/service/job_service.h"

#include <string>

#include "common/base/status.h"
#include "common/base/version.h"
#include "common/rpc/grpc_status.h"
#include "coordinator/service/request_checks.h"
#include "coordinator/service/unary.h"
#include "coordinator/service/weights_reactor.h"

namespace frontier::coordinator {
namespace {

// A stream that is refused before it begins.
class RefusedWatch final : public grpc::ServerWriteReactor<v1::WatchJobResponse> {
 public:
  explicit RefusedWatch(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerUnaryReactor* JobServiceAdapter::GetServerInfo(grpc::CallbackServerContext* context,
                                                           const v1::GetServerInfoRequest* request,
                                                           v1::GetServerInfoResponse* response) {
  const absl::Status status =
      CheckProtocolVersion(kProtocolVersion, request->protocol_version(), "client");
  if (status.ok()) {
    response->set_version(std::string(ProductVersion()));
    response->set_protocol_version(kProtocolVersion);
    response->set_started_unix_us(absl::ToUnixMicros(started_));
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

grpc::ServerUnaryReactor* JobServiceAdapter::SubmitJob(grpc::CallbackServerContext* context,
                                                       const v1::SubmitJobRequest* request,
                                                       v1::SubmitJobResponse* response) {
  return AnswerLong(
      context, admission_, calls_, request, response,
      [this](const v1::SubmitJobRequest& submit) -> absl::StatusOr<v1::SubmitJobResponse> {
        RETURN_IF_ERROR(
            CheckProtocolVersion(kProtocolVersion, submit.protocol_version(), "client"));
        return dispatcher_->SubmitJob(submit);
      });
}

grpc::ServerWriteReactor<v1::WatchJobResponse>* JobServiceAdapter::WatchJob(
    grpc::CallbackServerContext* context, const v1::WatchJobRequest* request) {
  absl::Status status = CheckRequest(*request);
  if (status.ok()) status = admission_->Check();
  if (!status.ok()) return new RefusedWatch(status);
  const auto watch = watches_->Watch(*request, context);
  return watch.ok() ? *watch : new RefusedWatch(watch.status());
}

grpc::ServerWriteReactor<v1::GetWeightsResponse>* JobServiceAdapter::GetWeights(
    grpc::CallbackServerContext* context, const v1::GetWeightsRequest* request) {
  return SendWeights(admission_, blobs_, context, [&]() -> absl::StatusOr<std::string> {
    RETURN_IF_ERROR(CheckRequest(*request));
    return dispatcher_->FindWeights(*request);
  });
}

grpc::ServerUnaryReactor* JobServiceAdapter::GetJob(grpc::CallbackServerContext* context,
                                                    const v1::GetJobRequest* request,
                                                    v1::GetJobResponse* response) {
  return AnswerUnary(
      context, admission_, request, response,
      [this](const v1::GetJobRequest& checked) { return dispatcher_->GetJob(checked); });
}

grpc::ServerUnaryReactor* JobServiceAdapter::ListJobs(grpc::CallbackServerContext* context,
                                                      const v1::ListJobsRequest* request,
                                                      v1::ListJobsResponse* response) {
  return AnswerUnary(
      context, admission_, request, response,
      [this](const v1::ListJobsRequest& checked) { return dispatcher_->ListJobs(checked); });
}

grpc::ServerUnaryReactor* JobServiceAdapter::CancelJob(grpc::CallbackServerContext* context,
                                                       const v1::CancelJobRequest* request,
                                                       v1::CancelJobResponse* response) {
  return AnswerUnary(
      context, admission_, request, response,
      [this](const v1::CancelJobRequest& checked) { return dispatcher_->CancelJob(checked); });
}

grpc::ServerUnaryReactor* JobServiceAdapter::PauseJob(grpc::CallbackServerContext* context,
                                                      const v1::PauseJobRequest* request,
                                                      v1::PauseJobResponse* response) {
  return AnswerUnary(
      context, admission_, request, response,
      [this](const v1::PauseJobRequest& checked) { return dispatcher_->PauseJob(checked); });
}

grpc::ServerUnaryReactor* JobServiceAdapter::ResumeJob(grpc::CallbackServerContext* context,
                                                       const v1::ResumeJobRequest* request,
                                                       v1::ResumeJobResponse* response) {
  return AnswerUnary(
      context, admission_, request, response,
      [this](const v1::ResumeJobRequest& checked) { return dispatcher_->ResumeJob(checked); });
}

grpc::ServerUnaryReactor* JobServiceAdapter::UpdateJob(grpc::CallbackServerContext* context,
                                                       const v1::UpdateJobRequest* request,
                                                       v1::UpdateJobResponse* response) {
  return AnswerLong(
      context, admission_, calls_, request, response,
      [this](const v1::UpdateJobRequest& checked) { return dispatcher_->UpdateJob(checked); });
}

grpc::ServerUnaryReactor* JobServiceAdapter::DeleteJob(grpc::CallbackServerContext* context,
                                                       const v1::DeleteJobRequest* request,
                                                       v1::DeleteJobResponse* response) {
  return AnswerUnary(
      context, admission_, request, response,
      [this](const v1::DeleteJobRequest& checked) { return dispatcher_->DeleteJob(checked); });
}

grpc::ServerUnaryReactor* JobServiceAdapter::ExtendSpace(grpc::CallbackServerContext* context,
                                                         const v1::ExtendSpaceRequest* request,
                                                         v1::ExtendSpaceResponse* response) {
  return AnswerLong(
      context, admission_, calls_, request, response,
      [this](const v1::ExtendSpaceRequest& checked) { return dispatcher_->ExtendSpace(checked); });
}

grpc::ServerUnaryReactor* JobServiceAdapter::ReplayJob(grpc::CallbackServerContext* context,
                                                       const v1::ReplayJobRequest* request,
                                                       v1::ReplayJobResponse* response) {
  return AnswerLong(
      context, admission_, calls_, request, response,
      [this](const v1::ReplayJobRequest& checked) { return dispatcher_->ReplayJob(checked); });
}

grpc::ServerUnaryReactor* JobServiceAdapter::ListTrials(grpc::CallbackServerContext* context,
                                                        const v1::ListTrialsRequest* request,
                                                        v1::ListTrialsResponse* response) {
  return AnswerUnary(
      context, admission_, request, response,
      [this](const v1::ListTrialsRequest& checked) { return dispatcher_->ListTrials(checked); });
}

grpc::ServerUnaryReactor* JobServiceAdapter::GetTrial(grpc::CallbackServerContext* context,
                                                      const v1::GetTrialRequest* request,
                                                      v1::GetTrialResponse* response) {
  return AnswerUnary(
      context, admission_, request, response,
      [this](const v1::GetTrialRequest& checked) { return dispatcher_->GetTrial(checked); });
}

grpc::ServerUnaryReactor* JobServiceAdapter::GetFront(grpc::CallbackServerContext* context,
                                                      const v1::GetFrontRequest* request,
                                                      v1::GetFrontResponse* response) {
  return AnswerLong(
      context, admission_, calls_, request, response,
      [this](const v1::GetFrontRequest& checked) { return dispatcher_->GetFront(checked); });
}

grpc::ServerUnaryReactor* JobServiceAdapter::ListWorkers(grpc::CallbackServerContext* context,
                                                         const v1::ListWorkersRequest* request,
                                                         v1::ListWorkersResponse* response) {
  return AnswerUnary(
      context, admission_, request, response,
      [this](const v1::ListWorkersRequest& checked) { return dispatcher_->ListWorkers(checked); });
}

grpc::ServerUnaryReactor* JobServiceAdapter::DrainWorker(grpc::CallbackServerContext* context,
                                                         const v1::DrainWorkerRequest* request,
                                                         v1::DrainWorkerResponse* response) {
  return AnswerUnary(
      context, admission_, request, response,
      [this](const v1::DrainWorkerRequest& checked) { return dispatcher_->DrainWorker(checked); });
}

grpc::ServerUnaryReactor* JobServiceAdapter::AdmitWorker(grpc::CallbackServerContext* context,
                                                         const v1::AdmitWorkerRequest* request,
                                                         v1::AdmitWorkerResponse* response) {
  return AnswerUnary(
      context, admission_, request, response,
      [this](const v1::AdmitWorkerRequest& checked) { return dispatcher_->AdmitWorker(checked); });
}

}  // namespace frontier::coordinator
