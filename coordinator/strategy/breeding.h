// Children of trials, by crossover and mutation.
#ifndef FRONTIER_COORDINATOR_STRATEGY_BREEDING_H_
#define FRONTIER_COORDINATOR_STRATEGY_BREEDING_H_

#include <optional>

#include "absl/types/span.h"
#include "common/base/random.h"
#include "coordinator/strategy/strategy.h"

namespace frontier::coordinator {

// A child of one or two parents that can be proposed: of two it is their cross; it differs by one
// mutation or, where such cannot be proposed, gradually by more. Nothing if none was found.
std::optional<Candidate> Breed(const SearchContext& context,
                               absl::Span<const Observation* const> parents, Rng* rng);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_BREEDING_H_
