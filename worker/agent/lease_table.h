// The leases this worker holds, from the moment they are granted until they are settled.
#ifndef FRONTIER_WORKER_AGENT_LEASE_TABLE_H_
#define FRONTIER_WORKER_AGENT_LEASE_TABLE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "common/base/log.h"
#include "common/base/mutex.h"
#include "frontier/v1/worker_service.pb.h"
#include "worker/agent/stop_event.h"

namespace frontier::worker {

inline LogIds IdsOf(const v1::AttemptKey& key) {
  return {key.job_id(), key.trial(), key.attempt()};
}

enum class StopReason {
  kNone,
  kRevoked,   // the coordinator took the lease away: report nothing
  kShutdown,  // this worker leaves: give the lease back
};

// A lease with its stop. Shared between the slot that runs it and the table.
class HeldLease {
 public:
  explicit HeldLease(v1::AttemptLease lease) : lease_(std::move(lease)) {}

  const v1::AttemptLease& lease() const { return lease_; }
  const v1::AttemptKey& key() const { return lease_.task().key(); }
  const StopEvent& stop() const { return stop_; }
  StopReason stop_reason() const { return reason_.load(std::memory_order_acquire); }

  // A revocation overrides a shutdown, not the other way round.
  void Stop(StopReason reason);

 private:
  const v1::AttemptLease lease_;
  StopEvent stop_;
  std::atomic<StopReason> reason_{StopReason::kNone};
};

// Thread-safe.
class LeaseTable {
 public:
  explicit LeaseTable(int slots) : slots_(slots) {}

  enum class Accepted { kQueued, kKnown, kClosed };
  // Queues a granted lease for a slot. kKnown if it is or was held already: an answer and a
  // heartbeat may both bring the same lease. kClosed after Close.
  Accepted Accept(const v1::AttemptLease& lease);

  // For slots: the next queued lease, waiting for one; null once the table is closed and the queue
  // is empty.
  std::shared_ptr<HeldLease> Take();
  // For the one who leases: waits until fewer leases are held than there are slots. False once
  // closed.
  bool WaitForRoom();

  // Remembered until a heartbeat with it is answered.
  void AddEpoch(int64_t token, const v1::EpochMetrics& epoch);
  // The lease is settled: reported, given back or dropped. Its token stays known.
  void Release(int64_t token);

  // All held leases with their epochs not yet answered for, by token.
  std::vector<v1::LeaseStatus> Snapshot() const;
  // `sent`, a snapshot, was answered.
  void Acknowledge(const std::vector<v1::LeaseStatus>& sent);

  // False if no such lease is held.
  bool Revoke(int64_t token);
  // Stops all that is held; none is revoked by it.
  void StopAll();
  // No more leases are taken in; those queued still go to slots.
  void Close();

  int held() const;

 private:
  struct Entry {
    std::shared_ptr<HeldLease> lease;
    std::vector<v1::EpochMetrics> epochs;
  };
  static constexpr size_t kRememberedTokens = 4096;

  const int slots_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::map<int64_t, Entry> entries_ ABSL_GUARDED_BY(mutex_);  // by token
  std::deque<int64_t> queue_ ABSL_GUARDED_BY(mutex_);
  std::deque<int64_t> settled_ ABSL_GUARDED_BY(mutex_);  // latest tokens, oldest first
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_LEASE_TABLE_H_
