// A coordinator's answers from memory, and a record of what was asked.
#ifndef FRONTIER_TESTS_SUPPORT_FAKE_JOB_CLIENT_H_
#define FRONTIER_TESTS_SUPPORT_FAKE_JOB_CLIENT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/rpc/client/job_client.h"

namespace frontier::testing {

// What all fakes of one test share; outlives them.
struct FakeCoordinator {
  absl::Status error;  // answer to every call unless OK
  v1::GetServerInfoResponse info;
  std::vector<v1::Job> jobs;      // newest first
  std::vector<v1::Trial> trials;  // of every job
  std::vector<v1::Worker> workers;
  std::vector<v1::WatchJobResponse> watch;
  std::string weights;

  JobClientOptions options;  // of the last client
  std::vector<v1::SubmitJobRequest> submitted;
  std::vector<v1::ExtendSpaceRequest> extended;
  std::vector<v1::UpdateJobRequest> updated;
  std::vector<int64_t> deleted;
  std::vector<v1::WatchJobRequest> watched;
  std::vector<v1::GetWeightsRequest> weights_of;
  std::vector<v1::ReplayJobRequest> replayed;
  std::vector<v1::ReplayJobResponse> replays;  // answers, in order
  std::vector<int32_t> page_sizes;             // asked for
};

class FakeJobClient final : public JobClient {
 public:
  explicit FakeJobClient(FakeCoordinator* coordinator) : c_(coordinator) {}

  absl::StatusOr<v1::GetServerInfoResponse> GetServerInfo() override {
    return Answer<v1::GetServerInfoResponse>(c_->info);
  }
  absl::StatusOr<v1::SubmitJobResponse> SubmitJob(v1::SubmitJobRequest request) override {
    c_->submitted.push_back(request);
    v1::SubmitJobResponse response;
    *response.mutable_job()->mutable_spec() = request.spec();
    if (!request.validate_only()) response.mutable_job()->set_id(3);
    response.mutable_job()->set_state(v1::JOB_STATE_RUNNING);
    response.mutable_job()->set_space_size("1152");
    return Answer(response);
  }
  absl::StatusOr<v1::GetJobResponse> GetJob(const v1::GetJobRequest& request) override {
    return ForJob<v1::GetJobResponse>(request.job_id());
  }
  absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest& request) override {
    v1::ListJobsResponse response;
    const size_t end = Page(request, c_->jobs.size(), &response);
    for (size_t i = Begin(request); i < end; ++i) *response.add_jobs() = c_->jobs[i];
    return Answer(response);
  }
  absl::Status WatchJob(v1::WatchJobRequest request,
                        absl::FunctionRef<bool(const v1::WatchJobResponse&)> visit) override {
    c_->watched.push_back(std::move(request));
    if (!c_->error.ok()) return c_->error;
    for (const v1::WatchJobResponse& response : c_->watch) {
      if (!visit(response)) break;
    }
    return absl::OkStatus();
  }
  absl::StatusOr<v1::CancelJobResponse> CancelJob(v1::CancelJobRequest request) override {
    return InState<v1::CancelJobResponse>(request.job_id(), v1::JOB_STATE_CANCELLED);
  }
  absl::StatusOr<v1::PauseJobResponse> PauseJob(v1::PauseJobRequest request) override {
    return InState<v1::PauseJobResponse>(request.job_id(), v1::JOB_STATE_PAUSED);
  }
  absl::StatusOr<v1::ResumeJobResponse> ResumeJob(v1::ResumeJobRequest request) override {
    return InState<v1::ResumeJobResponse>(request.job_id(), v1::JOB_STATE_RUNNING);
  }
  absl::StatusOr<v1::UpdateJobResponse> UpdateJob(v1::UpdateJobRequest request) override {
    c_->updated.push_back(request);
    ASSIGN_OR_RETURN(v1::UpdateJobResponse response,
                     ForJob<v1::UpdateJobResponse>(request.job_id()));
    response.mutable_job()->set_state(v1::JOB_STATE_RUNNING);
    v1::JobSpec* spec = response.mutable_job()->mutable_spec();
    if (request.has_budget()) *spec->mutable_budget() = request.budget();
    if (request.has_priority()) spec->set_priority(request.priority());
    if (request.has_share()) spec->set_share(request.share());
    if (request.has_max_parallel_trials()) {
      spec->set_max_parallel_trials(request.max_parallel_trials());
    }
    return response;
  }
  absl::StatusOr<v1::DeleteJobResponse> DeleteJob(v1::DeleteJobRequest request) override {
    RETURN_IF_ERROR(ForJob<v1::GetJobResponse>(request.job_id()).status());
    c_->deleted.push_back(request.job_id());
    return v1::DeleteJobResponse();
  }
  absl::StatusOr<v1::DrainWorkerResponse> DrainWorker(v1::DrainWorkerRequest request) override {
    ASSIGN_OR_RETURN(v1::DrainWorkerResponse response,
                     ForWorker<v1::DrainWorkerResponse>(request.worker_id()));
    response.mutable_worker()->set_draining(true);
    return response;
  }
  absl::StatusOr<v1::AdmitWorkerResponse> AdmitWorker(v1::AdmitWorkerRequest request) override {
    return ForWorker<v1::AdmitWorkerResponse>(request.worker_id());
  }
  absl::StatusOr<v1::ExtendSpaceResponse> ExtendSpace(v1::ExtendSpaceRequest request) override {
    c_->extended.push_back(request);
    ASSIGN_OR_RETURN(v1::ExtendSpaceResponse response,
                     ForJob<v1::ExtendSpaceResponse>(request.job_id()));
    v1::SearchSpace* space = response.mutable_job()->mutable_spec()->mutable_search_space();
    *space = request.search_space();
    space->set_version(request.from_version() + 1);
    response.mutable_job()->set_space_size("2304");
    return response;
  }
  absl::StatusOr<v1::ReplayJobResponse> ReplayJob(const v1::ReplayJobRequest& request) override {
    RETURN_IF_ERROR(ForJob<v1::GetJobResponse>(request.job_id()).status());
    c_->replayed.push_back(request);
    v1::ReplayJobResponse response = c_->replays.front();
    c_->replays.erase(c_->replays.begin());
    return response;
  }
  absl::StatusOr<v1::ListTrialsResponse> ListTrials(const v1::ListTrialsRequest& request) override {
    std::vector<v1::Trial> chosen;
    for (const v1::Trial& trial : c_->trials) {
      if (request.state() == v1::TRIAL_STATE_UNSPECIFIED || trial.state() == request.state()) {
        chosen.push_back(trial);
      }
    }
    v1::ListTrialsResponse response;
    const size_t end = Page(request, chosen.size(), &response);
    for (size_t i = Begin(request); i < end; ++i) *response.add_trials() = chosen[i];
    return Answer(response);
  }
  absl::StatusOr<v1::GetTrialResponse> GetTrial(const v1::GetTrialRequest& request) override {
    for (const v1::Trial& trial : c_->trials) {
      if (trial.job_id() != request.job_id() || trial.number() != request.trial()) continue;
      v1::GetTrialResponse response;
      *response.mutable_trial() = trial;
      return Answer(response);
    }
    if (!c_->error.ok()) return c_->error;
    return absl::NotFoundError(
        absl::StrCat("trial ", request.trial(), " of job ", request.job_id(), ": not found"));
  }
  absl::StatusOr<v1::GetFrontResponse> GetFront(const v1::GetFrontRequest& request) override {
    absl::StatusOr<v1::GetFrontResponse> response = ForJob<v1::GetFrontResponse>(request.job_id());
    if (!response.ok()) return response;
    for (const v1::Trial& trial : c_->trials) {
      if (trial.on_front()) *response->add_trials() = trial;
    }
    return response;
  }
  absl::StatusOr<std::string> GetWeights(const v1::GetWeightsRequest& request) override {
    c_->weights_of.push_back(request);
    return Answer(c_->weights);
  }
  absl::StatusOr<v1::ListWorkersResponse> ListWorkers(
      const v1::ListWorkersRequest& request) override {
    v1::ListWorkersResponse response;
    const size_t end = Page(request, c_->workers.size(), &response);
    for (size_t i = Begin(request); i < end; ++i) *response.add_workers() = c_->workers[i];
    return Answer(response);
  }

 private:
  template <typename T>
  absl::StatusOr<T> Answer(const T& response) {
    if (!c_->error.ok()) return c_->error;
    return response;
  }
  template <typename T>
  absl::StatusOr<T> ForJob(int64_t job_id) {
    if (!c_->error.ok()) return c_->error;
    for (const v1::Job& job : c_->jobs) {
      if (job.id() != job_id) continue;
      T response;
      *response.mutable_job() = job;
      return response;
    }
    return absl::NotFoundError(absl::StrCat("job ", job_id, ": not found"));
  }
  template <typename T>
  absl::StatusOr<T> ForWorker(const std::string& id) {
    if (!c_->error.ok()) return c_->error;
    for (const v1::Worker& worker : c_->workers) {
      if (worker.id() != id) continue;
      T response;
      *response.mutable_worker() = worker;
      return response;
    }
    return absl::NotFoundError(absl::StrCat("no worker '", id, "' has registered"));
  }
  template <typename T>
  absl::StatusOr<T> InState(int64_t job_id, v1::JobState state) {
    absl::StatusOr<T> response = ForJob<T>(job_id);
    if (response.ok()) response->mutable_job()->set_state(state);
    return response;
  }
  template <typename Request>
  static size_t Begin(const Request& request) {
    size_t begin = 0;
    return absl::SimpleAtoi(request.page_token(), &begin) ? begin : 0;
  }
  // The end of the page asked for; sets the token of the next.
  template <typename Request, typename Response>
  size_t Page(const Request& request, size_t size, Response* response) {
    c_->page_sizes.push_back(request.page_size());
    const size_t end =
        std::min(size, Begin(request) + (request.page_size() > 0 ? request.page_size() : 50));
    if (end < size) response->set_next_page_token(absl::StrCat(end));
    return end;
  }

  FakeCoordinator* const c_;
};

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_FAKE_JOB_CLIENT_H_
