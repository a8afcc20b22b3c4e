// Regularized evolution: Real et al. 2019, "Regularized Evolution for Image Classifier Architecture
// Search", algorithm 1, for several objectives, constraints and parallel workers.
//
// The population is the last P trials that succeeded, in the order of their reports; until there
// are P, proposals are random. Then each proposal is a mutation of the best of S members drawn with
// replacement; with `crossover_rate` some are first crossed with a second member chosen so. Best
// is, in this order: least constraint violation; not dominated by another of the sample (for one
// objective: least value); largest crowding distance (Deb et al. 2002, section III-B) among those;
// youngest.
//
#ifndef FRONTIER_COORDINATOR_STRATEGY_EVOLUTION_H_
#define FRONTIER_COORDINATOR_STRATEGY_EVOLUTION_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/strategy/strategy.h"
#include "frontier/v1/job.pb.h"

namespace frontier::coordinator {

// INVALID_ARGUMENT (reason INVALID_FIELD, path from within EvolutionStrategy) for sizes that are
// negative or above 10,000, a sample larger than the population, and a rate outside [0, 1].
absl::StatusOr<std::unique_ptr<Strategy>> CreateEvolutionStrategy(const v1::EvolutionStrategy& spec,
                                                                  uint64_t seed);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_EVOLUTION_H_
