#include "tests/simulation/worker.h"

#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::simulation {
namespace {

constexpr double kTokens = 1e6;

// A worker tries again after these, as the daemon does.
bool IsTransient(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status) ||
         absl::IsInternal(status) || absl::IsDeadlineExceeded(status) || absl::IsAborted(status) ||
         absl::IsDataLoss(status);
}

// What an attempt of `task` finds that comes to `accuracy`.
v1::TrialResult ResultOf(const v1::TrialTask& task, double accuracy, double latency_ms,
                         const std::string& blob) {
  v1::TrialResult result = testing::MakeResult(accuracy, latency_ms);
  result.clear_epochs();
  const int until = task.until_epoch() > 0 ? task.until_epoch() : task.training().epochs();
  for (int epoch = 1; epoch <= until; ++epoch) result.add_epochs()->set_epoch(epoch);
  if (task.until_epoch() > 0) {
    result.set_checkpoint_sha256(blob);
  } else {
    result.set_weights_sha256(blob);
  }
  return result;
}

// The token of the lease that a request ends; 0 = it ends none.
int64_t EndedBy(const Request& request) {
  if (const auto* report = std::get_if<v1::ReportRequest>(&request)) return report->token();
  if (const auto* given_back = std::get_if<v1::GiveBackRequest>(&request)) {
    return given_back->token();
  }
  return 0;
}

}  // namespace

double AccuracyOf(int64_t token) { return static_cast<double>(token) / kTokens; }

int64_t TokenOf(double accuracy) { return std::llround(accuracy * kTokens); }

Worker::Worker(int number, uint64_t* calls) : id_(absl::StrCat("w", number)), calls_(calls) {
  Kill();
}

void Worker::Kill() {
  incarnation_ = absl::StrCat("i", ++starts_);
  registered_ = false;
  lease_.reset();
  waits_for_.reset();
  again_ = false;
  heartbeat_ = 0;
  settled_.clear();
  if (outbox_.has_value()) outbox_->clear_next();
}

std::string Worker::NextRequestId() {
  return absl::StrCat(id_, "-", incarnation_, "-", ++requests_);
}

Call Worker::Send(Request request) {
  Call call{++*calls_, std::move(request)};
  waits_for_ = call;
  again_ = false;
  return call;
}

v1::LeaseRequest Worker::MakeLeaseRequest() {
  v1::LeaseRequest request;
  request.set_request_id(NextRequestId());
  request.set_worker_id(id_);
  request.set_incarnation(incarnation_);
  return request;
}

v1::ReportRequest Worker::MakeReport(uint32_t choice) {
  v1::ReportRequest report;
  report.set_request_id(NextRequestId());
  report.set_worker_id(id_);
  *report.mutable_key() = lease_->task().key();
  report.set_token(lease_->token());
  const v1::TrialTask& task = lease_->task();
  switch (choice % 16) {
    case 0:
      report.mutable_failure()->set_cause(v1::FAILURE_CAUSE_CRASHED);
      report.mutable_failure()->set_message("simulated");
      break;
    case 1:
      report.mutable_failure()->set_cause(v1::FAILURE_CAUSE_DIVERGED);
      report.mutable_failure()->set_message("simulated");
      break;
    case 2:
      *report.mutable_result() = ResultOf(task, std::numeric_limits<double>::quiet_NaN(), 1, "");
      break;
    default:
      *report.mutable_result() = ResultOf(task, AccuracyOf(lease_->token()), 1 + (choice / 16) % 7,
                                          Sha256Hex(absl::StrCat(lease_->token())));
  }
  if ((choice / 128) % 2 == 0) *report.mutable_next() = MakeLeaseRequest();
  return report;
}

v1::GiveBackRequest Worker::MakeGiveBack() {
  v1::GiveBackRequest request;
  request.set_request_id(NextRequestId());
  request.set_worker_id(id_);
  *request.mutable_key() = lease_->task().key();
  request.set_token(lease_->token());
  request.set_reason("simulated");
  return request;
}

std::optional<Call> Worker::Step(uint32_t choice) {
  if (waits_for_.has_value()) {
    if (!again_ && choice % 4 != 0) return std::nullopt;
    return Send(waits_for_->request);
  }
  if (outbox_.has_value()) return Send(*outbox_);
  if (!registered_) {
    v1::RegisterRequest request = testing::MakeRegistration(id_, incarnation_, 1);
    request.set_request_id(NextRequestId());
    return Send(std::move(request));
  }
  if (!lease_.has_value()) return Send(MakeLeaseRequest());
  if (choice % 16 == 4) return Send(MakeGiveBack());
  outbox_ = MakeReport(choice);
  return Send(*outbox_);
}

Call Worker::Leave() {
  v1::HeartbeatRequest request;
  request.set_worker_id(id_);
  request.set_incarnation(incarnation_);
  request.set_leaving(true);
  // What it has found it will report; all else goes back.
  if (outbox_.has_value()) {
    v1::LeaseStatus* status = request.add_leases();
    *status->mutable_key() = outbox_->key();
    status->set_token(outbox_->token());
  }
  Kill();
  return {++*calls_, std::move(request)};
}

Call Worker::Heartbeat() {
  v1::HeartbeatRequest request;
  request.set_worker_id(id_);
  request.set_incarnation(incarnation_);
  if (lease_.has_value()) {
    v1::LeaseStatus* status = request.add_leases();
    *status->mutable_key() = lease_->task().key();
    status->set_token(lease_->token());
  }
  Call call{++*calls_, std::move(request)};
  heartbeat_ = call.id;
  return call;
}

void Worker::Drop(int64_t token) {
  settled_.insert(token);
  if (lease_.has_value() && lease_->token() == token) lease_.reset();
  if (outbox_.has_value() && outbox_->token() == token) outbox_.reset();
  // Also while it is being reported.
  if (waits_for_.has_value() && EndedBy(waits_for_->request) == token) waits_for_.reset();
}

void Worker::TakeLease(const v1::AttemptLease& lease) {
  if (settled_.count(lease.token()) > 0) return;
  if (lease_.has_value() && lease_->token() > lease.token()) return;
  lease_ = lease;
}

void Worker::TakeError(const absl::Status& status) {
  const v1::ErrorReason reason = GetErrorReason(status);
  if (reason == v1::ERROR_REASON_UNKNOWN_WORKER) {
    registered_ = false;
    waits_for_.reset();
    return;
  }
  if (const int64_t token = EndedBy(waits_for_->request);
      reason == v1::ERROR_REASON_STALE_LEASE && token > 0) {
    Drop(token);
    return;
  }
  if (!IsTransient(status)) {
    violation_ = absl::StrCat("an honest worker was told: ", status.ToString());
    return;
  }
  again_ = true;
}

void Worker::TakeAnswer(uint64_t call, const absl::StatusOr<Response>& answer) {
  if (call == heartbeat_) {
    heartbeat_ = 0;
    if (GetErrorReason(answer.status()) == v1::ERROR_REASON_UNKNOWN_WORKER) registered_ = false;
    if (!answer.ok()) return;
    for (const v1::Directive& directive : std::get<v1::HeartbeatResponse>(*answer).directives()) {
      if (directive.action() == v1::ACTION_STOP) Drop(directive.token());
      if (directive.action() == v1::ACTION_START) TakeLease(directive.lease());
    }
    return;
  }
  if (!waits_for_.has_value() || waits_for_->id != call) return;
  if (!answer.ok()) return TakeError(answer.status());
  const Request request = std::move(waits_for_->request);
  waits_for_.reset();
  if (std::holds_alternative<v1::RegisterRequest>(request)) {
    registered_ = true;
  } else if (std::holds_alternative<v1::LeaseRequest>(request)) {
    const auto& response = std::get<v1::LeaseResponse>(*answer);
    if (response.has_lease()) TakeLease(response.lease());
  } else {
    Drop(EndedBy(request));
    const auto* reported = std::get_if<v1::ReportResponse>(&*answer);
    if (reported != nullptr && reported->has_next()) TakeLease(reported->next());
  }
}

}  // namespace frontier::simulation
