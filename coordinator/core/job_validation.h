// Whether a job makes sense, before anything of it is stored.
#ifndef FRONTIER_COORDINATOR_CORE_JOB_VALIDATION_H_
#define FRONTIER_COORDINATOR_CORE_JOB_VALIDATION_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/job_service.pb.h"

namespace frontier::coordinator {

// `spec` with its defaults filled in: shape and classes of the data set from `workers`, validation
// fraction, limits. Every value of its hyperparameters makes a valid recipe. Needs no search space
// or strategy to exist yet. INVALID_ARGUMENT (reason INVALID_FIELD) names the first field that is
// wrong, with its value.
absl::StatusOr<v1::JobSpec> CompleteJobSpec(const v1::JobSpec& spec,
                                            const std::vector<v1::Worker>& workers);

// That the recipe of `spec`, whose data set is complete, and that of every candidate is valid.
// INVALID_ARGUMENT (reason INVALID_FIELD) names the field of the recipe or the hyperparameter.
absl::Status CheckRecipes(const v1::JobSpec& spec, const std::vector<v1::Worker>& workers);

// That a budget has a limit and its limits make sense; that a place in line does: priority, share
// (0 = not given), limit on trials at a time. INVALID_ARGUMENT (reason INVALID_FIELD).
absl::Status CheckBudget(const v1::Budget& budget);
absl::Status CheckPlaceInLine(int priority, double share, int max_parallel_trials);

// Training samples of a complete data set after the split, about; 0 = not known.
int64_t TrainSamples(const v1::DatasetSpec& dataset, const std::vector<v1::Worker>& workers);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_JOB_VALIDATION_H_
