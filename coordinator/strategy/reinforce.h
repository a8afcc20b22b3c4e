// Policy gradients: Zoph and Le 2017, "Neural Architecture Search with Reinforcement Learning",
// with a policy of independent categorical decisions in place of the recurrent controller, as
// NAS-Bench-201 has it (Dong and Yang 2020, section 4).
//
// The reward of a trial is its first objective times (value / target)^exponent for each target (Tan
// et al. 2019, "MnasNet", section 3), turned around for a first objective that is minimized;
// objectives without a target then do not count. Without any targets, several objectives give as
// reward the share of the last 100 trials that are not better. A violation v of constraints takes
// min(v, 1) of the reward's magnitude away; failed trials teach nothing.
#ifndef FRONTIER_COORDINATOR_STRATEGY_REINFORCE_H_
#define FRONTIER_COORDINATOR_STRATEGY_REINFORCE_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/strategy/strategy.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/strategy.pb.h"

namespace frontier::coordinator {

// For the objectives of `job`. INVALID_ARGUMENT (reason INVALID_FIELD, path from within
// ReinforceStrategy) for numbers out of range and for a target that is not positive, is given
// twice, or is of no objective after the first.
absl::StatusOr<std::unique_ptr<Strategy>> CreateReinforceStrategy(const v1::ReinforceStrategy& spec,
                                                                  const v1::JobSpec& job,
                                                                  uint64_t seed);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_REINFORCE_H_
