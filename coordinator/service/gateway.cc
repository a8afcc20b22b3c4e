#include "coordinator/service/gateway.h"

#include <pthread.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/rpc/server_runner.h"
#include "coordinator/service/admission.h"
#include "coordinator/service/job_service.h"
#include "coordinator/service/lease_queue.h"
#include "coordinator/service/long_calls.h"
#include "coordinator/service/watch_hub.h"
#include "coordinator/service/worker_service.h"

namespace frontier::coordinator {
namespace {

// Who wakes so much later than it wanted to was suspended, or had no processor.
constexpr absl::Duration kStall = absl::Seconds(1);

// Watchers are told of changes at most this often.
constexpr absl::Duration kWatchInterval = absl::Milliseconds(50);

// While the queue's tries are in vain they take at most one part in so many of a core.
constexpr int kPumpShare = 10;

class GatewayImpl final : public Gateway {
 public:
  GatewayImpl(const GatewayOptions& options, Dispatcher* dispatcher, BlobStore* blobs, Clock* clock)
      : options_(options),
        dispatcher_(dispatcher),
        clock_(clock),
        admission_(options.limits, dispatcher, clock),
        leases_(dispatcher, clock, options.limits.waiting_leases, [this] { Wake(); }),
        watches_(dispatcher, clock, options.limits),
        calls_(options.limits.long_calls, options.limits.waiting_long_calls),
        jobs_(&admission_, &calls_, blobs, &watches_, clock->Now()),
        workers_(&admission_, blobs, &leases_) {}

  ~GatewayImpl() override { Stop(); }

  absl::Status Start() {
    dispatcher_->SetChangeListener([this] {
      leases_.NoteChange();
      Wake();
    });
    ASSIGN_OR_RETURN(server_,
                     ServerRunner::Start(options_.listen,
                                         {{v1::JobService::service_full_name(), &jobs_},
                                          {v1::WorkerService::service_full_name(), &workers_}}));
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "gateway");
      Loop();
    });
    return absl::OkStatus();
  }

  const std::string& address() const override { return server_->address(); }

  void Stop() override {
    MutexLock stopping(&stop_mutex_);
    if (thread_.joinable()) {
      {
        MutexLock lock(&mutex_);
        stopped_ = true;
        condition_.Signal();
      }
      thread_.join();
      leases_.Shutdown();
      watches_.Shutdown();
      server_->Stop(options_.stop_grace);
    }
    dispatcher_->SetChangeListener(nullptr);
  }

 private:
  void Wake() {
    MutexLock lock(&mutex_);
    changed_ = true;
    condition_.Signal();
  }

  // Sleeps until `until` on the clock's Elapsed scale, or a change if `wakeful`. False once
  // stopped.
  bool Sleep(absl::Duration until, bool wakeful, bool* changed) {
    MutexLock lock(&mutex_);
    while (!stopped_ && !(wakeful && changed_)) {
      const absl::Duration left = until - clock_->Elapsed();
      if (left <= absl::ZeroDuration()) break;
      condition_.WaitFor(&mutex_, left);
    }
    *changed = changed_;
    changed_ = false;
    return !stopped_;
  }

  void Loop() {
    absl::Duration next_tick = clock_->Elapsed();
    absl::Duration next_pump = next_tick;
    absl::Duration next_watch = next_tick;
    bool pump_due = false;
    bool watch_due = false;
    while (true) {
      absl::Duration until = std::min(next_tick, leases_.NextDeadline());
      if (pump_due) until = std::min(until, next_pump);
      if (watch_due) until = std::min(until, next_watch);
      bool changed = false;
      const absl::Duration wanted = std::max(until, clock_->Elapsed());
      // What is due already will see the change, so there is no need to wake for it.
      if (!Sleep(until, !pump_due || !watch_due, &changed)) return;
      pump_due |= changed;
      watch_due |= changed;
      const absl::Duration now = clock_->Elapsed();
      if (now - wanted > kStall) dispatcher_->NoteStall(now - wanted);
      if (now >= next_tick) {
        Tick();
        watches_.DropSlow();
        admission_.DropSlow();
        next_tick = now + options_.tick_interval;
        pump_due = true;
      }
      leases_.Expire();
      if (pump_due && now >= next_pump) {
        pump_due = false;
        const size_t waiting = leases_.size();
        const absl::Duration began = clock_->Elapsed();
        leases_.Pump();
        const absl::Duration ended = clock_->Elapsed();
        const bool in_vain = leases_.size() >= waiting;
        next_pump = in_vain ? ended + (ended - began) * (kPumpShare - 1) : ended;
      }
      if (watch_due && now >= next_watch) {
        watch_due = false;
        watches_.Notify();
        next_watch = clock_->Elapsed() + kWatchInterval;
      }
    }
  }

  void Tick() {
    const absl::Status status = dispatcher_->Tick();
    // Said once, not four times a second.
    if (status != last_tick_) {
      if (status.ok()) {
        LogInfo({}, "the coordinator's clock work goes on again");
      } else {
        LogError({}, absl::StrCat("the coordinator's clock work failed, will be tried again: ",
                                  status.message()));
      }
      last_tick_ = status;
    }
  }

  const GatewayOptions options_;
  Dispatcher* const dispatcher_;
  Clock* const clock_;
  Admission admission_;
  LeaseQueue leases_;
  WatchHub watches_;
  LongCalls calls_;
  JobServiceAdapter jobs_;
  WorkerServiceAdapter workers_;
  absl::Status last_tick_;  // of the thread

  Mutex stop_mutex_;
  std::unique_ptr<ServerRunner> server_;
  std::thread thread_;

  Mutex mutex_;
  CondVar condition_;
  bool changed_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Start(const GatewayOptions& options,
                                                        Dispatcher* dispatcher, BlobStore* blobs,
                                                        Clock* clock) {
  auto gateway = std::make_unique<GatewayImpl>(options, dispatcher, blobs, clock);
  RETURN_IF_ERROR(gateway->Start());
  return gateway;
}

}  // namespace frontier::coordinator
