#include "coordinator/core/lease_table.h"

#include <algorithm>

namespace frontier::coordinator {

void LeaseTable::Add(Lease lease) {
  Remove(lease.id);
  by_worker_[lease.worker_id].insert(lease.id);
  by_expiry_.emplace(lease.expires, lease.id);
  by_token_.insert(lease.token);
  const AttemptId id = lease.id;
  leases_.emplace(id, std::move(lease));
}

const Lease* LeaseTable::Find(const AttemptId& id) const {
  const auto it = leases_.find(id);
  return it == leases_.end() ? nullptr : &it->second;
}

bool LeaseTable::Renew(const AttemptId& id, absl::Duration expires) {
  const auto it = leases_.find(id);
  if (it == leases_.end()) return false;
  by_expiry_.erase({it->second.expires, id});
  it->second.expires = expires;
  by_expiry_.emplace(expires, id);
  return true;
}

void LeaseTable::Postpone(absl::Duration by) {
  by_expiry_.clear();
  for (auto& [id, lease] : leases_) {
    lease.expires += by;
    by_expiry_.emplace(lease.expires, id);
  }
}

bool LeaseTable::AddUpload(const AttemptId& id, absl::string_view sha256) {
  const auto it = leases_.find(id);
  if (it == leases_.end()) return false;
  it->second.uploads.emplace_back(sha256);
  return true;
}

bool LeaseTable::Remove(const AttemptId& id) {
  const auto it = leases_.find(id);
  if (it == leases_.end()) return false;
  const auto of_worker = by_worker_.find(it->second.worker_id);
  of_worker->second.erase(id);
  if (of_worker->second.empty()) by_worker_.erase(of_worker);
  by_expiry_.erase({it->second.expires, id});
  by_token_.erase(it->second.token);
  leases_.erase(it);
  return true;
}

std::vector<AttemptId> LeaseTable::OfWorker(absl::string_view worker_id) const {
  const auto it = by_worker_.find(worker_id);
  if (it == by_worker_.end()) return {};
  return std::vector<AttemptId>(it->second.begin(), it->second.end());
}

int LeaseTable::CountOfWorker(absl::string_view worker_id) const {
  const auto it = by_worker_.find(worker_id);
  return it == by_worker_.end() ? 0 : static_cast<int>(it->second.size());
}

const Lease* LeaseTable::OfRequest(absl::string_view worker_id,
                                   absl::string_view request_id) const {
  const auto it = by_worker_.find(worker_id);
  if (it == by_worker_.end()) return nullptr;
  for (const AttemptId& id : it->second) {
    const Lease& lease = leases_.at(id);
    if (lease.request_id == request_id) return &lease;
  }
  return nullptr;
}

std::vector<AttemptId> LeaseTable::Expired(absl::Duration now) const {
  std::vector<AttemptId> expired;
  for (const auto& [expires, id] : by_expiry_) {
    if (expires > now) break;
    expired.push_back(id);
  }
  return expired;
}

std::vector<AttemptId> LeaseTable::All() const {
  std::vector<AttemptId> all;
  all.reserve(leases_.size());
  for (const auto& [id, lease] : leases_) all.push_back(id);
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace frontier::coordinator
