// Sizes and forms of requests, checked before anything is done with them. What a value means is for
// the core to judge. All are INVALID_ARGUMENT with reason INVALID_FIELD, naming field and value.
#ifndef FRONTIER_COORDINATOR_SERVICE_REQUEST_CHECKS_H_
#define FRONTIER_COORDINATOR_SERVICE_REQUEST_CHECKS_H_

#include "absl/status/status.h"
#include "frontier/v1/job_service.pb.h"
#include "frontier/v1/worker_service.pb.h"

namespace frontier::coordinator {

absl::Status CheckRequest(const v1::SubmitJobRequest& request);
absl::Status CheckRequest(const v1::GetJobRequest& request);
absl::Status CheckRequest(const v1::ListJobsRequest& request);
absl::Status CheckRequest(const v1::WatchJobRequest& request);
absl::Status CheckRequest(const v1::CancelJobRequest& request);
absl::Status CheckRequest(const v1::PauseJobRequest& request);
absl::Status CheckRequest(const v1::ResumeJobRequest& request);
absl::Status CheckRequest(const v1::UpdateJobRequest& request);
absl::Status CheckRequest(const v1::DeleteJobRequest& request);
absl::Status CheckRequest(const v1::ExtendSpaceRequest& request);
absl::Status CheckRequest(const v1::ReplayJobRequest& request);
absl::Status CheckRequest(const v1::ListTrialsRequest& request);
absl::Status CheckRequest(const v1::GetTrialRequest& request);
absl::Status CheckRequest(const v1::GetFrontRequest& request);
absl::Status CheckRequest(const v1::GetWeightsRequest& request);
absl::Status CheckRequest(const v1::ListWorkersRequest& request);
absl::Status CheckRequest(const v1::DrainWorkerRequest& request);
absl::Status CheckRequest(const v1::AdmitWorkerRequest& request);

absl::Status CheckRequest(const v1::RegisterRequest& request);
absl::Status CheckRequest(const v1::LeaseRequest& request);
absl::Status CheckRequest(const v1::HeartbeatRequest& request);
absl::Status CheckRequest(const v1::UploadWeightsHeader& header);
absl::Status CheckRequest(const v1::ReportRequest& request);
absl::Status CheckRequest(const v1::GiveBackRequest& request);
absl::Status CheckRequest(const v1::GetParentWeightsRequest& request);
absl::Status CheckRequest(const v1::GetCheckpointRequest& request);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_REQUEST_CHECKS_H_
