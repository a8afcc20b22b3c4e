// Local search: White et al. 2021, "Exploring the Loss Landscape in Neural Architecture Search",
// with restarts and several objectives.
//
// One objective: the first climb begins at the best of `initial_samples` random draws. Neighbours
// of where it stands are proposed in random order, and it steps to the first that turns out better.
// Where none is left the next climb begins at a random draw. While the last neighbours run, other
// workers draw: the first draw to end then begins the next climb, whatever those come to.
//
// Several objectives: neighbours of the trials that no other is better than, those in the emptiest
// part of the front first (as Pareto local search, Paquete et al. 2004); random draws where none is
// left.
#ifndef FRONTIER_COORDINATOR_STRATEGY_LOCAL_SEARCH_H_
#define FRONTIER_COORDINATOR_STRATEGY_LOCAL_SEARCH_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/strategy/strategy.h"
#include "frontier/v1/strategy.pb.h"

namespace frontier::coordinator {

// INVALID_ARGUMENT (reason INVALID_FIELD, path from within LocalSearchStrategy) for a number of
// samples that is negative or above 10,000.
absl::StatusOr<std::unique_ptr<Strategy>> CreateLocalSearchStrategy(
    const v1::LocalSearchStrategy& spec, uint64_t seed);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_LOCAL_SEARCH_H_
