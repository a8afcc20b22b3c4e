#include "coordinator/service/watch_hub.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/rpc/grpc_status.h"
#include "coordinator/service/overload.h"
#include "coordinator/service/stream_guard.h"

namespace frontier::coordinator {
namespace {

bool HasEnded(v1::JobState state) {
  return state == v1::JOB_STATE_COMPLETED || state == v1::JOB_STATE_CANCELLED ||
         state == v1::JOB_STATE_FAILED;
}

// What tells one state of a job from another: not the mere passing of time.
std::string Fingerprint(v1::Job job) {
  job.mutable_usage()->clear_wall_seconds();
  job.clear_seconds_left();
  return job.SerializeAsString();
}

absl::Status ShuttingDown() { return absl::UnavailableError("the coordinator is shutting down"); }

}  // namespace

// One stream. Whoever sets `busy_` polls and writes until there is nothing new; others leave word
// in `dirty_` or `end_`. gRPC and the hub share it: the last to let go deletes it.
class WatchReactor final : public grpc::ServerWriteReactor<v1::WatchJobResponse>,
                           public std::enable_shared_from_this<WatchReactor> {
 public:
  WatchReactor(WatchHub* hub, Dispatcher* dispatcher, Clock* clock,
               grpc::CallbackServerContext* context, const v1::WatchJobRequest& request)
      : hub_(hub), dispatcher_(dispatcher), clock_(clock), guard_(context), request_(request) {}

  // Gives up on a client that has not taken the answer sent to it before `deadline`.
  void DropIfSentBefore(absl::Duration deadline) { guard_.CancelIfSlow(deadline); }

  // Polls soon: now, or once the answer on its way has left.
  void Kick() {
    {
      MutexLock lock(&mutex_);
      if (finished_) return;
      dirty_ = true;
      if (busy_) return;
      busy_ = true;
    }
    Step();
  }

  // Finishes with `status` as soon as nothing is on its way.
  void End(absl::Status status) {
    {
      MutexLock lock(&mutex_);
      if (finished_ || end_.has_value()) return;
      end_ = std::move(status);
      if (busy_) return;
      busy_ = true;
    }
    Step();
  }

  void OnWriteDone(bool ok) override {
    guard_.Moved();
    if (!ok) {
      MutexLock lock(&mutex_);
      if (!end_.has_value()) end_ = absl::CancelledError("the client is gone");
    }
    Step();
  }

  void OnCancel() override { End(absl::CancelledError("the client is gone")); }

  void OnDone() override { hub_->Remove(shared_from_this()); }

 private:
  // Runs with `busy_` set, by one thread at a time.
  void Step() {
    while (true) {
      {
        MutexLock lock(&mutex_);
        if (end_.has_value()) {
          finished_ = true;
          break;
        }
        if (!dirty_ && !more_) {
          busy_ = false;
          return;
        }
        dirty_ = false;
      }
      absl::StatusOr<v1::WatchJobResponse> polled = dispatcher_->PollJob(request_, &cursor_);
      if (!polled.ok()) {
        MutexLock lock(&mutex_);
        if (!end_.has_value()) end_ = polled.status();
        continue;
      }
      request_.set_after_event(cursor_);
      std::string fingerprint = Fingerprint(polled->job());
      if (polled->events().empty() && fingerprint == sent_) {
        more_ = false;
        if (!HasEnded(polled->job().state())) continue;
        MutexLock lock(&mutex_);
        if (!end_.has_value()) end_ = absl::OkStatus();
        continue;
      }
      // There may be more events than one answer holds, or none: the next poll tells.
      more_ = true;
      sent_ = std::move(fingerprint);
      response_ = *std::move(polled);
      response_.set_last_event(cursor_);
      guard_.Wait(clock_->Elapsed());
      StartWrite(&response_);
      return;
    }
    absl::Status status;
    {
      MutexLock lock(&mutex_);
      status = *end_;
    }
    guard_.Finish([this, status] { Finish(ToGrpcStatus(status)); });
  }

  WatchHub* const hub_;
  Dispatcher* const dispatcher_;
  Clock* const clock_;
  StreamGuard guard_;

  // Of whoever is busy.
  v1::WatchJobRequest request_;
  v1::WatchJobResponse response_;
  int64_t cursor_ = 0;
  std::string sent_;  // fingerprint of the job as last sent
  bool more_ = false;

  Mutex mutex_;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  bool dirty_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<grpc::ServerWriteReactor<v1::WatchJobResponse>*> WatchHub::Watch(
    const v1::WatchJobRequest& request, grpc::CallbackServerContext* context) {
  auto watch = std::make_shared<WatchReactor>(this, dispatcher_, clock_, context, request);
  {
    MutexLock lock(&mutex_);
    if (shut_down_) return ShuttingDown();
    if (watches_.size() >= limits_.watches) {
      return Overloaded(absl::StrCat(limits_.watches, " watches are open"));
    }
    watches_.insert(watch);
  }
  watch->Kick();
  return watch.get();
}

void WatchHub::DropSlow() {
  const absl::Duration deadline = clock_->Elapsed() - limits_.slow_watch;
  std::vector<std::shared_ptr<WatchReactor>> watches;
  {
    MutexLock lock(&mutex_);
    watches.assign(watches_.begin(), watches_.end());
  }
  for (const std::shared_ptr<WatchReactor>& watch : watches) watch->DropIfSentBefore(deadline);
}

void WatchHub::Notify() {
  std::vector<std::shared_ptr<WatchReactor>> watches;
  {
    MutexLock lock(&mutex_);
    watches.assign(watches_.begin(), watches_.end());
  }
  for (const std::shared_ptr<WatchReactor>& watch : watches) watch->Kick();
}

void WatchHub::Shutdown() {
  std::vector<std::shared_ptr<WatchReactor>> watches;
  {
    MutexLock lock(&mutex_);
    shut_down_ = true;
    watches.assign(watches_.begin(), watches_.end());
  }
  for (const std::shared_ptr<WatchReactor>& watch : watches) watch->End(ShuttingDown());
}

void WatchHub::Remove(const std::shared_ptr<WatchReactor>& watch) {
  MutexLock lock(&mutex_);
  watches_.erase(watch);
}

}  // namespace frontier::coordinator
