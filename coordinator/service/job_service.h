// The service for clients over the dispatcher: checks, converts, calls, converts back.
#ifndef FRONTIER_COORDINATOR_SERVICE_JOB_SERVICE_H_
#define FRONTIER_COORDINATOR_SERVICE_JOB_SERVICE_H_

#include "absl/time/time.h"
#include "coordinator/blobs/blob_store.h"
#include "coordinator/core/dispatcher.h"
#include "coordinator/service/admission.h"
#include "coordinator/service/long_calls.h"
#include "coordinator/service/watch_hub.h"
#include "frontier/v1/job_service.grpc.pb.h"

namespace frontier::coordinator {

// Thread-safe. The pointers outlive the service.
class JobServiceAdapter final : public v1::JobService::CallbackService {
 public:
  JobServiceAdapter(Admission* admission, LongCalls* calls, const BlobStore* blobs,
                    WatchHub* watches, absl::Time started)
      : admission_(admission),
        calls_(calls),
        dispatcher_(admission->dispatcher()),
        blobs_(blobs),
        watches_(watches),
        started_(started) {}

  grpc::ServerUnaryReactor* GetServerInfo(grpc::CallbackServerContext* context,
                                          const v1::GetServerInfoRequest* request,
                                          v1::GetServerInfoResponse* response) override;
  grpc::ServerUnaryReactor* SubmitJob(grpc::CallbackServerContext* context,
                                      const v1::SubmitJobRequest* request,
                                      v1::SubmitJobResponse* response) override;
  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context,
                                   const v1::GetJobRequest* request,
                                   v1::GetJobResponse* response) override;
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* context,
                                     const v1::ListJobsRequest* request,
                                     v1::ListJobsResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchJobResponse>* WatchJob(
      grpc::CallbackServerContext* context, const v1::WatchJobRequest* request) override;
  grpc::ServerUnaryReactor* CancelJob(grpc::CallbackServerContext* context,
                                      const v1::CancelJobRequest* request,
                                      v1::CancelJobResponse* response) override;
  grpc::ServerUnaryReactor* PauseJob(grpc::CallbackServerContext* context,
                                     const v1::PauseJobRequest* request,
                                     v1::PauseJobResponse* response) override;
  grpc::ServerUnaryReactor* ResumeJob(grpc::CallbackServerContext* context,
                                      const v1::ResumeJobRequest* request,
                                      v1::ResumeJobResponse* response) override;
  grpc::ServerUnaryReactor* UpdateJob(grpc::CallbackServerContext* context,
                                      const v1::UpdateJobRequest* request,
                                      v1::UpdateJobResponse* response) override;
  grpc::ServerUnaryReactor* DeleteJob(grpc::CallbackServerContext* context,
                                      const v1::DeleteJobRequest* request,
                                      v1::DeleteJobResponse* response) override;
  grpc::ServerUnaryReactor* ExtendSpace(grpc::CallbackServerContext* context,
                                        const v1::ExtendSpaceRequest* request,
                                        v1::ExtendSpaceResponse* response) override;
  grpc::ServerUnaryReactor* ReplayJob(grpc::CallbackServerContext* context,
                                      const v1::ReplayJobRequest* request,
                                      v1::ReplayJobResponse* response) override;
  grpc::ServerUnaryReactor* ListTrials(grpc::CallbackServerContext* context,
                                       const v1::ListTrialsRequest* request,
                                       v1::ListTrialsResponse* response) override;
  grpc::ServerUnaryReactor* GetTrial(grpc::CallbackServerContext* context,
                                     const v1::GetTrialRequest* request,
                                     v1::GetTrialResponse* response) override;
  grpc::ServerUnaryReactor* GetFront(grpc::CallbackServerContext* context,
                                     const v1::GetFrontRequest* request,
                                     v1::GetFrontResponse* response) override;
  grpc::ServerWriteReactor<v1::GetWeightsResponse>* GetWeights(
      grpc::CallbackServerContext* context, const v1::GetWeightsRequest* request) override;
  grpc::ServerUnaryReactor* ListWorkers(grpc::CallbackServerContext* context,
                                        const v1::ListWorkersRequest* request,
                                        v1::ListWorkersResponse* response) override;
  grpc::ServerUnaryReactor* DrainWorker(grpc::CallbackServerContext* context,
                                        const v1::DrainWorkerRequest* request,
                                        v1::DrainWorkerResponse* response) override;
  grpc::ServerUnaryReactor* AdmitWorker(grpc::CallbackServerContext* context,
                                        const v1::AdmitWorkerRequest* request,
                                        v1::AdmitWorkerResponse* response) override;

 private:
  Admission* const admission_;
  LongCalls* const calls_;
  Dispatcher* const dispatcher_;
  const BlobStore* const blobs_;
  WatchHub* const watches_;
  const absl::Time started_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_JOB_SERVICE_H_
