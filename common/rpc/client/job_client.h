// What a user's program can ask of the coordinator.
#ifndef FRONTIER_COMMON_RPC_CLIENT_JOB_CLIENT_H_
#define FRONTIER_COMMON_RPC_CLIENT_JOB_CLIENT_H_

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "frontier/v1/job_service.pb.h"

namespace frontier {

struct JobClientOptions {
  std::string address;                          // host:port
  absl::Duration deadline = absl::Seconds(10);  // of one call, watch and download left out
  absl::Duration retry_for = absl::Seconds(5);  // how long to go on while UNAVAILABLE
};

// Thread-safe. Calls are repeated while the coordinator is UNAVAILABLE or overloaded, with the same
// request id, so that none takes effect twice. Errors are the coordinator's, with their
// ErrorDetail.
class JobClient {
 public:
  virtual ~JobClient() = default;
  virtual absl::StatusOr<v1::GetServerInfoResponse> GetServerInfo() = 0;
  virtual absl::StatusOr<v1::SubmitJobResponse> SubmitJob(v1::SubmitJobRequest request) = 0;
  virtual absl::StatusOr<v1::GetJobResponse> GetJob(const v1::GetJobRequest& request) = 0;
  virtual absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest& request) = 0;
  // Calls `visit` for each answer until it returns false, the job ends (OK), or an error. Goes on
  // by itself after the connection was lost or the coordinator restarted.
  virtual absl::Status WatchJob(v1::WatchJobRequest request,
                                absl::FunctionRef<bool(const v1::WatchJobResponse&)> visit) = 0;
  virtual absl::StatusOr<v1::CancelJobResponse> CancelJob(v1::CancelJobRequest request) = 0;
  virtual absl::StatusOr<v1::PauseJobResponse> PauseJob(v1::PauseJobRequest request) = 0;
  virtual absl::StatusOr<v1::ResumeJobResponse> ResumeJob(v1::ResumeJobRequest request) = 0;
  virtual absl::StatusOr<v1::UpdateJobResponse> UpdateJob(v1::UpdateJobRequest request) = 0;
  virtual absl::StatusOr<v1::DeleteJobResponse> DeleteJob(v1::DeleteJobRequest request) = 0;
  virtual absl::StatusOr<v1::DrainWorkerResponse> DrainWorker(v1::DrainWorkerRequest request) = 0;
  virtual absl::StatusOr<v1::AdmitWorkerResponse> AdmitWorker(v1::AdmitWorkerRequest request) = 0;
  virtual absl::StatusOr<v1::ExtendSpaceResponse> ExtendSpace(v1::ExtendSpaceRequest request) = 0;
  virtual absl::StatusOr<v1::ReplayJobResponse> ReplayJob(const v1::ReplayJobRequest& request) = 0;
  virtual absl::StatusOr<v1::ListTrialsResponse> ListTrials(
      const v1::ListTrialsRequest& request) = 0;
  virtual absl::StatusOr<v1::GetTrialResponse> GetTrial(const v1::GetTrialRequest& request) = 0;
  virtual absl::StatusOr<v1::GetFrontResponse> GetFront(const v1::GetFrontRequest& request) = 0;
  // The whole serialized model.
  virtual absl::StatusOr<std::string> GetWeights(const v1::GetWeightsRequest& request) = 0;
  virtual absl::StatusOr<v1::ListWorkersResponse> ListWorkers(
      const v1::ListWorkersRequest& request) = 0;
};

// Mutating requests without a request id get one. Does not connect yet.
std::unique_ptr<JobClient> NewJobClient(const JobClientOptions& options);

}  // namespace frontier

#endif  // FRONTIER_COMMON_RPC_CLIENT_JOB_CLIENT_H_
