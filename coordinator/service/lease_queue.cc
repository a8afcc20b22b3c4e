#include "coordinator/service/lease_queue.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/service/durable.h"
#include "coordinator/service/overload.h"

namespace frontier::coordinator {
namespace {

// Tries in vain before Pump gives up until it is called again: they take the dispatcher's lock.
constexpr int kMaxMisses = 64;

// A change during a first try in vain is worth another, but not for ever.
constexpr int kMaxFirstTries = 3;

absl::Status ShuttingDown() { return absl::UnavailableError("the coordinator is shutting down"); }

}  // namespace

LeaseQueue::LeaseQueue(Dispatcher* dispatcher, Clock* clock, size_t most,
                       std::function<void()> wake)
    : dispatcher_(dispatcher), clock_(clock), most_(most), wake_(std::move(wake)) {}

uint64_t LeaseQueue::Wait(const v1::LeaseRequest& request, Done done) {
  uint64_t seen = 0;
  for (int i = 0; i < kMaxFirstTries; ++i) {
    seen = changes_;
    const int64_t losses = dispatcher_->losses();
    absl::StatusOr<v1::LeaseResponse> response = dispatcher_->TryLease(request);
    if (!response.ok() || response->has_lease() || request.wait_ms() <= 0) {
      Answer(losses, std::move(response), std::move(done));
      return 0;
    }
    if (seen == changes_) break;
  }
  Waiter waiter{request, clock_->Elapsed() + absl::Milliseconds(request.wait_ms()),
                std::move(done)};
  const absl::StatusOr<uint64_t> id = Add(&waiter);
  if (!id.ok()) {
    waiter.done(id.status());
    return 0;
  }
  // What changed before this request was in the queue has not been tried for it.
  if (seen != changes_) wake_();
  return *id;
}

void LeaseQueue::Answer(int64_t losses, absl::StatusOr<v1::LeaseResponse> response, Done done) {
  const absl::Status status = response.status();
  AnswerWhenDurable(
      dispatcher_, losses, status,
      [response = std::move(response), done = std::move(done)](const absl::Status& answer) mutable {
        if (answer.ok()) {
          done(std::move(response));
        } else {
          done(answer);
        }
      });
}

absl::StatusOr<uint64_t> LeaseQueue::Add(Waiter* waiter) {
  MutexLock lock(&mutex_);
  if (shut_down_) return ShuttingDown();
  if (waiters_.size() >= most_) return Overloaded(absl::StrCat(most_, " calls wait for work"));
  const uint64_t id = next_id_++;
  deadlines_.emplace(waiter->deadline, id);
  waiters_.emplace(id, std::move(*waiter));
  return id;
}

bool LeaseQueue::Cancel(uint64_t id) {
  MutexLock lock(&mutex_);
  if (id != 0 && id == taken_) {
    const bool first = !taken_cancelled_;
    taken_cancelled_ = true;
    return first;
  }
  const auto found = waiters_.find(id);
  if (found == waiters_.end()) return false;
  deadlines_.erase({found->second.deadline, id});
  waiters_.erase(found);
  return true;
}

void LeaseQueue::Expire() {
  const absl::Duration now = clock_->Elapsed();
  std::vector<Done> expired;
  {
    MutexLock lock(&mutex_);
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
      const auto waiter = waiters_.find(deadlines_.begin()->second);
      expired.push_back(std::move(waiter->second.done));
      waiters_.erase(waiter);
      deadlines_.erase(deadlines_.begin());
    }
  }
  for (Done& done : expired) done(v1::LeaseResponse());
}

bool LeaseQueue::Take(uint64_t* id, Waiter* waiter) {
  MutexLock lock(&mutex_);
  auto next = waiters_.lower_bound(cursor_);
  if (next == waiters_.end()) next = waiters_.begin();
  if (next == waiters_.end()) return false;
  *id = next->first;
  *waiter = std::move(next->second);
  deadlines_.erase({waiter->deadline, *id});
  waiters_.erase(next);
  cursor_ = *id + 1;
  taken_ = *id;
  taken_cancelled_ = false;
  return true;
}

void LeaseQueue::PutBack(uint64_t id, Waiter waiter) {
  {
    MutexLock lock(&mutex_);
    taken_ = 0;
    if (taken_cancelled_) return;
    if (!shut_down_) {
      deadlines_.emplace(waiter.deadline, id);
      waiters_.emplace(id, std::move(waiter));
      return;
    }
  }
  waiter.done(ShuttingDown());
}

void LeaseQueue::Pump() {
  size_t left = size();
  for (int misses = 0; left > 0 && misses < kMaxMisses; --left) {
    uint64_t id = 0;
    Waiter waiter;
    if (!Take(&id, &waiter)) break;
    const int64_t losses = dispatcher_->losses();
    absl::StatusOr<v1::LeaseResponse> response = dispatcher_->TryLease(waiter.request);
    if (response.ok() && !response->has_lease()) {
      PutBack(id, std::move(waiter));
      ++misses;
      continue;
    }
    bool cancelled = false;
    {
      MutexLock lock(&mutex_);
      taken_ = 0;
      cancelled = taken_cancelled_;
    }
    // A lease nobody takes any more is found by the worker's next request or heartbeat.
    if (!cancelled) Answer(losses, std::move(response), std::move(waiter.done));
  }
  MutexLock lock(&mutex_);
  if (left == 0) cursor_ = 0;  // all have been tried: the first come is first again
}

absl::Duration LeaseQueue::NextDeadline() const {
  MutexLock lock(&mutex_);
  return deadlines_.empty() ? absl::InfiniteDuration() : deadlines_.begin()->first;
}

size_t LeaseQueue::size() const {
  MutexLock lock(&mutex_);
  return waiters_.size();
}

void LeaseQueue::Shutdown() {
  std::map<uint64_t, Waiter> waiters;
  {
    MutexLock lock(&mutex_);
    shut_down_ = true;
    waiters.swap(waiters_);
    deadlines_.clear();
  }
  for (auto& [id, waiter] : waiters) waiter.done(ShuttingDown());
}

}  // namespace frontier::coordinator
