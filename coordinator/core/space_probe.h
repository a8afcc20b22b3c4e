// Whether a space has anything that a job may propose, and if not, why.
#ifndef FRONTIER_COORDINATOR_CORE_SPACE_PROBE_H_
#define FRONTIER_COORDINATOR_CORE_SPACE_PROBE_H_

#include "absl/status/status.h"
#include "coordinator/space/space.h"
#include "frontier/v1/job.pb.h"

namespace frontier::coordinator {

// That something of `space` can be proposed at all: tries every architecture of a small space, a
// random sample of a large one. INVALID_ARGUMENT (reason INVALID_FIELD) names the constraint that
// leaves nothing, or the fewest that leave nothing together, with how near the space comes to it;
// or the space if none of it is a valid network.
absl::Status CheckSpaceIsNotEmpty(const v1::JobSpec& spec, const Space& space);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_SPACE_PROBE_H_
