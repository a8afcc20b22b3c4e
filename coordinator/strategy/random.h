// Uniform over the genotypes, without repeats.
#ifndef FRONTIER_COORDINATOR_STRATEGY_RANDOM_H_
#define FRONTIER_COORDINATOR_STRATEGY_RANDOM_H_

#include <cstdint>
#include <memory>

#include "coordinator/strategy/strategy.h"

namespace frontier::coordinator {

std::unique_ptr<Strategy> CreateRandomStrategy(uint64_t seed);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_RANDOM_H_
