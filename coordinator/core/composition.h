// The search space of a job that leaves it to the coordinator.
#ifndef FRONTIER_COORDINATOR_CORE_COMPOSITION_H_
#define FRONTIER_COORDINATOR_CORE_COMPOSITION_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/record.pb.h"
#include "frontier/v1/search_space.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::coordinator {

// Whether what the job proposes is probes, from whose costs its space will be composed.
bool IsProbing(const v1::JobSpec& spec);
// While it probes: whether all probes have been proposed.
bool HasProposedAllProbes(const v1::Job& job);

// Fills in the composition of an auto space: the space or, if a limit is known only from running
// and the budget has room, the probes. Fine for a job with another space, or one that is complete.
// `spec` is complete otherwise; `train_samples` as Composition. INVALID_ARGUMENT (reason
// INVALID_FIELD, path from within JobSpec) for a composition that is probing, a number of probes
// that makes no sense, or as Compose.
absl::Status ComposeSpace(int64_t train_samples, v1::JobSpec* spec);

// How the probe `trial`, which has succeeded or failed, ended.
absl::StatusOr<v1::ProbeFinding> FindingOf(const v1::Trial& trial,
                                           const v1::Architecture& architecture);

// The space of a job all of whose probes have ended, without version. FAILED_PRECONDITION if none
// succeeded; errors as Compose.
absl::StatusOr<v1::Composition> ComposeFromProbes(const v1::JobRecord& record);

// Leaves out of a job's description the networks of its probes, which its trials have.
void StripProbes(v1::JobSpec* spec);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_COMPOSITION_H_
