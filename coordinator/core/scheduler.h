// Which job gets the next free worker.
#ifndef FRONTIER_COORDINATOR_CORE_SCHEDULER_H_
#define FRONTIER_COORDINATOR_CORE_SCHEDULER_H_

#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "common/base/strong_id.h"

namespace frontier::coordinator {

// A job as the scheduler sees it.
struct JobDemand {
  JobId job;
  bool has_work = false;        // an attempt may start: a trial is queued or can be proposed
  bool fits_worker = false;     // the worker that asks can run the job's trials
  int running = 0;              // attempts under lease
  int max_parallel_trials = 0;  // 0 = no limit
  int priority = 0;             // higher comes first
  double share = 1;             // above 0
};

// Higher priorities come first, whatever lower ones have waited. Jobs of one priority get the time
// of workers in proportion to their shares, by start times (Goyal, Vin and Cheng 1996, "Start-time
// fair queueing"): each lease moves its job on by what the job's attempts take, divided by its
// share, and the job that is least far comes next. A job that had no work, or is new, has nothing
// to catch up on. Pure state; not thread-safe.
class Scheduler {
 public:
  // Those that may have an attempt, in the order in which to ask them for one.
  std::vector<JobDemand> Order(std::vector<JobDemand> jobs) const;

  // That the job got the lease, and that one of its leases has ended after so long.
  void NoteLeased(const JobDemand& job);
  void NoteEnded(JobId job, absl::Duration ran);
  // That the job has ended.
  void Forget(JobId job) { jobs_.erase(job); }

 private:
  struct Progress {
    double next_start = 0;  // seconds, for a share of 1
    double share = 1;
    double seconds = 0;  // that its attempts take; 0 = not known
  };

  // Where the job's next lease starts.
  double NextStart(JobId job) const;
  double Expected(const Progress& progress) const {
    return progress.seconds > 0 ? progress.seconds : seconds_;
  }

  double now_ = 0;      // start of the last lease
  double seconds_ = 1;  // that attempts of any job take
  JobId last_leased_;
  absl::flat_hash_map<JobId, Progress> jobs_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_SCHEDULER_H_
