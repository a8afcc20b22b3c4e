#include "tests/bench/coordinator/swarm.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "frontier/v1/worker_service.grpc.pb.h"
#include "tests/bench/coordinator/request_maker.h"

namespace frontier::bench {
namespace {

constexpr absl::Duration kCallDeadline = absl::Seconds(30);
constexpr absl::Duration kPauseAfterError = absl::Seconds(1);

double CpuSeconds(int pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string text((std::istreambuf_iterator<char>(file)), {});
  // After the name, which may hold anything: user and system time are the 12th and 13th.
  const std::vector<std::string> fields = absl::StrSplit(text.substr(text.rfind(')') + 2), ' ');
  const double ticks = std::stod(fields.at(11)) + std::stod(fields.at(12));
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

int64_t ResidentBytes(int pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/statm"));
  int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// What is to be done when.
class Agenda {
 public:
  using Task = std::function<void()>;
  void Add(absl::Time when, Task task) {
    MutexLock lock(&mutex_);
    tasks_.emplace(when, std::move(task));
    condition_.Signal();
  }
  void RunUntil(absl::Time end) {
    while (true) {
      Task task;
      {
        MutexLock lock(&mutex_);
        const absl::Time now = absl::Now();
        if (now >= end) return;
        const absl::Time next = tasks_.empty() ? end : std::min(end, tasks_.begin()->first);
        if (next > now) {
          condition_.WaitFor(&mutex_, next - now);
          continue;
        }
        task = std::move(tasks_.begin()->second);
        tasks_.erase(tasks_.begin());
      }
      task();
    }
  }

 private:
  Mutex mutex_;
  CondVar condition_;
  std::multimap<absl::Time, Task> tasks_ ABSL_GUARDED_BY(mutex_);
};

// Of the time measured.
class Counts {
 public:
  std::atomic<bool> measuring = false;
  std::atomic<int64_t> calls = 0;
  std::atomic<int64_t> errors = 0;
  std::atomic<int> registered = 0;

  void AddLease(absl::Duration took) {
    if (!measuring) return;
    MutexLock lock(&mutex_);
    leases_.push_back(absl::ToDoubleMilliseconds(took));
  }
  void AddCall(const grpc::Status& status) {
    if (measuring) ++calls;
    if (status.ok()) return;
    ++errors;
    MutexLock lock(&mutex_);
    if (first_error_.empty()) first_error_ = FromGrpcStatus(status).ToString();
  }
  std::vector<double> leases() {
    MutexLock lock(&mutex_);
    return leases_;
  }
  std::string first_error() {
    MutexLock lock(&mutex_);
    return first_error_;
  }

 private:
  Mutex mutex_;
  std::vector<double> leases_ ABSL_GUARDED_BY(mutex_);
  std::string first_error_ ABSL_GUARDED_BY(mutex_);
};

// One worker with one slot. Its calls follow each other, but for the heartbeats beside them.
class SwarmWorker {
 public:
  SwarmWorker(const SwarmOptions& options, int number, Agenda* agenda, Counts* counts)
      : options_(options),
        agenda_(agenda),
        counts_(counts),
        stub_(v1::WorkerService::NewStub(NewChannel(options.coordinator))),
        maker_(number) {}

  void Register() {
    auto call = NewCall<v1::RegisterRequest, v1::RegisterResponse>();
    call->request = maker_.Registration();
    stub_->async()->Register(&call->context, &call->request, &call->response,
                             [this, call](const grpc::Status& status) {
                               counts_->AddCall(status);
                               if (!status.ok()) return Later([this] { Register(); });
                               ++counts_->registered;
                               Heartbeat();
                               AskForLease();
                             });
  }

 private:
  template <typename Request, typename Response>
  struct Call {
    grpc::ClientContext context;
    Request request;
    Response response;
  };
  template <typename Request, typename Response>
  std::shared_ptr<Call<Request, Response>> NewCall() {
    auto call = std::make_shared<Call<Request, Response>>();
    SetDeadline(kCallDeadline + options_.lease_wait, &call->context);
    return call;
  }
  void Later(Agenda::Task task) { agenda_->Add(absl::Now() + kPauseAfterError, std::move(task)); }

  void AskForLease() {
    auto call = NewCall<v1::LeaseRequest, v1::LeaseResponse>();
    call->request = maker_.Lease();
    call->request.set_wait_ms(absl::ToInt64Milliseconds(options_.lease_wait));
    stub_->async()->Lease(&call->context, &call->request, &call->response,
                          [this, call](const grpc::Status& status) {
                            counts_->AddCall(status);
                            if (!status.ok()) return Later([this] { AskForLease(); });
                            if (!call->response.has_lease()) return AskForLease();
                            Begin(call->response.lease());
                          });
  }

  void Begin(const v1::AttemptLease& lease) {
    {
      MutexLock lock(&mutex_);
      lease_ = lease;
    }
    agenda_->Add(absl::Now() + options_.trial, [this] { Report(); });
  }

  void Report() {
    auto call = NewCall<v1::ReportRequest, v1::ReportResponse>();
    {
      MutexLock lock(&mutex_);
      call->request = maker_.Report(*lease_);
    }
    const absl::Time began = absl::Now();
    stub_->async()->Report(&call->context, &call->request, &call->response,
                           [this, call, began](const grpc::Status& status) {
                             counts_->AddCall(status);
                             {
                               MutexLock lock(&mutex_);
                               lease_.reset();
                             }
                             if (!status.ok()) return Later([this] { AskForLease(); });
                             if (!call->response.has_next()) return AskForLease();
                             counts_->AddLease(absl::Now() - began);
                             Begin(call->response.next());
                           });
  }

  void Heartbeat() {
    auto call = NewCall<v1::HeartbeatRequest, v1::HeartbeatResponse>();
    {
      MutexLock lock(&mutex_);
      call->request = maker_.Heartbeat(lease_);
    }
    stub_->async()->Heartbeat(
        &call->context, &call->request, &call->response, [this, call](const grpc::Status& status) {
          counts_->AddCall(status);
          agenda_->Add(absl::Now() + options_.heartbeat, [this] { Heartbeat(); });
        });
  }

  const SwarmOptions& options_;
  Agenda* const agenda_;
  Counts* const counts_;
  const std::unique_ptr<v1::WorkerService::Stub> stub_;
  Mutex mutex_;
  RequestMaker maker_;
  std::optional<v1::AttemptLease> lease_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::Status RunSwarm(const SwarmOptions& options) {
  // They live as long as the process: calls may come back at any time.
  auto& agenda = *new Agenda();
  auto& counts = *new Counts();
  auto* workers = new std::vector<std::unique_ptr<SwarmWorker>>();
  const absl::Time began = absl::Now();
  for (int i = 0; i < options.workers; ++i) {
    workers->push_back(std::make_unique<SwarmWorker>(options, i + 1, &agenda, &counts));
    agenda.Add(began + options.trial * (static_cast<double>(i) / options.workers),
               [worker = workers->back().get()] { worker->Register(); });
  }
  agenda.RunUntil(began + 1.5 * options.trial);
  const double cpu_before = CpuSeconds(options.coordinator_pid);
  counts.measuring = true;
  const absl::Time from = absl::Now();
  agenda.RunUntil(from + options.measured);
  counts.measuring = false;
  const double seconds = absl::ToDoubleSeconds(absl::Now() - from);
  const double cores = (CpuSeconds(options.coordinator_pid) - cpu_before) / seconds;
  const int64_t memory = ResidentBytes(options.coordinator_pid);
  std::vector<double> leases = counts.leases();
  if (leases.empty()) {
    std::fprintf(stderr, "no lease in the time measured; the first error: %s\n",
                 counts.first_error().c_str());
    _exit(1);
  }
  std::sort(leases.begin(), leases.end());
  const auto quantile = [&leases](double q) {
    return leases[static_cast<size_t>(q * static_cast<double>(leases.size() - 1))];
  };
  std::printf(
      "{\"workers\": %d, \"leases_per_second\": %.1f, \"calls_per_second\": %.1f, "
      "\"lease_p50_ms\": %.3f, \"lease_p99_ms\": %.3f, \"cores\": %.3f, \"memory_mb\": %.1f, "
      "\"errors\": %lld, \"first_error\": \"%s\"}\n",
      counts.registered.load(), static_cast<double>(leases.size()) / seconds,
      static_cast<double>(counts.calls.load()) / seconds, quantile(0.5), quantile(0.99), cores,
      static_cast<double>(memory) / 1e6, static_cast<long long>(counts.errors.load()),
      absl::StrReplaceAll(counts.first_error(), {{"\"", "'"}, {"\\", "/"}, {"\n", " "}}).c_str());
  std::fflush(stdout);
  // Without waiting for ten thousand calls.
  _exit(0);
}

}  // namespace frontier::bench
