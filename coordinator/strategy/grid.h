// Every admissible architecture once, in the order of the space's enumeration.
#ifndef FRONTIER_COORDINATOR_STRATEGY_GRID_H_
#define FRONTIER_COORDINATOR_STRATEGY_GRID_H_

#include <memory>

#include "coordinator/strategy/strategy.h"

namespace frontier::coordinator {

std::unique_ptr<Strategy> CreateGridStrategy();

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_GRID_H_
