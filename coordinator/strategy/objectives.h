// What a job asks for, as numbers: objectives to minimize, constraints to violate little.
#ifndef FRONTIER_COORDINATOR_STRATEGY_OBJECTIVES_H_
#define FRONTIER_COORDINATOR_STRATEGY_OBJECTIVES_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::coordinator {

// The job's objectives in their order, each turned so that less is better. INVALID_ARGUMENT names
// the metric that was not measured or is not finite, or the objective that has no direction.
absl::StatusOr<std::vector<double>> MinimizedObjectives(const v1::JobSpec& job,
                                                        const v1::TrialResult& result);

// Sum over the job's constraints of the distance to the bound, divided by the bound's magnitude
// (by 1 for a bound of 0); 0 = all hold. Finite. INVALID_ARGUMENT as above.
absl::StatusOr<double> ConstraintViolation(const v1::JobSpec& job, const v1::TrialResult& result);

// Whether the constraints on parameters and MACs hold, which are known without training.
bool MeetsAnalyticConstraints(const v1::JobSpec& job, int64_t parameters, int64_t macs);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_OBJECTIVES_H_
