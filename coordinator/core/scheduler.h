// Which job gets the next free worker.
#ifndef FRONTIER_COORDINATOR_CORE_SCHEDULER_H_
#define FRONTIER_COORDINATOR_CORE_SCHEDULER_H_

#include <vector>

#include "absl/types/span.h"
#include "common/base/strong_id.h"

namespace frontier::coordinator {

// A job as the scheduler sees it.
struct JobDemand {
  JobId job;
  bool has_work = false;        // an attempt may start: a trial is queued or can be proposed
  bool fits_worker = false;     // the worker that asks can run the job's trials
  int running = 0;              // attempts under lease
  int max_parallel_trials = 0;  // 0 = no limit
};

// The jobs to ask for an attempt, in order: those that may have one, round robin from the job after
// `last_served`. Each job so gets every n-th lease while n jobs have work.
std::vector<JobId> LeaseOrder(absl::Span<const JobDemand> jobs, JobId last_served);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_SCHEDULER_H_
