// A coordinator in memory that does what a test tells it to.
#ifndef FRONTIER_TESTS_SUPPORT_FAKE_COORDINATOR_H_
#define FRONTIER_TESTS_SUPPORT_FAKE_COORDINATOR_H_

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/base/file.h"
#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/rpc/client/worker_client.h"

namespace frontier::testing {

// Thread-safe. Every call is logged by method name; calls fail as told by FailNext, in order.
class FakeCoordinator {
 public:
  static constexpr int64_t kHeartbeatMs = 7777;

  struct Upload {
    v1::UploadWeightsHeader header;
    std::string content;
  };

  // The next `times` calls of `method` fail with `status`; -1 = until told otherwise.
  void FailNext(const std::string& method, int times, const absl::Status& status) {
    MutexLock lock(&mutex_);
    failures_[method] = {times, status};
  }
  void Grant(const v1::AttemptLease& lease) {
    MutexLock lock(&mutex_);
    leases_.push_back(lease);
    changed_.SignalAll();
  }
  // To a report that asks for one.
  void GrantNext(const v1::AttemptLease& lease) {
    MutexLock lock(&mutex_);
    next_leases_.push_back(lease);
  }
  // What every lease inherits.
  void SetParentWeights(const std::string& bytes) {
    MutexLock lock(&mutex_);
    parent_weights_ = bytes;
  }
  // From which every lease that has one goes on.
  void SetCheckpoint(const std::string& bytes) {
    MutexLock lock(&mutex_);
    checkpoint_ = bytes;
  }
  // For the next heartbeat that is answered.
  void Direct(const v1::Directive& directive) {
    MutexLock lock(&mutex_);
    directives_.push_back(directive);
  }

  // Waits until `condition` holds of this coordinator's log; false after 20 s.
  bool WaitUntil(const std::function<bool()>& condition) {
    MutexLock lock(&mutex_);
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (!condition()) {
      if (absl::Now() > deadline) return false;
      changed_.WaitFor(&mutex_, absl::Milliseconds(20));
    }
    return true;
  }
  bool WaitForCalls(const std::string& method, int count) {
    return WaitUntil([this, method, count]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return static_cast<int>(std::count(calls_.begin(), calls_.end(), method)) >= count;
    });
  }
  bool WaitForReports(size_t count) {
    return WaitUntil([this, count]()
                         ABSL_NO_THREAD_SAFETY_ANALYSIS { return reports_.size() >= count; });
  }

  std::vector<std::string> calls() const { return Copy(calls_); }
  std::vector<v1::RegisterRequest> registrations() const { return Copy(registrations_); }
  std::vector<v1::LeaseRequest> lease_requests() const { return Copy(lease_requests_); }
  std::vector<v1::HeartbeatRequest> heartbeats() const { return Copy(heartbeats_); }
  std::vector<v1::ReportRequest> reports() const { return Copy(reports_); }
  std::vector<v1::GiveBackRequest> give_backs() const { return Copy(give_backs_); }
  std::vector<Upload> uploads() const { return Copy(uploads_); }

 private:
  friend class FakeWorkerClient;
  struct Failing {
    int times = 0;
    absl::Status status;
  };

  template <typename T>
  std::vector<T> Copy(const std::vector<T>& values) const ABSL_NO_THREAD_SAFETY_ANALYSIS {
    MutexLock lock(&mutex_);
    return values;
  }
  absl::Status Begin(const std::string& method) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    calls_.push_back(method);
    changed_.SignalAll();
    Failing& failing = failures_[method];
    if (failing.times == 0) return absl::OkStatus();
    if (failing.times > 0) --failing.times;
    return failing.status;
  }

  mutable Mutex mutex_;
  CondVar changed_;
  std::map<std::string, Failing> failures_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::AttemptLease> leases_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::AttemptLease> next_leases_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::Directive> directives_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> calls_;
  std::vector<v1::RegisterRequest> registrations_;
  std::vector<v1::LeaseRequest> lease_requests_;
  std::vector<v1::HeartbeatRequest> heartbeats_;
  std::vector<v1::ReportRequest> reports_;
  std::vector<v1::GiveBackRequest> give_backs_;
  std::vector<Upload> uploads_;
  std::string parent_weights_ ABSL_GUARDED_BY(mutex_);
  std::string checkpoint_ ABSL_GUARDED_BY(mutex_);
};

// One connection to it.
class FakeWorkerClient final : public WorkerClient {
 public:
  explicit FakeWorkerClient(FakeCoordinator* coordinator) : c_(coordinator) {}

  absl::StatusOr<v1::RegisterResponse> Register(const v1::RegisterRequest& request) override {
    MutexLock lock(&c_->mutex_);
    RETURN_IF_ERROR(Begin("Register"));
    c_->registrations_.push_back(request);
    c_->changed_.SignalAll();
    v1::RegisterResponse response;
    response.set_protocol_version(request.protocol_version());
    response.set_version("fake");
    response.set_heartbeat_interval_ms(FakeCoordinator::kHeartbeatMs);
    response.set_lease_duration_ms(3 * FakeCoordinator::kHeartbeatMs);
    return response;
  }

  absl::StatusOr<v1::LeaseResponse> Lease(const v1::LeaseRequest& request) override {
    MutexLock lock(&c_->mutex_);
    c_->lease_requests_.push_back(request);
    RETURN_IF_ERROR(Begin("Lease"));
    while (c_->leases_.empty() && !cancelled_) c_->changed_.Wait(&c_->mutex_);
    if (cancelled_) return absl::CancelledError("cancelled");
    v1::LeaseResponse response;
    *response.mutable_lease() = c_->leases_.front();
    c_->leases_.pop_front();
    return response;
  }

  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request) override {
    MutexLock lock(&c_->mutex_);
    RETURN_IF_ERROR(Begin("Heartbeat"));
    c_->heartbeats_.push_back(request);
    v1::HeartbeatResponse response;
    for (const v1::Directive& directive : c_->directives_) *response.add_directives() = directive;
    c_->directives_.clear();
    c_->changed_.SignalAll();
    return response;
  }

  absl::Status UploadWeights(const v1::UploadWeightsHeader& header,
                             const std::string& path) override {
    absl::StatusOr<std::string> content = ReadFile(path);
    MutexLock lock(&c_->mutex_);
    RETURN_IF_ERROR(Begin("UploadWeights"));
    RETURN_IF_ERROR(content.status());
    c_->uploads_.push_back({header, *std::move(content)});
    return absl::OkStatus();
  }

  absl::StatusOr<v1::ReportResponse> Report(const v1::ReportRequest& request) override {
    MutexLock lock(&c_->mutex_);
    RETURN_IF_ERROR(Begin("Report"));
    c_->reports_.push_back(request);
    c_->changed_.SignalAll();
    v1::ReportResponse response;
    if (request.has_next() && !c_->next_leases_.empty()) {
      *response.mutable_next() = c_->next_leases_.front();
      c_->next_leases_.pop_front();
    }
    return response;
  }

  absl::StatusOr<v1::GiveBackResponse> GiveBack(const v1::GiveBackRequest& request) override {
    MutexLock lock(&c_->mutex_);
    RETURN_IF_ERROR(Begin("GiveBack"));
    c_->give_backs_.push_back(request);
    c_->changed_.SignalAll();
    return v1::GiveBackResponse();
  }

  absl::StatusOr<std::string> GetParentWeights(const v1::GetParentWeightsRequest&) override {
    MutexLock lock(&c_->mutex_);
    RETURN_IF_ERROR(Begin("GetParentWeights"));
    return c_->parent_weights_;
  }

  absl::StatusOr<std::string> GetCheckpoint(const v1::GetCheckpointRequest&) override {
    MutexLock lock(&c_->mutex_);
    RETURN_IF_ERROR(Begin("GetCheckpoint"));
    return c_->checkpoint_;
  }

  void Cancel() override {
    MutexLock lock(&c_->mutex_);
    cancelled_ = true;
    c_->changed_.SignalAll();
  }

 private:
  absl::Status Begin(const std::string& method) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (cancelled_) return absl::CancelledError("cancelled");
    return c_->Begin(method);
  }

  FakeCoordinator* const c_;
  bool cancelled_ = false;
};

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_FAKE_COORDINATOR_H_
