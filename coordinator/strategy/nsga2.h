// NSGA-II: Deb et al. 2002, "A fast and elitist multiobjective genetic algorithm: NSGA-II", with
// the feasible before all others (VI-A). See generations.h for how it goes on with many workers.
#ifndef FRONTIER_COORDINATOR_STRATEGY_NSGA2_H_
#define FRONTIER_COORDINATOR_STRATEGY_NSGA2_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/strategy/strategy.h"
#include "frontier/v1/strategy.pb.h"

namespace frontier::coordinator {

// INVALID_ARGUMENT (reason INVALID_FIELD, path from within Nsga2Strategy) for a population or a
// rate out of range.
absl::StatusOr<std::unique_ptr<Strategy>> CreateNsga2Strategy(const v1::Nsga2Strategy& spec,
                                                              uint64_t seed);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_NSGA2_H_
