// What a job takes over from an earlier one, and what it tries first.
#ifndef FRONTIER_COORDINATOR_CORE_WARM_START_H_
#define FRONTIER_COORDINATOR_CORE_WARM_START_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/space/space.h"
#include "coordinator/storage/store.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::coordinator {

// Most trials that one job takes over.
inline constexpr int kMostReused = 10000;

// INVALID_ARGUMENT (reason INVALID_FIELD, path from within JobSpec) unless all genotypes to be
// tried first can be proposed and are of different architectures. `spec` is complete.
absl::Status CheckFirstGenotypes(const v1::JobSpec& spec, const Space& space);

// The trials of the earlier job that `spec`, which is complete, takes over, in the order in which
// they ended: those that succeeded, with all figures that its objectives and constraints are of,
// one for each architecture. Without attempts; their weights are named if they are kept.
// INVALID_ARGUMENT (reason INVALID_FIELD, path from within JobSpec) if there is no such job, it
// searches another space or data set or trains by another recipe, or has more than kMostReused.
absl::StatusOr<std::vector<v1::Trial>> ReusableTrials(const v1::JobSpec& spec, const Space& space,
                                                      const Store& store);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_WARM_START_H_
