// How long a proposal takes in a job that has many trials.
#ifndef FRONTIER_TESTS_BENCH_STRATEGIES_PROPOSAL_TIMES_H_
#define FRONTIER_TESTS_BENCH_STRATEGIES_PROPOSAL_TIMES_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/space/space.h"
#include "frontier/v1/job.pb.h"

namespace frontier::coordinator {

// Processor seconds of each of `count` proposals, one after the other: lowering, validation and
// hash included. `history` trials have ended before them, drawn from the space, with made-up
// objectives; each proposal ends before the next. The first one also takes in that history, as
// after a restart.
absl::StatusOr<std::vector<double>> TimeProposals(const v1::JobSpec& job, const Space& space,
                                                  int64_t history, int64_t count);

}  // namespace frontier::coordinator

#endif  // FRONTIER_TESTS_BENCH_STRATEGIES_PROPOSAL_TIMES_H_
