#include "worker/agent/coordinator_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/enum_names.h"
#include "common/base/file.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "worker/agent/failure.h"

namespace frontier::worker {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
constexpr absl::Duration kLongestPause = absl::Seconds(5);
// Of repeated tries the first and every tenth are logged.
constexpr int kLogEvery = 10;
// A coordinator that has forgotten its workers is registered with once. Two processes of one worker
// id put each other out with every call, or with every heartbeat if both are busy.
constexpr absl::Duration kContestWindow = absl::Minutes(2);
constexpr size_t kMostAgain = 5;  // within it
// Of a transfer that does not come through in the minutes it has: the slot waits for it.
constexpr int kMostTimedOut = 3;

// Digest of what goes with the outcome: trained weights, or where training goes on. Empty =
// nothing.
const std::string& UploadOf(const v1::ReportRequest& report) {
  const v1::TrialResult& result = report.result();
  return result.weights_sha256().empty() ? result.checkpoint_sha256() : result.weights_sha256();
}

std::string Text(const absl::Status& status) {
  return absl::StrCat(absl::StatusCodeToString(status.code()), ": ", status.message());
}

}  // namespace

bool IsTransient(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

CoordinatorSession::CoordinatorSession(v1::RegisterRequest registration, uint64_t seed,
                                       Outbox* outbox, Clock* clock, Pacer* pacer)
    : registration_(std::move(registration)),
      seed_(seed),
      outbox_(outbox),
      clock_(clock),
      pacer_(pacer) {}

std::string CoordinatorSession::NextRequestId() {
  return absl::StrCat(incarnation(), "-", ++last_request_);
}

Backoff CoordinatorSession::NewBackoff() {
  return Backoff(kFirstPause, kLongestPause, Rng(seed_, ++backoffs_));
}

absl::Status CoordinatorSession::Register(WorkerClient* client, const StopEvent& stop,
                                          absl::Duration give_up_after) {
  return RegisterUnlessDone(client, stop, give_up_after, registrations());
}

absl::Status CoordinatorSession::TryToRegister(WorkerClient* client,
                                               const v1::RegisterRequest& request,
                                               const StopEvent& stop, int64_t registrations) {
  MutexLock lock(&registering_);
  // Either may have come while this thread waited for the other's try.
  if (stop.raised()) return absl::CancelledError("stopped");
  if (registrations_.load() != registrations) return absl::OkStatus();
  ASSIGN_OR_RETURN(const v1::RegisterResponse response, client->Register(request));
  if (response.heartbeat_interval_ms() > 0) {
    heartbeat_interval_ms_ = std::max<int64_t>(response.heartbeat_interval_ms(), 50);
  }
  if (registrations_++ > 0) again_.push_back(clock_->Elapsed());
  LogInfo({.worker = worker_id()},
          absl::StrCat("registered with coordinator ", response.version(), " (protocol ",
                       response.protocol_version(), "); heartbeat every ",
                       absl::FormatDuration(heartbeat_interval())));
  return absl::OkStatus();
}

absl::Status CoordinatorSession::RegisterUnlessDone(WorkerClient* client, const StopEvent& stop,
                                                    absl::Duration give_up_after,
                                                    int64_t registrations) {
  v1::RegisterRequest request = registration_;
  request.set_request_id(NextRequestId());
  Backoff backoff = NewBackoff();
  const absl::Duration started = clock_->Elapsed();
  for (int tries = 0;; ++tries) {
    if (stop.raised()) return absl::CancelledError("stopped before the worker was registered");
    const absl::Status status = TryToRegister(client, request, stop, registrations);
    if (status.ok()) return status;
    if (stop.raised()) continue;
    if (!IsTransient(status)) return status;
    const absl::Duration waited = clock_->Elapsed() - started;
    const absl::Duration pause = RetryAfter(status) + backoff.Next();
    if (give_up_after > absl::ZeroDuration() && waited + pause > give_up_after) {
      return absl::DeadlineExceededError(absl::StrCat("no coordinator after ",
                                                      absl::FormatDuration(waited), ", ", tries + 1,
                                                      " tries; the last said ", Text(status)));
    }
    if (tries % kLogEvery == 0) {
      LogWarning({.worker = worker_id()},
                 absl::StrCat("coordinator cannot be reached (", Text(status), "); next try in ",
                              absl::FormatDuration(pause), ", then again",
                              give_up_after > absl::ZeroDuration()
                                  ? absl::StrCat(" for ", absl::FormatDuration(give_up_after))
                                  : " until it answers"));
    }
    pacer_->Pause(stop, pause);
  }
}

absl::Status CoordinatorSession::RegisterAgain(WorkerClient* client, const StopEvent& stop,
                                               int64_t registrations) {
  absl::Duration pause;
  {
    MutexLock lock(&registering_);
    if (registrations_.load() != registrations) return absl::OkStatus();
    ASSIGN_OR_RETURN(pause, PauseBeforeAgain());
  }
  LogWarning(
      {.worker = worker_id()},
      absl::StrCat(
          "the coordinator does not know this worker; registering",
          pause > absl::ZeroDuration() ? absl::StrCat(" in ", absl::FormatDuration(pause)) : ""));
  if (pause > absl::ZeroDuration()) pacer_->Pause(stop, pause);
  absl::Status status = RegisterUnlessDone(client, stop, absl::ZeroDuration(), registrations);
  if (!status.ok() && !stop.raised()) {
    MutexLock lock(&registering_);
    refusal_ = status;
  }
  return status;
}

absl::StatusOr<absl::Duration> CoordinatorSession::PauseBeforeAgain() {
  const absl::Duration now = clock_->Elapsed();
  while (!again_.empty() && now - again_.front() > kContestWindow) again_.pop_front();
  if (again_.size() >= kMostAgain) {
    refusal_ = ErrorWithReason(
        absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_UNKNOWN_WORKER,
        absl::StrCat("worker '", worker_id(),
                     "' is registered by another process again and again; give each worker a "
                     "--worker_id and --state_dir of its own"));
    return refusal_;
  }
  // None before the first: that is a coordinator which has forgotten its workers.
  absl::Duration pause;
  Backoff backoff = NewBackoff();
  for (size_t i = 0; i < again_.size(); ++i) pause = backoff.Next();
  return pause;
}

absl::Status CoordinatorSession::refusal() const {
  MutexLock lock(&registering_);
  return refusal_;
}

CoordinatorSession::Next CoordinatorSession::AfterError(WorkerClient* client,
                                                        const absl::Status& status,
                                                        const LogIds& ids, absl::string_view what,
                                                        int64_t registrations, int tries,
                                                        Backoff* backoff, const StopEvent& stop) {
  if (GetErrorReason(status) == v1::ERROR_REASON_UNKNOWN_WORKER) {
    const absl::Status again = RegisterAgain(client, stop, registrations);
    if (!again.ok()) {
      // It says nothing of the outcome, which the next start may deliver.
      if (!stop.raised()) {
        LogError(ids, absl::StrCat(what, ": cannot register again: ", Text(again)));
      }
      return Next::kStopped;
    }
  } else if (!IsTransient(status)) {
    return Next::kRefused;
  }
  const absl::Duration pause = RetryAfter(status) + backoff->Next();
  if (tries % kLogEvery == 0 && !stop.raised()) {
    LogWarning(ids, absl::StrCat(what, ": ", Text(status), "; trying again in ",
                                 absl::FormatDuration(pause)));
  }
  return pacer_->Pause(stop, pause) ? Next::kStopped : Next::kTryAgain;
}

absl::Status CoordinatorSession::SendOutcome(WorkerClient* client, v1::ReportRequest report,
                                             NextLease* next, bool* uploaded) {
  if (!*uploaded) {
    const std::string path = outbox_->WeightsPath(report.key(), report.token());
    v1::UploadWeightsHeader header;
    header.set_worker_id(report.worker_id());
    *header.mutable_key() = report.key();
    header.set_token(report.token());
    header.set_sha256(UploadOf(report));
    ASSIGN_OR_RETURN(const int64_t size, FileSize(path));
    header.set_size(size);
    RETURN_IF_ERROR(client->UploadWeights(header, path));
    *uploaded = true;
  }
  if (next != nullptr) *report.mutable_next() = next->request;
  ASSIGN_OR_RETURN(const v1::ReportResponse response, client->Report(report));
  if (next != nullptr && response.has_next()) next->granted = response.next();
  LogInfo(IdsOf(report.key()), absl::StrCat("reported ", report.has_result() ? "result" : "failure",
                                            "; the trial is ", EnumName(response.trial_state())));
  return absl::OkStatus();
}

bool CoordinatorSession::Deliver(WorkerClient* client, v1::ReportRequest report,
                                 const HeldLease* held, NextLease* next, const StopEvent& stop,
                                 absl::Duration give_up_after) {
  const LogIds ids = IdsOf(report.key());
  const v1::AttemptKey key = report.key();
  const int64_t token = report.token();
  const auto settle = [&] {
    outbox_->Remove(key, token);
    return true;
  };
  Backoff backoff = NewBackoff();
  const absl::Duration started = clock_->Elapsed();
  const auto out_of_time = [&] {
    return give_up_after > absl::ZeroDuration() && clock_->Elapsed() - started > give_up_after;
  };
  bool uploaded = UploadOf(report).empty();
  int timed_out = 0;  // uploads
  for (int tries = 0; !stop.raised() && !out_of_time(); ++tries) {
    if (held != nullptr && held->stop_reason() == StopReason::kRevoked) {
      LogWarning(ids, "the lease was taken away before its outcome was reported; it is dropped");
      return settle();
    }
    const int64_t registered = registrations();
    const absl::Status status = SendOutcome(client, report, next, &uploaded);
    if (status.ok()) return settle();
    if (GetErrorReason(status) == v1::ERROR_REASON_STALE_LEASE) {
      LogWarning(ids, absl::StrCat("outcome refused, it is dropped: ", status.message()));
      return settle();
    }
    const bool hopeless =
        !uploaded && absl::IsDeadlineExceeded(status) && ++timed_out == kMostTimedOut;
    switch (hopeless ? Next::kRefused
                     : AfterError(client, status, ids, "cannot report", registered, tries, &backoff,
                                  stop)) {
      case Next::kStopped:
        return false;
      case Next::kTryAgain:
        continue;
      case Next::kRefused:
        break;
    }
    if (!uploaded) {
      LogError(ids, absl::StrCat("weights refused, reporting without: ", Text(status)));
      report.mutable_result()->clear_weights_sha256();
      report.mutable_result()->clear_checkpoint_sha256();
      uploaded = true;
    } else if (report.has_result() && absl::IsInvalidArgument(status)) {
      LogError(ids, absl::StrCat("result refused, reporting a failure: ", Text(status)));
      for (const v1::Measurement& measurement : report.result().measurements()) {
        if (measurement.metric() == v1::METRIC_CPU_SECONDS ||
            measurement.metric() == v1::METRIC_WALL_SECONDS ||
            measurement.metric() == v1::METRIC_ENERGY_J ||
            measurement.metric() == v1::METRIC_CO2_G) {
          *report.add_usage() = measurement;
        }
      }
      *report.mutable_failure() =
          MakeFailure(v1::FAILURE_CAUSE_INTERNAL,
                      absl::StrCat("the coordinator refused the result: ", status.message()));
    } else {
      LogError(ids, absl::StrCat("outcome refused, it is dropped: ", Text(status)));
      return settle();
    }
    // Other content needs another request id.
    report.set_request_id(NextRequestId());
    if (absl::Status stored = outbox_->Put(report); !stored.ok()) {
      LogError(ids, absl::StrCat("cannot keep the outcome on disk: ", stored.message()));
    }
  }
  return false;
}

template <typename Request>
absl::StatusOr<std::string> CoordinatorSession::Download(
    WorkerClient* client, const v1::AttemptKey& key, int64_t token, const StopEvent& stop,
    absl::string_view what,
    absl::StatusOr<std::string> (WorkerClient::*method)(const Request& request)) {
  Request request;
  request.set_worker_id(worker_id());
  *request.mutable_key() = key;
  request.set_token(token);
  Backoff backoff = NewBackoff();
  int timed_out = 0;
  for (int tries = 0; !stop.raised(); ++tries) {
    const int64_t registered = registrations();
    absl::StatusOr<std::string> content = (client->*method)(request);
    if (content.ok()) return content;
    if (absl::IsDeadlineExceeded(content.status()) && ++timed_out == kMostTimedOut) return content;
    const Next next =
        AfterError(client, content.status(), IdsOf(key), absl::StrCat("cannot get ", what),
                   registered, tries, &backoff, stop);
    if (next == Next::kRefused) return content;
    if (next == Next::kStopped) break;
  }
  return absl::CancelledError(absl::StrCat("stopped before ", what, " was there"));
}

absl::StatusOr<std::string> CoordinatorSession::GetParentWeights(WorkerClient* client,
                                                                 const v1::AttemptKey& key,
                                                                 int64_t token,
                                                                 const StopEvent& stop) {
  return Download(client, key, token, stop, "the inherited model", &WorkerClient::GetParentWeights);
}

absl::StatusOr<std::string> CoordinatorSession::GetCheckpoint(WorkerClient* client,
                                                              const v1::AttemptKey& key,
                                                              int64_t token,
                                                              const StopEvent& stop) {
  return Download(client, key, token, stop, "the checkpoint", &WorkerClient::GetCheckpoint);
}

bool CoordinatorSession::GiveBack(WorkerClient* client, const v1::AttemptKey& key, int64_t token,
                                  absl::string_view reason,
                                  const std::vector<v1::Measurement>& usage,
                                  const StopEvent& stop) {
  v1::GiveBackRequest request;
  request.set_request_id(NextRequestId());
  request.set_worker_id(worker_id());
  *request.mutable_key() = key;
  request.set_token(token);
  request.set_reason(std::string(reason));
  for (const v1::Measurement& measurement : usage) *request.add_usage() = measurement;
  const LogIds ids = IdsOf(key);
  Backoff backoff = NewBackoff();
  for (int tries = 0; !stop.raised(); ++tries) {
    const int64_t registered = registrations();
    const absl::StatusOr<v1::GiveBackResponse> response = client->GiveBack(request);
    if (response.ok()) {
      LogInfo(ids, absl::StrCat("gave the lease back: ", reason));
      return true;
    }
    const Next next = AfterError(client, response.status(), ids, "cannot give the lease back",
                                 registered, tries, &backoff, stop);
    if (next == Next::kStopped) return false;
    if (next == Next::kRefused) {
      LogWarning(ids, absl::StrCat("giving back refused: ", Text(response.status())));
      return true;
    }
  }
  return false;
}

}  // namespace frontier::worker
