#include "coordinator/core/scheduler.h"

#include <algorithm>
#include <tuple>

namespace frontier::coordinator {
namespace {

// Of the newest attempt in what attempts take.
constexpr double kNewest = 0.2;

}  // namespace

std::vector<JobDemand> Scheduler::Order(std::vector<JobDemand> jobs) const {
  jobs.erase(std::remove_if(jobs.begin(), jobs.end(),
                            [](const JobDemand& job) {
                              const bool full = job.max_parallel_trials > 0 &&
                                                job.running >= job.max_parallel_trials;
                              return !job.has_work || !job.fits_worker || full;
                            }),
             jobs.end());
  // Ties go round from the job after the last one.
  const auto place = [this](const JobDemand& job) {
    return std::tuple(-job.priority, NextStart(job.job), job.job <= last_leased_, job.job);
  };
  std::sort(jobs.begin(), jobs.end(),
            [&place](const JobDemand& a, const JobDemand& b) { return place(a) < place(b); });
  return jobs;
}

void Scheduler::NoteLeased(const JobDemand& job) {
  now_ = NextStart(job.job);
  Progress& progress = jobs_[job.job];
  progress.share = job.share;
  progress.next_start = now_ + Expected(progress) / job.share;
  last_leased_ = job.job;
}

void Scheduler::NoteEnded(JobId job, absl::Duration ran) {
  const auto it = jobs_.find(job);
  if (it == jobs_.end()) return;
  Progress& progress = it->second;
  const double seconds = absl::ToDoubleSeconds(ran);
  // What was put down for it at its start was a guess.
  progress.next_start += (seconds - Expected(progress)) / progress.share;
  progress.seconds = Expected(progress) + kNewest * (seconds - Expected(progress));
  seconds_ += kNewest * (seconds - seconds_);
}

double Scheduler::NextStart(JobId job) const {
  const auto it = jobs_.find(job);
  return it == jobs_.end() ? now_ : std::max(now_, it->second.next_start);
}

}  // namespace frontier::coordinator
