// A worker as the coordinator sees it: what it asks, and what it does with the answers.
#ifndef FRONTIER_TESTS_SIMULATION_WORKER_H_
#define FRONTIER_TESTS_SIMULATION_WORKER_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "frontier/v1/trial.pb.h"
#include "frontier/v1/worker_service.pb.h"

namespace frontier::simulation {

using Request = std::variant<v1::RegisterRequest, v1::LeaseRequest, v1::HeartbeatRequest,
                             v1::ReportRequest, v1::GiveBackRequest>;
using Response = std::variant<v1::RegisterResponse, v1::LeaseResponse, v1::HeartbeatResponse,
                              v1::ReportResponse, v1::GiveBackResponse>;

struct Call {
  uint64_t id = 0;  // unique over all workers
  Request request;
};

// A figure that tells which lease a result came from: the accuracy that is reported under `token`.
double AccuracyOf(int64_t token);
int64_t TokenOf(double accuracy);

// With one slot. Keeps a finished outcome, as on disk, until it is answered for.
class Worker {
 public:
  // `calls` numbers the calls of all workers and outlives them.
  Worker(int number, uint64_t* calls);

  const std::string& id() const { return id_; }
  const std::string& incarnation() const { return incarnation_; }
  const std::optional<v1::AttemptLease>& lease() const { return lease_; }

  // The next thing to send; nothing while it waits for an answer, of which it has enough for some
  // values of `choice`. How a trial ends is `choice`, too.
  std::optional<Call> Step(uint32_t choice);
  Call Heartbeat();

  // What came back; an answer to a call that is not waited for any more is dropped.
  void TakeAnswer(uint64_t call, const absl::StatusOr<Response>& answer);

  // The process is killed and starts again.
  void Kill();
  // It ends in good order and starts again; what is in its outbox it reports after that.
  Call Leave();

  // What no honest worker may be told; empty = nothing so far.
  const std::string& violation() const { return violation_; }

 private:
  Call Send(Request request);
  std::string NextRequestId();
  v1::LeaseRequest MakeLeaseRequest();
  v1::ReportRequest MakeReport(uint32_t choice);
  v1::GiveBackRequest MakeGiveBack();
  void TakeError(const absl::Status& status);
  void TakeLease(const v1::AttemptLease& lease);
  void Drop(int64_t token);

  const std::string id_;
  uint64_t* const calls_;
  int starts_ = 0;
  uint64_t requests_ = 0;
  std::string incarnation_;
  bool registered_ = false;
  std::optional<v1::AttemptLease> lease_;
  std::optional<v1::ReportRequest> outbox_;
  std::optional<Call> waits_for_;
  bool again_ = false;  // the call failed and is to be repeated
  uint64_t heartbeat_ = 0;
  std::set<int64_t> settled_;  // tokens
  std::string violation_;
};

}  // namespace frontier::simulation

#endif  // FRONTIER_TESTS_SIMULATION_WORKER_H_
