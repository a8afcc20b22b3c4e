// The live leases: by attempt, by worker, in the order in which they expire.
#ifndef FRONTIER_COORDINATOR_CORE_LEASE_TABLE_H_
#define FRONTIER_COORDINATOR_CORE_LEASE_TABLE_H_

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "coordinator/core/attempt_id.h"

namespace frontier::coordinator {

// Times are readings of Clock::Elapsed, so that a jump of the wall clock ends no lease.
struct Lease {
  AttemptId id;
  int64_t token = 0;  // fencing
  std::string worker_id;
  std::string incarnation;
  std::string request_id;  // of the call that was answered with it
  absl::Duration granted;
  absl::Duration expires;
  std::vector<std::string> uploads;  // digests of weights that were let in for it
};

// Pure state; not thread-safe.
class LeaseTable {
 public:
  // An attempt is leased at most once; a second lease of `lease.id` replaces the first.
  void Add(Lease lease);
  // Null if the attempt is not leased. Valid until the next change of the table.
  const Lease* Find(const AttemptId& id) const;
  // False if the attempt is not leased.
  bool Renew(const AttemptId& id, absl::Duration expires);
  // All expire so much later.
  void Postpone(absl::Duration by);
  bool AddUpload(const AttemptId& id, absl::string_view sha256);
  bool Remove(const AttemptId& id);

  // By attempt id.
  std::vector<AttemptId> OfWorker(absl::string_view worker_id) const;
  int CountOfWorker(absl::string_view worker_id) const;
  // The lease that a call of this worker was answered with; null if there is none.
  const Lease* OfRequest(absl::string_view worker_id, absl::string_view request_id) const;
  // Those with `expires` <= now, the longest expired first.
  std::vector<AttemptId> Expired(absl::Duration now) const;
  // By attempt id.
  std::vector<AttemptId> All() const;

  int size() const { return static_cast<int>(leases_.size()); }
  // The smallest token held; 0 = no lease.
  int64_t OldestToken() const { return by_token_.empty() ? 0 : *by_token_.begin(); }

 private:
  absl::flat_hash_map<AttemptId, Lease> leases_;
  absl::flat_hash_map<std::string, std::set<AttemptId>> by_worker_;
  std::set<std::pair<absl::Duration, AttemptId>> by_expiry_;
  std::set<int64_t> by_token_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_LEASE_TABLE_H_
