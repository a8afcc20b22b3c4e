#include "worker/agent/agent.h"

#include <poll.h>
#include <pthread.h>

#include <algorithm>
#include <functional>
#include <thread>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/base/enum_names.h"
#include "common/base/failure_causes.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "worker/agent/failure.h"

namespace frontier::worker {
namespace {

v1::RegisterRequest MakeRegistration(const AgentOptions& options, const DatasetCatalog& catalog) {
  v1::RegisterRequest request;
  request.set_protocol_version(kProtocolVersion);
  request.set_version(std::string(ProductVersion()));
  request.set_worker_id(options.worker_id);
  request.set_incarnation(options.incarnation);
  *request.mutable_hardware() = options.hardware;
  for (v1::Dataset& dataset : catalog.datasets()) *request.add_datasets() = std::move(dataset);
  request.set_slots(options.slots);
  for (const std::string& label : options.labels) request.add_labels(label);
  return request;
}

// Waits until one of the two is raised.
void WaitForEither(const StopEvent& a, const StopEvent& b) {
  while (!a.raised() && !b.raised()) {
    pollfd items[] = {{a.fd(), POLLIN, 0}, {b.fd(), POLLIN, 0}};
    poll(items, 2, -1);
  }
}

std::thread StartThread(const char* name, std::function<void()> body) {
  std::thread thread(std::move(body));
  pthread_setname_np(thread.native_handle(), name);
  return thread;
}

}  // namespace

Agent::Agent(const AgentOptions& options, const AgentDependencies& dependencies)
    : options_(options),
      deps_(dependencies),
      session_(MakeRegistration(options, *dependencies.catalog), options.seed, dependencies.outbox,
               dependencies.clock, dependencies.pacer),
      table_(options.slots) {}

void Agent::Shutdown() {
  kill_.Raise();
  leave_.Raise();
}

void Agent::Drain() { leave_.Raise(); }

void Agent::Fail(const absl::Status& status) {
  {
    MutexLock lock(&mutex_);
    if (failure_.ok()) failure_ = status;
  }
  Shutdown();
}

absl::Status Agent::Run() {
  live_slots_ = options_.slots;
  std::vector<std::thread> slots;
  for (int i = 0; i < options_.slots; ++i) {
    slots.push_back(StartThread("slot", [this, i] { SlotLoop(i); }));
  }
  std::thread heartbeats = StartThread("heartbeat", [this] { HeartbeatLoop(); });
  std::thread leasing = StartThread("leasing", [this] { LeaseLoop(); });

  leave_.Wait();
  LogInfo({.worker = options_.worker_id}, absl::StrCat(kill_.raised() ? "leaving" : "draining",
                                                       "; ", table_.held(), " lease(s) held"));
  table_.Close();
  deps_.lease_client->Cancel();
  leasing.join();
  WaitForEither(kill_, slots_ended_);
  const absl::Duration deadline = deps_.clock->Elapsed() + options_.shutdown_timeout;
  const auto wait_for = [&](const StopEvent& event) {
    deps_.pacer->Pause(event, std::max(deadline - deps_.clock->Elapsed(), absl::ZeroDuration()));
  };
  if (!slots_ended_.raised()) {
    table_.StopAll();
    wait_for(slots_ended_);
  }
  if (!slots_ended_.raised()) Abandon();
  for (std::thread& slot : slots) slot.join();
  end_heartbeats_.Raise();
  registered_.Raise();
  wait_for(heartbeats_ended_);
  if (!heartbeats_ended_.raised()) Abandon();
  heartbeats.join();
  MutexLock lock(&mutex_);
  return failure_;
}

void Agent::Abandon() {
  LogWarning({.worker = options_.worker_id},
             "the coordinator did not answer in time; outcomes stay in the outbox, leases expire");
  abandon_.Raise();
  deps_.client->Cancel();
}

absl::Status Agent::DeliverOutbox() {
  std::vector<v1::ReportRequest> reports = deps_.outbox->List();
  if (reports.empty()) return absl::OkStatus();
  LogInfo({.worker = options_.worker_id},
          absl::StrCat("delivering ", reports.size(), " outcome(s) of an earlier start"));
  for (v1::ReportRequest& report : reports) {
    if (report.has_result()) {
      const std::string why = CheckUpload(deps_.outbox->WeightsPath(report.key(), report.token()),
                                          report.mutable_result());
      if (!why.empty()) {
        LogError(IdsOf(report.key()), absl::StrCat("reporting without weights: ", why));
        report.set_request_id(session_.NextRequestId());
      }
    }
    if (!session_.Deliver(deps_.lease_client, report, nullptr, nullptr, leave_,
                          options_.connect_timeout)) {
      RETURN_IF_ERROR(session_.refusal());
      return absl::DeadlineExceededError(
          absl::StrCat("outcomes of an earlier start could not be delivered within ",
                       absl::FormatDuration(options_.connect_timeout)));
    }
    deps_.checkpoints->End(report.key(),
                           report.has_failure() && IsRetried(report.failure().cause()));
  }
  return absl::OkStatus();
}

void Agent::LeaseLoop() {
  // Outcomes first: registering a new incarnation tells the coordinator that all earlier leases
  // are gone.
  absl::Status status = DeliverOutbox();
  if (status.ok()) {
    status = session_.Register(deps_.lease_client, leave_, options_.connect_timeout);
  }
  if (!status.ok()) {
    if (!leave_.raised()) Fail(status);
    return;
  }
  registered_.Raise();
  v1::LeaseRequest request = MakeLeaseRequest();
  request.set_wait_ms(absl::ToInt64Milliseconds(options_.lease_wait));
  Backoff backoff = session_.NewBackoff();
  while (table_.WaitForRoom() && !leave_.raised()) {
    if (!RequestWork(&request, &backoff)) return;
  }
}

v1::LeaseRequest Agent::MakeLeaseRequest() {
  v1::LeaseRequest request;
  request.set_request_id(session_.NextRequestId());
  request.set_worker_id(options_.worker_id);
  request.set_incarnation(options_.incarnation);
  return request;
}

bool Agent::RequestWork(v1::LeaseRequest* request, Backoff* backoff) {
  const int64_t registrations = session_.registrations();
  const absl::StatusOr<v1::LeaseResponse> response = deps_.lease_client->Lease(*request);
  if (response.ok()) {
    backoff->Reset();
    request->set_request_id(session_.NextRequestId());
    // One that comes while leaving is given back after a heartbeat's START.
    if (response->has_lease()) TakeIn(response->lease());
    return true;
  }
  if (leave_.raised()) return false;
  if (GetErrorReason(response.status()) == v1::ERROR_REASON_UNKNOWN_WORKER) {
    const absl::Status status = session_.RegisterAgain(deps_.lease_client, leave_, registrations);
    if (status.ok()) return true;
    if (!leave_.raised()) Fail(status);
    return false;
  }
  const absl::Duration pause = RetryAfter(response.status()) + backoff->Next();
  LogWarning({.worker = options_.worker_id},
             absl::StrCat("cannot ask for work: ", response.status().message(),
                          "; trying again in ", absl::FormatDuration(pause)));
  // A request without an answer keeps its id: if it was granted a lease, the repeat gets the same.
  if (!IsTransient(response.status())) request->set_request_id(session_.NextRequestId());
  deps_.pacer->Pause(leave_, pause);
  return true;
}

LeaseTable::Accepted Agent::TakeIn(const v1::AttemptLease& lease) {
  const LeaseTable::Accepted accepted = table_.Accept(lease);
  if (accepted == LeaseTable::Accepted::kQueued) {
    LogInfo(IdsOf(lease.task().key()), absl::StrCat("leased, token ", lease.token()));
  }
  return accepted;
}

void Agent::SlotLoop(int slot) {
  while (const std::shared_ptr<HeldLease> held = table_.Take()) {
    RunLease(*held, slot);
    table_.Release(held->lease().token());
  }
  if (--live_slots_ == 0) slots_ended_.Raise();
}

void Agent::RunLease(const HeldLease& held, int slot) {
  const v1::TrialTask& task = held.lease().task();
  const LogIds ids = IdsOf(held.key());
  v1::ReportRequest report;
  report.set_request_id(session_.NextRequestId());
  report.set_worker_id(options_.worker_id);
  *report.mutable_key() = held.key();
  report.set_token(held.lease().token());

  const absl::StatusOr<std::string> folder = deps_.catalog->FindFolder(task.dataset().name());
  if (!folder.ok()) {
    *report.mutable_failure() = MakeFailure(v1::FAILURE_CAUSE_DATASET, folder.status().message());
    ReportOutcome(held, std::move(report));
    return;
  }
  const std::string weights_path = deps_.outbox->WeightsPath(held.key(), held.lease().token());
  const std::string& hardware_class = options_.hardware.hardware_class();
  TrialOrder order =
      MakeOrder(task, options_.trial_defaults, *folder, weights_path, hardware_class);
  order.input.set_picks_path(options_.picks_path);
  // It becomes part of a path.
  const std::string leg = IsSha256Hex(task.checkpoint_sha256()) ? task.checkpoint_sha256() : "";
  order.input.set_checkpoint_path(deps_.checkpoints->Begin(held.key(), leg));
  if (!options_.slot_cpus.empty()) {
    const std::vector<int>& cpus = options_.slot_cpus[static_cast<size_t>(slot)];
    if (static_cast<int>(cpus.size()) >= order.threads) order.cpus = cpus;
  }
  FetchCheckpoint(held, order.input.checkpoint_path());
  const absl::Status parent = FindParent(held, &order.input);
  bool again = true;  // whether the trial may come back to its checkpoint
  TrialEnd end;
  if (held.stop().raised() || absl::IsCancelled(parent)) {
    end.outcome = TrialStopped();
  } else if (!parent.ok()) {
    end.outcome = MakeFailure(v1::FAILURE_CAUSE_INTERNAL, parent.message());
  } else {
    end = deps_.runner->Run(order, held.stop(), [&](const v1::EpochMetrics& epoch) {
      table_.AddEpoch(held.lease().token(), epoch);
    });
  }
  const std::vector<v1::Measurement> use =
      MeasureUse(end, std::min(order.threads, options_.trial_defaults.most_threads), *deps_.energy,
                 hardware_class);

  if (held.stop_reason() == StopReason::kRevoked) {
    LogInfo(ids, "stopped: the lease was taken away");
    deps_.outbox->Remove(held.key(), held.lease().token());
  } else if (std::holds_alternative<TrialStopped>(end.outcome)) {
    deps_.outbox->Remove(held.key(), held.lease().token());
    session_.GiveBack(deps_.client, held.key(), held.lease().token(), "the worker is leaving", use,
                      abandon_);
  } else if (auto* failure = std::get_if<v1::Failure>(&end.outcome)) {
    LogWarning(ids, absl::StrCat("failed: ", EnumName(failure->cause()), ": ", failure->message()));
    again = IsRetried(failure->cause());
    *report.mutable_failure() = std::move(*failure);
    report.mutable_usage()->Assign(use.begin(), use.end());
    ReportOutcome(held, std::move(report));
  } else {
    v1::TrialResult& result = std::get<v1::TrialResult>(end.outcome);
    if (const std::string why = CheckUpload(weights_path, &result); !why.empty()) {
      LogError(ids, absl::StrCat("reporting without what was kept: ", why));
    }
    for (const v1::Measurement& measurement : use) *result.add_measurements() = measurement;
    *report.mutable_result() = std::move(result);
    again = !ReportOutcome(held, std::move(report));
  }
  deps_.checkpoints->End(held.key(), again, leg);
}

absl::Status Agent::FindParent(const HeldLease& held, v1::TrialProcessInput* input) {
  const v1::TrialTask& task = held.lease().task();
  if (!task.has_inheritance()) return absl::OkStatus();
  ASSIGN_OR_RETURN(*input->mutable_parent_path(),
                   deps_.parents->Get(task.inheritance().weights_sha256(), [&] {
                     return session_.GetParentWeights(deps_.client, held.key(),
                                                      held.lease().token(), held.stop());
                   }));
  return absl::OkStatus();
}

void Agent::FetchCheckpoint(const HeldLease& held, const std::string& path) {
  const std::string& digest = held.lease().task().checkpoint_sha256();
  // What an earlier attempt of the same leg left here has come at least as far.
  if (digest.empty() || FileSize(path).ok()) return;
  const auto fetch = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(
        const std::string content,
        session_.GetCheckpoint(deps_.client, held.key(), held.lease().token(), held.stop()));
    if (const std::string got = Sha256Hex(content); got != digest) {
      return absl::DataLossError(absl::StrCat("what came has digest ", got));
    }
    return WriteFileAtomically(path, content);
  };
  if (const absl::Status fetched = fetch(); !fetched.ok()) {
    // It costs time, and comes to the same.
    LogWarning(IdsOf(held.key()), absl::StrCat("checkpoint ", digest, ": ", fetched.message(),
                                               "; training begins anew"));
  }
}

bool Agent::ReportOutcome(const HeldLease& held, v1::ReportRequest report) {
  if (absl::Status stored = deps_.outbox->Put(report); !stored.ok()) {
    LogError(IdsOf(held.key()),
             absl::StrCat("cannot keep the outcome on disk, a crash now would lose it: ",
                          stored.message()));
  }
  if (leave_.raised()) {
    return session_.Deliver(deps_.client, std::move(report), &held, nullptr, abandon_);
  }
  CoordinatorSession::NextLease next;
  next.request = MakeLeaseRequest();
  const bool settled = session_.Deliver(deps_.client, std::move(report), &held, &next, abandon_);
  if (next.granted.has_value()) TakeIn(*next.granted);
  return settled;
}

void Agent::HeartbeatLoop() {
  registered_.Wait();
  for (bool last = session_.registrations() == 0; !last;) {
    last = deps_.pacer->Pause(end_heartbeats_, session_.heartbeat_interval());
    if (abandon_.raised()) continue;
    // The last one, when all is settled, gives back leases that were granted while we left.
    const absl::Status status = SendHeartbeat(/*leaving=*/last);
    if (status.ok()) {
      if (!heartbeat_answered_) LogInfo({.worker = options_.worker_id}, "heartbeats are answered");
    } else if (heartbeat_answered_) {
      LogWarning({.worker = options_.worker_id},
                 absl::StrCat("heartbeat not answered: ", status.message()));
    }
    heartbeat_answered_ = status.ok();
  }
  heartbeats_ended_.Raise();
}

absl::Status Agent::SendHeartbeat(bool leaving) {
  v1::HeartbeatRequest request;
  request.set_leaving(leaving);
  request.set_worker_id(options_.worker_id);
  request.set_incarnation(options_.incarnation);
  const std::vector<v1::LeaseStatus> statuses = table_.Snapshot();
  request.mutable_leases()->Assign(statuses.begin(), statuses.end());
  const int64_t registrations = session_.registrations();
  const absl::StatusOr<v1::HeartbeatResponse> response = deps_.client->Heartbeat(request);
  if (!response.ok()) {
    if (GetErrorReason(response.status()) != v1::ERROR_REASON_UNKNOWN_WORKER) {
      return response.status();
    }
    const absl::Status status =
        session_.RegisterAgain(deps_.client, end_heartbeats_, registrations);
    if (!status.ok() && !end_heartbeats_.raised()) Fail(status);
    return status;
  }
  table_.Acknowledge(statuses);
  for (const v1::Directive& directive : response->directives()) Obey(directive);
  return absl::OkStatus();
}

void Agent::Obey(const v1::Directive& directive) {
  switch (directive.action()) {
    case v1::ACTION_STOP:
      if (table_.Revoke(directive.token())) {
        LogInfo(IdsOf(directive.key()), absl::StrCat("told to stop: ", directive.reason()));
      }
      return;
    case v1::ACTION_START:
      if (TakeIn(directive.lease()) == LeaseTable::Accepted::kClosed) {
        session_.GiveBack(deps_.client, directive.lease().task().key(), directive.lease().token(),
                          "the worker is leaving", {}, abandon_);
      }
      return;
    default:
      return;
  }
}

}  // namespace frontier::worker
