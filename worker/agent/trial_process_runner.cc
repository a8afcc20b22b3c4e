#include "worker/agent/trial_process_runner.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "worker/agent/child_process.h"
#include "worker/agent/cpu_sets.h"
#include "worker/agent/failure.h"
#include "worker/agent/trial_limits.h"
#include "worker/agent/update_decoder.h"

namespace frontier::worker {
namespace {

// How long a process may take to end after its outcome.
constexpr absl::Duration kExitGrace = absl::Seconds(5);
// Most that is logged of what one trial process writes to standard error.
constexpr int kMaxLoggedLines = 200;
constexpr size_t kMaxLineBytes = 1000;

// Resident private memory of a process, 0 if it cannot be read.
int64_t ResidentPrivateBytes(const std::string& proc_root, pid_t pid) {
  const absl::StatusOr<std::string> status = ReadFile(absl::StrCat(proc_root, "/", pid, "/status"));
  if (!status.ok()) return 0;
  for (absl::string_view line : absl::StrSplit(*status, '\n')) {
    int64_t kilobytes = 0;
    if (absl::ConsumePrefix(&line, "RssAnon:") &&
        absl::SimpleAtoi(absl::StripSuffix(line, " kB"), &kilobytes)) {
      return kilobytes * 1024;
    }
  }
  return 0;
}

// Standard error of a trial process, line by line into the log, within bounds.
class ErrorLog {
 public:
  explicit ErrorLog(const LogIds& ids) : ids_(ids) {}

  void Append(absl::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n') {
        EndLine();
      } else if (line_.size() < kMaxLineBytes) {
        line_.push_back(c);
      }
    }
  }
  void EndLine() {
    if (line_.empty()) return;
    last_ = PrintableText(line_, kMaxLineBytes);
    line_.clear();
    if (++lines_ <= kMaxLoggedLines) {
      LogInfo(ids_, absl::StrCat("trial process: ", last_));
    } else if (lines_ == kMaxLoggedLines + 1) {
      LogWarning(ids_, "trial process writes too much to standard error; the rest is dropped");
    }
  }
  const std::string& last_line() const { return last_; }

 private:
  const LogIds ids_;
  std::string line_;
  std::string last_;
  int lines_ = 0;
};

// One attempt from start to end.
class Attempt {
 public:
  Attempt(const TrialProcessRunnerOptions& options, Clock* clock, const TrialOrder& order,
          const StopEvent& stop, absl::FunctionRef<void(const v1::EpochMetrics&)> on_epoch)
      : options_(options),
        clock_(clock),
        order_(order),
        stop_(stop),
        on_epoch_(on_epoch),
        ids_{order.input.task().key().job_id(), order.input.task().key().trial(),
             order.input.task().key().attempt()},
        error_log_(ids_) {}

  TrialEnd Run() {
    const absl::Duration started = clock_->Elapsed();
    TrialEnd end;
    absl::StatusOr<std::unique_ptr<ChildProcess>> child = Start();
    if (!child.ok()) {
      end.outcome = MakeFailure(v1::FAILURE_CAUSE_INTERNAL, child.status().message());
      return end;
    }
    child_ = *std::move(child);
    LogInfo(ids_, absl::StrCat("trial process ", child_->pid(), " started: ", order_.threads,
                               " thread(s), memory limit ", order_.memory_bytes >> 20, " MiB"));
    Watch(started);
    const ProcessEnd process_end = child_->Finish();
    error_log_.EndLine();
    end.wall = clock_->Elapsed() - started;
    end.cpu = process_end.cpu;
    end.peak_memory_bytes = process_end.peak_resident_bytes;
    end.outcome = Classify(process_end);
    return end;
  }

 private:
  using Outcome = decltype(TrialEnd::outcome);

  absl::StatusOr<std::unique_ptr<ChildProcess>> Start() {
    std::vector<std::string> arguments = {"frontier-worker", "run-trial",
                                          absl::StrCat("--memory_bytes=", order_.memory_bytes),
                                          absl::StrCat("--parent_pid=", getpid())};
    // A child has the mask of the thread that starts it, from its first instruction on.
    const ThreadAffinity affinity(order_.cpus);
    // OpenMP reads these when it is loaded, before any code of ours runs.
    return ChildProcess::Start(
        options_.program, arguments,
        {{"OMP_NUM_THREADS", absl::StrCat(order_.threads)},
         {"OMP_DYNAMIC", "FALSE"},
         // Waiting threads spin for some tens of microseconds, the gap between two layers; the
         // default of milliseconds burns the cores of the trials beside this one.
         {"GOMP_SPINCOUNT", "20000"}});
  }

  // Returns when nothing more is to be learned from the process: it has ended, or must end.
  void Watch(absl::Duration started) {
    const std::string input = order_.input.SerializeAsString();
    absl::string_view unsent = input;
    absl::Duration next_sample = started;
    last_update_ = started;
    while (true) {
      if (stop_.raised()) return;
      const bool ended = child_->HasEnded();
      child_->Feed(&unsent);
      ReadStreams();
      if (ended || broken_output_.has_value()) {
        // All it wrote is in the pipe now; a flood is read to the end of the pipe's capacity.
        if (ended) ReadStreams();
        return;
      }
      const absl::Duration now = clock_->Elapsed();
      if (outcome_.has_value() && now - outcome_at_ >= kExitGrace) return;
      if (!outcome_.has_value() && now - started >= order_.wall_limit) {
        verdict_ = MakeFailure(v1::FAILURE_CAUSE_TIMED_OUT,
                               absl::StrFormat("stopped after %.1f s, the limit is %.1f s",
                                               absl::ToDoubleSeconds(now - started),
                                               absl::ToDoubleSeconds(order_.wall_limit)));
        return;
      }
      if (!outcome_.has_value() && now - last_update_ >= options_.stall_limit) {
        verdict_ = MakeFailure(
            v1::FAILURE_CAUSE_TIMED_OUT,
            absl::StrFormat("no progress for %.1f s after epoch %d, the limit is %.1f s",
                            absl::ToDoubleSeconds(now - last_update_), last_epoch_,
                            absl::ToDoubleSeconds(options_.stall_limit)));
        return;
      }
      if (now >= next_sample) {
        next_sample = now + options_.sample_interval;
        if (MemoryExceeded()) return;
      }
      WaitForSomething(/*want_to_write=*/!unsent.empty());
    }
  }

  bool MemoryExceeded() {
    if (order_.memory_bytes <= 0 || outcome_.has_value()) return false;
    const int64_t used = ResidentPrivateBytes(options_.proc_root, child_->pid());
    if (used <= order_.memory_bytes) return false;
    verdict_ = MakeFailure(v1::FAILURE_CAUSE_OUT_OF_MEMORY,
                           absl::StrCat("stopped at ", used >> 20,
                                        " MiB of private memory, the "
                                        "limit is ",
                                        order_.memory_bytes >> 20, " MiB"));
    return true;
  }

  void WaitForSomething(bool want_to_write) {
    pollfd items[] = {{stop_.fd(), POLLIN, 0},
                      {child_->exit_notice(), POLLIN, 0},
                      {child_->output(), POLLIN, 0},
                      {child_->error(), POLLIN, 0},
                      {want_to_write ? child_->input() : -1, POLLOUT, 0}};
    poll(items, std::size(items),
         static_cast<int>(
             std::max<int64_t>(1, absl::ToInt64Milliseconds(options_.sample_interval))));
  }

  void ReadStreams() {
    std::string bytes;
    child_->ReadError(&bytes);
    error_log_.Append(bytes);
    bytes.clear();
    child_->ReadOutput(&bytes);
    if (outcome_.has_value() || broken_output_.has_value()) return;
    decoder_.Append(bytes);
    while (!outcome_.has_value()) {
      absl::StatusOr<std::optional<v1::TrialProcessUpdate>> update = decoder_.Next();
      if (!update.ok()) {
        broken_output_ = std::string(update.status().message());
        return;
      }
      if (!update->has_value()) return;
      Take(**update);
      if (broken_output_.has_value()) return;
    }
  }

  void Take(const v1::TrialProcessUpdate& update) {
    last_update_ = clock_->Elapsed();
    switch (update.kind_case()) {
      case v1::TrialProcessUpdate::kEpoch:
        if (update.epoch().epoch() <= last_epoch_ ||
            update.epoch().epoch() > order_.input.task().training().epochs()) {
          broken_output_ =
              absl::StrCat("epoch ", update.epoch().epoch(), " after epoch ", last_epoch_, " of ",
                           order_.input.task().training().epochs());
          return;
        }
        last_epoch_ = update.epoch().epoch();
        on_epoch_(update.epoch());
        return;
      case v1::TrialProcessUpdate::kResult:
        outcome_ = update.result();
        break;
      case v1::TrialProcessUpdate::kFailure:
        outcome_ = MakeFailure(update.failure().cause() == v1::FAILURE_CAUSE_UNSPECIFIED
                                   ? v1::FAILURE_CAUSE_INTERNAL
                                   : update.failure().cause(),
                               update.failure().message());
        break;
      case v1::TrialProcessUpdate::kSteps:
      case v1::TrialProcessUpdate::KIND_NOT_SET:
        return;
    }
    outcome_at_ = clock_->Elapsed();
  }

  Outcome Classify(const ProcessEnd& end) const {
    if (outcome_.has_value()) return *outcome_;
    if (verdict_.has_value()) return *verdict_;
    if (broken_output_.has_value()) {
      return MakeFailure(v1::FAILURE_CAUSE_CRASHED,
                         absl::StrCat("trial process wrote what is no update: ", *broken_output_));
    }
    if (stop_.raised()) return TrialStopped();
    const std::string last_words =
        error_log_.last_line().empty() ? "" : absl::StrCat("; it said: ", error_log_.last_line());
    if (end.signal == 0 && end.exit_code == kOutOfMemoryExitCode) {
      return MakeFailure(v1::FAILURE_CAUSE_OUT_OF_MEMORY,
                         absl::StrCat("an allocation failed within the limit of ",
                                      order_.memory_bytes >> 20, " MiB", last_words));
    }
    if (end.signal == SIGKILL && order_.memory_bytes > 0 &&
        end.peak_resident_bytes >= order_.memory_bytes) {
      return MakeFailure(
          v1::FAILURE_CAUSE_OUT_OF_MEMORY,
          absl::StrCat("killed at ", end.peak_resident_bytes >> 20, " MiB resident, the limit is ",
                       order_.memory_bytes >> 20, " MiB"));
    }
    return MakeFailure(
        v1::FAILURE_CAUSE_CRASHED,
        absl::StrCat(
            "trial process ended without an outcome: ", end.Describe(),
            end.signal == SIGKILL ? " (by the kernel if the machine is out of memory)" : "",
            last_words));
  }

  const TrialProcessRunnerOptions& options_;
  Clock* const clock_;
  const TrialOrder& order_;
  const StopEvent& stop_;
  const absl::FunctionRef<void(const v1::EpochMetrics&)> on_epoch_;
  const LogIds ids_;
  ErrorLog error_log_;
  std::unique_ptr<ChildProcess> child_;
  UpdateDecoder decoder_;
  int last_epoch_ = 0;
  absl::Duration last_update_;
  std::optional<Outcome> outcome_;            // what the process said
  absl::Duration outcome_at_;                 // when
  std::optional<v1::Failure> verdict_;        // why we end it
  std::optional<std::string> broken_output_;  // what was wrong with its output
};

class TrialProcessRunner final : public TrialRunner {
 public:
  TrialProcessRunner(const TrialProcessRunnerOptions& options, Clock* clock)
      : options_(options), clock_(clock) {}

  TrialEnd Run(const TrialOrder& order, const StopEvent& stop,
               absl::FunctionRef<void(const v1::EpochMetrics&)> on_epoch) override {
    return Attempt(options_, clock_, order, stop, on_epoch).Run();
  }

 private:
  const TrialProcessRunnerOptions options_;
  Clock* const clock_;
};

}  // namespace

std::unique_ptr<TrialRunner> NewTrialProcessRunner(const TrialProcessRunnerOptions& options,
                                                   Clock* clock) {
  return std::make_unique<TrialProcessRunner>(options, clock);
}

}  // namespace frontier::worker
