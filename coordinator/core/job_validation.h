// Whether a job makes sense, before anything of it is stored.
#ifndef FRONTIER_COORDINATOR_CORE_JOB_VALIDATION_H_
#define FRONTIER_COORDINATOR_CORE_JOB_VALIDATION_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/space/space.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/job_service.pb.h"

namespace frontier::coordinator {

// `spec` with its defaults filled in: shape and classes of the data set from `workers`, validation
// fraction, limits. Needs no search space or strategy to exist yet. INVALID_ARGUMENT (reason
// INVALID_FIELD) names the first field that is wrong, with its value.
absl::StatusOr<v1::JobSpec> CompleteJobSpec(const v1::JobSpec& spec,
                                            const std::vector<v1::Worker>& workers);

// That something of `space` can be proposed at all: tries every architecture of a small space, a
// random sample of a large one. INVALID_ARGUMENT (reason INVALID_FIELD) names the constraint that
// leaves nothing, or the space.
absl::Status CheckSpaceIsNotEmpty(const v1::JobSpec& spec, const Space& space);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_JOB_VALIDATION_H_
