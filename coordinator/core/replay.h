// Whether a job's proposals follow from its log.
#ifndef FRONTIER_COORDINATOR_CORE_REPLAY_H_
#define FRONTIER_COORDINATOR_CORE_REPLAY_H_

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "coordinator/storage/store.h"
#include "frontier/v1/job_service.pb.h"

namespace frontier::coordinator {

// Answers `request` from what `store` has of its job: each trial's proposal is made anew from the
// seed, the space of its time, and the trials that had been proposed and had ended then, all as
// they were. So one that differs does not make those after it differ, but where they come from the
// scan of a space that is nearly used up. After a few seconds of `clock` the answer has what was
// compared by then, which may be nothing, and a token for the rest. NOT_FOUND names the job;
// INVALID_ARGUMENT (reason INVALID_FIELD) for a page token that cannot be; FAILED_PRECONDITION if
// some trials were proposed by a release that did not log what is needed.
absl::StatusOr<v1::ReplayJobResponse> ReplayProposals(const v1::ReplayJobRequest& request,
                                                      const Store& store, Clock* clock);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_REPLAY_H_
