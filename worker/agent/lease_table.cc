#include "worker/agent/lease_table.h"

#include <algorithm>
#include <utility>

namespace frontier::worker {

void HeldLease::Stop(StopReason reason) {
  StopReason expected = StopReason::kNone;
  if (reason == StopReason::kRevoked) {
    reason_.store(reason, std::memory_order_release);
  } else {
    reason_.compare_exchange_strong(expected, reason, std::memory_order_acq_rel);
  }
  stop_.Raise();
}

LeaseTable::Accepted LeaseTable::Accept(const v1::AttemptLease& lease) {
  MutexLock lock(&mutex_);
  if (entries_.count(lease.token()) > 0 ||
      std::find(settled_.begin(), settled_.end(), lease.token()) != settled_.end()) {
    return Accepted::kKnown;
  }
  if (closed_) return Accepted::kClosed;
  entries_[lease.token()].lease = std::make_shared<HeldLease>(lease);
  queue_.push_back(lease.token());
  changed_.SignalAll();
  return Accepted::kQueued;
}

std::shared_ptr<HeldLease> LeaseTable::Take() {
  MutexLock lock(&mutex_);
  while (queue_.empty() && !closed_) changed_.Wait(&mutex_);
  if (queue_.empty()) return nullptr;
  const int64_t token = queue_.front();
  queue_.pop_front();
  return entries_.at(token).lease;
}

bool LeaseTable::WaitForRoom() {
  MutexLock lock(&mutex_);
  while (!closed_ && entries_.size() >= static_cast<size_t>(slots_)) changed_.Wait(&mutex_);
  return !closed_;
}

void LeaseTable::AddEpoch(int64_t token, const v1::EpochMetrics& epoch) {
  MutexLock lock(&mutex_);
  const auto entry = entries_.find(token);
  if (entry != entries_.end()) entry->second.epochs.push_back(epoch);
}

void LeaseTable::Release(int64_t token) {
  MutexLock lock(&mutex_);
  if (entries_.erase(token) == 0) return;
  settled_.push_back(token);
  if (settled_.size() > kRememberedTokens) settled_.pop_front();
  changed_.SignalAll();
}

std::vector<v1::LeaseStatus> LeaseTable::Snapshot() const {
  MutexLock lock(&mutex_);
  std::vector<v1::LeaseStatus> statuses;
  for (const auto& [token, entry] : entries_) {
    v1::LeaseStatus& status = statuses.emplace_back();
    *status.mutable_key() = entry.lease->key();
    status.set_token(token);
    for (const v1::EpochMetrics& epoch : entry.epochs) *status.add_epochs() = epoch;
  }
  return statuses;
}

void LeaseTable::Acknowledge(const std::vector<v1::LeaseStatus>& sent) {
  MutexLock lock(&mutex_);
  for (const v1::LeaseStatus& status : sent) {
    const auto found = entries_.find(status.token());
    if (found == entries_.end() || status.epochs_size() == 0) continue;
    const int32_t last = status.epochs(status.epochs_size() - 1).epoch();
    std::erase_if(found->second.epochs,
                  [last](const v1::EpochMetrics& epoch) { return epoch.epoch() <= last; });
  }
}

bool LeaseTable::Revoke(int64_t token) {
  MutexLock lock(&mutex_);
  const auto entry = entries_.find(token);
  if (entry == entries_.end()) return false;
  entry->second.lease->Stop(StopReason::kRevoked);
  return true;
}

void LeaseTable::StopAll() {
  MutexLock lock(&mutex_);
  for (auto& [token, entry] : entries_) entry.lease->Stop(StopReason::kShutdown);
}

void LeaseTable::Close() {
  MutexLock lock(&mutex_);
  closed_ = true;
  changed_.SignalAll();
}

int LeaseTable::held() const {
  MutexLock lock(&mutex_);
  return static_cast<int>(entries_.size());
}

}  // namespace frontier::worker
