// Tree-structured Parzen estimators: Bergstra et al. 2011, "Algorithms for Hyper-Parameter
// Optimization", section 4, over a space's decisions; several objectives after Ozaki et al. 2020,
// "Multiobjective Tree-Structured Parzen Estimator", but for their weights by hypervolume: here all
// good ones weigh the same.
//
// The successes are split into good ones, the first `good_share` of them by rank and crowding, and
// others. Of each decision the share of each option is estimated among both, with a uniform prior
// of the weight of one trial; trials that run count among the others, so that workers spread. The
// proposal is the candidate, of several drawn by the good, that is the most likely among the good
// as against the others.
#ifndef FRONTIER_COORDINATOR_STRATEGY_TPE_H_
#define FRONTIER_COORDINATOR_STRATEGY_TPE_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/strategy/strategy.h"
#include "frontier/v1/strategy.pb.h"

namespace frontier::coordinator {

// INVALID_ARGUMENT (reason INVALID_FIELD, path from within TpeStrategy) for numbers out of range.
absl::StatusOr<std::unique_ptr<Strategy>> CreateTpeStrategy(const v1::TpeStrategy& spec,
                                                            uint64_t seed);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_TPE_H_
