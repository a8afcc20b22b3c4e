#include "coordinator/core/scheduler.h"

#include <algorithm>

namespace frontier::coordinator {

std::vector<JobId> LeaseOrder(absl::Span<const JobDemand> jobs, JobId last_served) {
  std::vector<JobId> order;
  for (const JobDemand& demand : jobs) {
    const bool full =
        demand.max_parallel_trials > 0 && demand.running >= demand.max_parallel_trials;
    if (demand.has_work && demand.fits_worker && !full) order.push_back(demand.job);
  }
  std::sort(order.begin(), order.end());
  std::rotate(order.begin(), std::upper_bound(order.begin(), order.end(), last_served),
              order.end());
  return order;
}

}  // namespace frontier::coordinator
