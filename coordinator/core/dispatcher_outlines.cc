// Writes the outlines that a restart reads in place of trials.
#include <optional>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "coordinator/core/dispatcher_impl.h"
#include "coordinator/core/outlines.h"

namespace frontier::coordinator {
namespace {

// That one tick outlines: who waits for an answer waits for this, too.
constexpr int kBlocksATick = 2;

v1::Change OutlinesOf(JobId job, const TrialRange& range, const std::vector<v1::Trial>& trials,
                      bool with_curve) {
  v1::Change change;
  v1::TrialOutlines* outlines = change.add_outlines();
  outlines->set_job_id(job.value());
  outlines->set_first(range.first);
  outlines->set_last(range.last);
  for (const v1::Trial& trial : trials) {
    if (trial.number() <= range.last) *outlines->add_trials() = OutlineOf(trial, with_curve);
  }
  return change;
}

}  // namespace

absl::Status DispatcherImpl::PlanOutlines(const JobState& job) {
  const JobId id = job.id();
  ASSIGN_OR_RETURN(const std::vector<TrialRange> outlined, store_->ListOutlines(id.value()));
  outline_plans_.insert_or_assign(
      id, OutlinePlan(options_.outlined_together, job.job().trials_created(), outlined, writes_));
  return absl::OkStatus();
}

std::optional<DispatcherImpl::Outlining> DispatcherImpl::NextOutlining() {
  for (const auto& [id, job] : live_) {
    const auto plan = outline_plans_.find(id);
    if (plan == outline_plans_.end()) continue;
    const auto& open = job->open_trials();
    const auto is_closed = [&open](const TrialRange& range) {
      const auto next = open.lower_bound(TrialNumber(range.first));
      return next == open.end() || next->first > TrialNumber(range.last);
    };
    const std::optional<OutlinePlan::Due> due =
        plan->second.Next(job->job().trials_created(), durable_writes_, is_closed);
    if (!due.has_value()) continue;
    return Outlining{id, *due, job->curves().wanted(), losses_};
  }
  return std::nullopt;
}

absl::Status DispatcherImpl::WriteOutlines() {
  for (int step = 0; step < kBlocksATick; ++step) {
    std::optional<Outlining> next;
    {
      MutexLock lock(&mutex_);
      if (refused_ || losses_ != journal_->losses()) return absl::OkStatus();
      next = NextOutlining();
    }
    if (!next.has_value()) return absl::OkStatus();
    const TrialRange range = next->due.range;
    // Beside all that goes on: what is due is durable, and what is written meanwhile is noticed.
    const absl::StatusOr<std::vector<v1::Trial>> trials = store_->ListTrials(
        next->job.value(), range.first - 1, v1::TRIAL_STATE_UNSPECIFIED,
        static_cast<int>(range.last - range.first + 1), TrialParts::kWithoutArchitecture);
    v1::Change change;
    if (trials.ok()) change = OutlinesOf(next->job, range, *trials, next->with_curve);
    MutexLock lock(&mutex_);
    const auto plan = outline_plans_.find(next->job);
    if (losses_ != next->losses || plan == outline_plans_.end()) return absl::OkStatus();
    if (!plan->second.IsStillDue(next->due)) continue;
    if (trials.ok()) RETURN_IF_ERROR(CommitChange(std::move(change)));
    // What cannot be read is passed over until the next start, and keeps no other waiting.
    plan->second.NoteOutlined(range);
    RETURN_IF_ERROR(trials.status());
  }
  return absl::OkStatus();
}

}  // namespace frontier::coordinator
