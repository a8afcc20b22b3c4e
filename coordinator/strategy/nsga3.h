// NSGA-III: Deb and Jain 2014, "An evolutionary many-objective optimization algorithm using
// reference-point-based nondominated sorting approach, part I"; with constraints as in part II
// (Jain and Deb 2014). See generations.h for how it goes on with many workers.
#ifndef FRONTIER_COORDINATOR_STRATEGY_NSGA3_H_
#define FRONTIER_COORDINATOR_STRATEGY_NSGA3_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/strategy/strategy.h"
#include "frontier/v1/strategy.pb.h"

namespace frontier::coordinator {

// For a job of so many `objectives`, at least one. INVALID_ARGUMENT (reason INVALID_FIELD, path
// from within Nsga3Strategy) for a population, rate or divisions out of range.
absl::StatusOr<std::unique_ptr<Strategy>> CreateNsga3Strategy(const v1::Nsga3Strategy& spec,
                                                              int objectives, uint64_t seed);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_NSGA3_H_
