#include "common/rpc/client/job_client.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "common/rpc/request_id.h"
#include "common/rpc/retry.h"
#include "frontier/v1/job_service.grpc.pb.h"

namespace frontier {
namespace {

constexpr absl::Duration kFirstWait = absl::Milliseconds(50);
constexpr absl::Duration kLongestWait = absl::Seconds(1);

Rng RandomlySeeded() {
  std::random_device source;
  return Rng(uint64_t{source()} << 32 | source());
}

// Repeats what is retryable, for a limited time since the last success.
class Retries {
 public:
  explicit Retries(absl::Duration limit)
      : limit_(limit),
        backoff_(kFirstWait, kLongestWait, RandomlySeeded()),
        since_(clock_.Elapsed()) {}

  void Succeeded() {
    since_ = clock_.Elapsed();
    backoff_.Reset();
  }

  // Whether to go on after `status`; waits first.
  bool Next(const absl::Status& status) {
    if (!IsRetryable(status)) return false;
    const absl::Duration wait = RetryAfter(status) + backoff_.Next();
    if (clock_.Elapsed() - since_ + wait > limit_) return false;
    absl::SleepFor(wait);
    return true;
  }

 private:
  SystemClock clock_;
  const absl::Duration limit_;
  Backoff backoff_;
  absl::Duration since_;
};

class GrpcJobClient final : public JobClient {
 public:
  explicit GrpcJobClient(const JobClientOptions& options)
      : options_(options),
        channel_(NewChannel(options.address)),
        stub_(v1::JobService::NewStub(channel_)) {}

  absl::StatusOr<v1::GetServerInfoResponse> GetServerInfo() override {
    v1::GetServerInfoRequest request;
    request.set_protocol_version(kProtocolVersion);
    return Call<v1::GetServerInfoResponse>(request, &v1::JobService::Stub::GetServerInfo);
  }
  absl::StatusOr<v1::SubmitJobResponse> SubmitJob(v1::SubmitJobRequest request) override {
    if (request.protocol_version() == 0) request.set_protocol_version(kProtocolVersion);
    return Mutate<v1::SubmitJobResponse>(&request, &v1::JobService::Stub::SubmitJob);
  }
  absl::StatusOr<v1::GetJobResponse> GetJob(const v1::GetJobRequest& request) override {
    return Call<v1::GetJobResponse>(request, &v1::JobService::Stub::GetJob);
  }
  absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest& request) override {
    return Call<v1::ListJobsResponse>(request, &v1::JobService::Stub::ListJobs);
  }
  absl::StatusOr<v1::CancelJobResponse> CancelJob(v1::CancelJobRequest request) override {
    return Mutate<v1::CancelJobResponse>(&request, &v1::JobService::Stub::CancelJob);
  }
  absl::StatusOr<v1::PauseJobResponse> PauseJob(v1::PauseJobRequest request) override {
    return Mutate<v1::PauseJobResponse>(&request, &v1::JobService::Stub::PauseJob);
  }
  absl::StatusOr<v1::ResumeJobResponse> ResumeJob(v1::ResumeJobRequest request) override {
    return Mutate<v1::ResumeJobResponse>(&request, &v1::JobService::Stub::ResumeJob);
  }
  absl::StatusOr<v1::UpdateJobResponse> UpdateJob(v1::UpdateJobRequest request) override {
    return Mutate<v1::UpdateJobResponse>(&request, &v1::JobService::Stub::UpdateJob);
  }
  absl::StatusOr<v1::DeleteJobResponse> DeleteJob(v1::DeleteJobRequest request) override {
    return Mutate<v1::DeleteJobResponse>(&request, &v1::JobService::Stub::DeleteJob);
  }
  absl::StatusOr<v1::DrainWorkerResponse> DrainWorker(v1::DrainWorkerRequest request) override {
    return Mutate<v1::DrainWorkerResponse>(&request, &v1::JobService::Stub::DrainWorker);
  }
  absl::StatusOr<v1::AdmitWorkerResponse> AdmitWorker(v1::AdmitWorkerRequest request) override {
    return Mutate<v1::AdmitWorkerResponse>(&request, &v1::JobService::Stub::AdmitWorker);
  }
  absl::StatusOr<v1::ExtendSpaceResponse> ExtendSpace(v1::ExtendSpaceRequest request) override {
    return Mutate<v1::ExtendSpaceResponse>(&request, &v1::JobService::Stub::ExtendSpace);
  }
  absl::StatusOr<v1::ReplayJobResponse> ReplayJob(const v1::ReplayJobRequest& request) override {
    return Call<v1::ReplayJobResponse>(request, &v1::JobService::Stub::ReplayJob);
  }
  absl::StatusOr<v1::ListTrialsResponse> ListTrials(const v1::ListTrialsRequest& request) override {
    return Call<v1::ListTrialsResponse>(request, &v1::JobService::Stub::ListTrials);
  }
  absl::StatusOr<v1::GetTrialResponse> GetTrial(const v1::GetTrialRequest& request) override {
    return Call<v1::GetTrialResponse>(request, &v1::JobService::Stub::GetTrial);
  }
  absl::StatusOr<v1::GetFrontResponse> GetFront(const v1::GetFrontRequest& request) override {
    return Call<v1::GetFrontResponse>(request, &v1::JobService::Stub::GetFront);
  }
  absl::StatusOr<v1::ListWorkersResponse> ListWorkers(
      const v1::ListWorkersRequest& request) override {
    return Call<v1::ListWorkersResponse>(request, &v1::JobService::Stub::ListWorkers);
  }

  absl::Status WatchJob(v1::WatchJobRequest request,
                        absl::FunctionRef<bool(const v1::WatchJobResponse&)> visit) override {
    Retries retries(options_.retry_for);
    while (true) {
      AwaitConnection(channel_.get());
      grpc::ClientContext context;
      const std::unique_ptr<grpc::ClientReader<v1::WatchJobResponse>> reader =
          stub_->WatchJob(&context, request);
      v1::WatchJobResponse response;
      bool wanted = true;
      while (wanted && reader->Read(&response)) {
        retries.Succeeded();
        request.set_after_event(std::max(request.after_event(), response.last_event()));
        wanted = visit(response);
      }
      if (!wanted) {
        context.TryCancel();
        reader->Finish();
        return absl::OkStatus();
      }
      absl::Status status = Describe(reader->Finish());
      // Who reads too slowly is dropped, and may go on where it was.
      if (absl::IsCancelled(status)) status = absl::UnavailableError(status.message());
      if (status.ok() || !retries.Next(status)) return status;
    }
  }

  absl::StatusOr<std::string> GetWeights(const v1::GetWeightsRequest& request) override {
    Retries retries(options_.retry_for);
    while (true) {
      AwaitConnection(channel_.get());
      grpc::ClientContext context;
      const std::unique_ptr<grpc::ClientReader<v1::GetWeightsResponse>> reader =
          stub_->GetWeights(&context, request);
      std::string bytes;
      v1::GetWeightsResponse response;
      while (reader->Read(&response)) {
        retries.Succeeded();
        bytes.append(response.chunk());
      }
      absl::Status status = Describe(reader->Finish());
      if (status.ok()) return bytes;
      if (!retries.Next(status)) return status;
    }
  }

 private:
  template <typename Request, typename Response>
  using Method = grpc::Status (v1::JobService::Stub::*)(grpc::ClientContext*, const Request&,
                                                        Response*);

  absl::Status Describe(const grpc::Status& status) const {
    return DescribeFailure(FromGrpcStatus(status), options_.address);
  }

  template <typename Response, typename Request>
  absl::StatusOr<Response> Call(const Request& request, Method<Request, Response> method) {
    Retries retries(options_.retry_for);
    while (true) {
      AwaitConnection(channel_.get());
      grpc::ClientContext context;
      SetDeadline(options_.deadline, &context);
      Response response;
      absl::Status status = Describe((stub_.get()->*method)(&context, request, &response));
      if (status.ok()) return response;
      if (!retries.Next(status)) return status;
    }
  }

  template <typename Response, typename Request>
  absl::StatusOr<Response> Mutate(Request* request, Method<Request, Response> method) {
    if (request->request_id().empty()) request->set_request_id(NewRequestId());
    return Call<Response>(*request, method);
  }

  const JobClientOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::JobService::Stub> stub_;
};

}  // namespace

std::unique_ptr<JobClient> NewJobClient(const JobClientOptions& options) {
  return std::make_unique<GrpcJobClient>(options);
}

}  // namespace frontier
