// What a worker has to settle with its coordinator, tried until it is settled.
#ifndef FRONTIER_WORKER_AGENT_COORDINATOR_SESSION_H_
#define FRONTIER_WORKER_AGENT_COORDINATOR_SESSION_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mutex.h"
#include "common/rpc/client/worker_client.h"
#include "common/rpc/retry.h"
#include "frontier/v1/worker_service.pb.h"
#include "worker/agent/lease_table.h"
#include "worker/agent/outbox.h"
#include "worker/agent/stop_event.h"

namespace frontier::worker {

// Whether the same call may succeed later without anything changed on our side. Wider than
// IsRetryable: an outcome that took an hour to get is worth waiting for a disk to be cleared.
bool IsTransient(const absl::Status& status);

// Thread-safe. All pointers outlive the session.
class CoordinatorSession {
 public:
  // `registration` lacks its request id; worker id and incarnation are taken from it.
  CoordinatorSession(v1::RegisterRequest registration, uint64_t seed, Outbox* outbox, Clock* clock,
                     Pacer* pacer);

  // Registers, waiting with growing pauses while the coordinator cannot be reached. Errors:
  // CANCELLED once `stop` is raised, DEADLINE_EXCEEDED if that took longer than `give_up_after`
  // (zero = never), or the refusal.
  absl::Status Register(WorkerClient* client, const StopEvent& stop, absl::Duration give_up_after);

  // After a call that was answered with UNKNOWN_WORKER: registers again, unless another thread has
  // done so since `registrations` was read. FAILED_PRECONDITION (reason UNKNOWN_WORKER) if that was
  // so again and again of late, and pauses before it comes to that: another process registers this
  // worker, too. Other errors as Register.
  absl::Status RegisterAgain(WorkerClient* client, const StopEvent& stop, int64_t registrations);
  int64_t registrations() const { return registrations_.load(); }
  // Why it could not register again, so that nothing more can be settled; OK if there is no such
  // reason.
  absl::Status refusal() const;

  // Another lease, asked for together with a report.
  struct NextLease {
    v1::LeaseRequest request;
    std::optional<v1::AttemptLease> granted;
  };

  // Uploads the weights of a report and reports, until accepted, refused for good, or no longer
  // wanted (`held`, if not null, was revoked); then it leaves the outbox. False if `stop` or a
  // refusal to register again came first: it stays there. A result the coordinator finds invalid is
  // reported as a failure instead, so that the attempt comes to an end; one whose weights are
  // refused, or have three times not come through in the time that a transfer has, without them.
  // `next` may be null.
  bool Deliver(WorkerClient* client, v1::ReportRequest report, const HeldLease* held,
               NextLease* next, const StopEvent& stop,
               absl::Duration give_up_after = absl::ZeroDuration());

  // The model file that the trial of a lease inherits from. CANCELLED if `stop` or a refusal to
  // register again came first, DEADLINE_EXCEEDED if it three times did not come through in the time
  // that a transfer has, else the refusal.
  absl::StatusOr<std::string> GetParentWeights(WorkerClient* client, const v1::AttemptKey& key,
                                               int64_t token, const StopEvent& stop);

  // The checkpoint from which the trial of a lease goes on; errors likewise.
  absl::StatusOr<std::string> GetCheckpoint(WorkerClient* client, const v1::AttemptKey& key,
                                            int64_t token, const StopEvent& stop);

  // Until accepted or refused for good. False if `stop` or a refusal to register again came first.
  bool GiveBack(WorkerClient* client, const v1::AttemptKey& key, int64_t token,
                absl::string_view reason, const std::vector<v1::Measurement>& usage,
                const StopEvent& stop);

  // Unique over all starts of this worker, at most 128 characters.
  std::string NextRequestId();
  Backoff NewBackoff();

  const std::string& worker_id() const { return registration_.worker_id(); }
  const std::string& incarnation() const { return registration_.incarnation(); }
  // As the coordinator asked for; 5 s before the first registration.
  absl::Duration heartbeat_interval() const {
    return absl::Milliseconds(heartbeat_interval_ms_.load());
  }

 private:
  // As Register, unless another thread has registered since `registrations` was read.
  absl::Status RegisterUnlessDone(WorkerClient* client, const StopEvent& stop,
                                  absl::Duration give_up_after, int64_t registrations);
  absl::Status TryToRegister(WorkerClient* client, const v1::RegisterRequest& request,
                             const StopEvent& stop, int64_t registrations);
  // How long to wait before registering again; the error of RegisterAgain if that was too often.
  absl::StatusOr<absl::Duration> PauseBeforeAgain() ABSL_EXCLUSIVE_LOCKS_REQUIRED(registering_);

  // Until `method` of the client gives it, or is refused for good; `what` is for the log.
  template <typename Request>
  absl::StatusOr<std::string> Download(
      WorkerClient* client, const v1::AttemptKey& key, int64_t token, const StopEvent& stop,
      absl::string_view what,
      absl::StatusOr<std::string> (WorkerClient::*method)(const Request& request));
  absl::Status SendOutcome(WorkerClient* client, v1::ReportRequest report, NextLease* next,
                           bool* uploaded);
  // Decides after a failed try: whether to try again.
  enum class Next { kTryAgain, kRefused, kStopped };
  Next AfterError(WorkerClient* client, const absl::Status& status, const LogIds& ids,
                  absl::string_view what, int64_t registrations, int tries, Backoff* backoff,
                  const StopEvent& stop);

  const v1::RegisterRequest registration_;
  const uint64_t seed_;
  Outbox* const outbox_;
  Clock* const clock_;
  Pacer* const pacer_;

  // Held during one try to register, so that threads do not repeat each other's, and never during a
  // pause: whoever waits for it could not be told to stop.
  mutable Mutex registering_;
  // When it registered again of late, by Clock::Elapsed.
  std::deque<absl::Duration> again_ ABSL_GUARDED_BY(registering_);
  absl::Status refusal_ ABSL_GUARDED_BY(registering_);
  std::atomic<int64_t> registrations_{0};
  std::atomic<int64_t> heartbeat_interval_ms_{5000};
  std::atomic<uint64_t> last_request_{0};
  std::atomic<uint64_t> backoffs_{0};
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_COORDINATOR_SESSION_H_
