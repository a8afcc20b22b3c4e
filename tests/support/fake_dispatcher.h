// A dispatcher that decides as the test says, for tests of what stands on it.
#ifndef FRONTIER_TESTS_SUPPORT_FAKE_DISPATCHER_H_
#define FRONTIER_TESTS_SUPPORT_FAKE_DISPATCHER_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "common/base/mutex.h"
#include "coordinator/core/dispatcher.h"

namespace frontier::testing {

// Thread-safe. There is one job, number 1, with a log; and some work, any worker's to take.
class FakeDispatcher final : public coordinator::Dispatcher {
 public:
  // Adds `pieces` of work and tells the listener.
  void AddWork(int pieces) {
    {
      MutexLock lock(&mutex_);
      work_ += pieces;
    }
    NotifyListener();
  }
  // Which workers may take work; all until set.
  void SetTaker(std::function<bool(const std::string& worker_id)> may_take) {
    MutexLock lock(&mutex_);
    may_take_ = std::move(may_take);
  }
  // What every call but TryLease and PollJob answers; OK until set.
  void SetVerdict(absl::Status verdict) {
    MutexLock lock(&mutex_);
    verdict_ = std::move(verdict);
  }
  void SetLeaseError(absl::Status error) {
    MutexLock lock(&mutex_);
    lease_error_ = std::move(error);
  }
  // Runs at the start of each TryLease, outside the lock.
  void SetOnTryLease(std::function<void()> hook) {
    MutexLock lock(&mutex_);
    on_try_lease_ = std::move(hook);
  }
  // Runs at the start of each ReplayJob, outside the lock.
  void SetOnReplay(std::function<void()> hook) {
    MutexLock lock(&mutex_);
    on_replay_ = std::move(hook);
  }
  // Appends `count` events to the job's log and tells the listener.
  void AddEvents(int count) {
    {
      MutexLock lock(&mutex_);
      events_ += count;
    }
    NotifyListener();
  }
  void SetEventBytes(size_t bytes) {
    MutexLock lock(&mutex_);
    event_bytes_ = bytes;
  }
  void SetJobState(v1::JobState state) {
    {
      MutexLock lock(&mutex_);
      job_.set_state(state);
    }
    NotifyListener();
  }
  void SetBacklog(int64_t backlog) { backlog_ = backlog; }
  int BacklogAsked() const { return backlog_asked_; }
  void SetWeights(std::string sha256) {
    MutexLock lock(&mutex_);
    weights_ = std::move(sha256);
  }
  // The workers that were given work, in order.
  std::vector<std::string> Takers() {
    MutexLock lock(&mutex_);
    return takers_;
  }
  int TryLeases() {
    MutexLock lock(&mutex_);
    return try_leases_;
  }
  int Ticks() {
    MutexLock lock(&mutex_);
    return ticks_;
  }
  // Request ids of the SubmitJob calls so far.
  std::vector<std::string> Submitted() {
    MutexLock lock(&mutex_);
    return submitted_;
  }

  absl::StatusOr<v1::SubmitJobResponse> SubmitJob(const v1::SubmitJobRequest& request) override {
    {
      MutexLock lock(&mutex_);
      submitted_.push_back(request.request_id());
    }
    return WithJob<v1::SubmitJobResponse>();
  }
  absl::StatusOr<v1::GetJobResponse> GetJob(const v1::GetJobRequest&) override {
    return WithJob<v1::GetJobResponse>();
  }
  absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest&) override {
    return Answer<v1::ListJobsResponse>();
  }
  absl::StatusOr<v1::CancelJobResponse> CancelJob(const v1::CancelJobRequest&) override {
    return WithJob<v1::CancelJobResponse>();
  }
  absl::StatusOr<v1::PauseJobResponse> PauseJob(const v1::PauseJobRequest&) override {
    return WithJob<v1::PauseJobResponse>();
  }
  absl::StatusOr<v1::ResumeJobResponse> ResumeJob(const v1::ResumeJobRequest&) override {
    return WithJob<v1::ResumeJobResponse>();
  }
  absl::StatusOr<v1::UpdateJobResponse> UpdateJob(const v1::UpdateJobRequest&) override {
    return WithJob<v1::UpdateJobResponse>();
  }
  absl::StatusOr<v1::DeleteJobResponse> DeleteJob(const v1::DeleteJobRequest&) override {
    return Answer<v1::DeleteJobResponse>();
  }
  absl::StatusOr<v1::DrainWorkerResponse> DrainWorker(const v1::DrainWorkerRequest&) override {
    return Answer<v1::DrainWorkerResponse>();
  }
  absl::StatusOr<v1::AdmitWorkerResponse> AdmitWorker(const v1::AdmitWorkerRequest&) override {
    return Answer<v1::AdmitWorkerResponse>();
  }
  absl::StatusOr<v1::ExtendSpaceResponse> ExtendSpace(const v1::ExtendSpaceRequest&) override {
    return WithJob<v1::ExtendSpaceResponse>();
  }
  absl::StatusOr<v1::ReplayJobResponse> ReplayJob(const v1::ReplayJobRequest&) override {
    std::function<void()> hook;
    {
      MutexLock lock(&mutex_);
      hook = on_replay_;
    }
    if (hook) hook();
    return Answer<v1::ReplayJobResponse>();
  }
  absl::StatusOr<v1::ListTrialsResponse> ListTrials(const v1::ListTrialsRequest&) override {
    return Answer<v1::ListTrialsResponse>();
  }
  absl::StatusOr<v1::GetTrialResponse> GetTrial(const v1::GetTrialRequest&) override {
    return Answer<v1::GetTrialResponse>();
  }
  absl::StatusOr<v1::GetFrontResponse> GetFront(const v1::GetFrontRequest&) override {
    return Answer<v1::GetFrontResponse>();
  }
  absl::StatusOr<v1::ListWorkersResponse> ListWorkers(const v1::ListWorkersRequest&) override {
    return Answer<v1::ListWorkersResponse>();
  }
  absl::StatusOr<v1::WatchJobResponse> PollJob(const v1::WatchJobRequest& request,
                                               int64_t* cursor) override {
    constexpr int64_t kMostEvents = 200;
    MutexLock lock(&mutex_);
    if (request.job_id() != 1)
      return absl::NotFoundError(absl::StrCat("no job ", request.job_id()));
    v1::WatchJobResponse response;
    *response.mutable_job() = job_;
    *cursor = events_;
    if (request.after_event() == 0) return response;
    *cursor = std::min<int64_t>(events_, request.after_event() + kMostEvents);
    for (int64_t sequence = request.after_event() + 1; sequence <= *cursor; ++sequence) {
      v1::Event* event = response.add_events();
      event->set_sequence(sequence);
      event->set_message(std::string(event_bytes_, 'x'));
    }
    return response;
  }
  absl::StatusOr<std::string> FindWeights(const v1::GetWeightsRequest&) override {
    MutexLock lock(&mutex_);
    if (weights_.empty()) return absl::NotFoundError("no weights are kept");
    return weights_;
  }
  absl::StatusOr<std::string> FindParentWeights(const v1::GetParentWeightsRequest&) override {
    return FindWeights(v1::GetWeightsRequest());
  }
  absl::StatusOr<std::string> FindCheckpoint(const v1::GetCheckpointRequest&) override {
    return FindWeights(v1::GetWeightsRequest());
  }
  absl::StatusOr<v1::RegisterResponse> Register(const v1::RegisterRequest&) override {
    return Answer<v1::RegisterResponse>();
  }
  absl::StatusOr<v1::LeaseResponse> TryLease(const v1::LeaseRequest& request) override {
    std::function<void()> hook;
    {
      MutexLock lock(&mutex_);
      hook = on_try_lease_;
    }
    if (hook) hook();
    MutexLock lock(&mutex_);
    ++try_leases_;
    if (!lease_error_.ok()) return lease_error_;
    v1::LeaseResponse response;
    if (work_ == 0 || (may_take_ && !may_take_(request.worker_id()))) return response;
    --work_;
    takers_.push_back(request.worker_id());
    response.mutable_lease()->set_token(static_cast<int64_t>(takers_.size()));
    return response;
  }
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest&) override {
    return Answer<v1::HeartbeatResponse>();
  }
  absl::Status CheckLease(const v1::UploadWeightsHeader&) override {
    MutexLock lock(&mutex_);
    return verdict_;
  }
  absl::StatusOr<v1::ReportResponse> Report(const v1::ReportRequest&) override {
    return Answer<v1::ReportResponse>();
  }
  absl::StatusOr<v1::GiveBackResponse> GiveBack(const v1::GiveBackRequest&) override {
    return Answer<v1::GiveBackResponse>();
  }
  int64_t losses() const override { return 0; }
  int64_t backlog() const override {
    ++backlog_asked_;
    return backlog_;
  }
  void WhenDurable(int64_t, coordinator::Journal::Done done) override { done(absl::OkStatus()); }
  void NoteStall(absl::Duration) override {}
  absl::Status Tick() override {
    MutexLock lock(&mutex_);
    ++ticks_;
    return absl::OkStatus();
  }
  void SetChangeListener(absl::AnyInvocable<void()> listener) override {
    MutexLock lock(&listener_mutex_);
    listener_ = std::move(listener);
  }

 private:
  template <typename Response>
  absl::StatusOr<Response> Answer() {
    MutexLock lock(&mutex_);
    if (!verdict_.ok()) return verdict_;
    return Response();
  }
  template <typename Response>
  absl::StatusOr<Response> WithJob() {
    absl::StatusOr<Response> response = Answer<Response>();
    if (!response.ok()) return response;
    MutexLock lock(&mutex_);
    *response->mutable_job() = job_;
    return response;
  }
  void NotifyListener() {
    MutexLock lock(&listener_mutex_);
    if (listener_) listener_();
  }

  std::atomic<int64_t> backlog_ = 0;
  mutable std::atomic<int> backlog_asked_ = 0;
  Mutex listener_mutex_;
  absl::AnyInvocable<void()> listener_ ABSL_GUARDED_BY(listener_mutex_);
  Mutex mutex_;
  absl::Status verdict_ ABSL_GUARDED_BY(mutex_);
  absl::Status lease_error_ ABSL_GUARDED_BY(mutex_);
  int work_ ABSL_GUARDED_BY(mutex_) = 0;
  std::function<bool(const std::string&)> may_take_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> on_try_lease_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> on_replay_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> takers_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> submitted_ ABSL_GUARDED_BY(mutex_);
  int try_leases_ ABSL_GUARDED_BY(mutex_) = 0;
  int ticks_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t events_ ABSL_GUARDED_BY(mutex_) = 1;
  size_t event_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  v1::Job job_ ABSL_GUARDED_BY(mutex_) = [] {
    v1::Job job;
    job.set_id(1);
    job.set_state(v1::JOB_STATE_RUNNING);
    return job;
  }();
  std::string weights_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_FAKE_DISPATCHER_H_
