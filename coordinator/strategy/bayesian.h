// Bayesian optimization with an ensemble of Gaussian processes (predictor.h) on encoded
// architectures: as BANANAS (White, Neiswanger and Savani 2021) candidates are drawn around the
// best trials and the one of the largest expected improvement is proposed; with several objectives
// that of the dominated hypervolume (Emmerich, Giannakoglou and Naujoks 2006).
//
// A violated constraint is modelled like an objective; the improvement counts by the probability
// that the violation is small: at most a quarter of the mean violation so far, as a smooth model
// does not predict an exact 0. Where a trial runs nearby, improvement counts less (as local
// penalization, Gonzalez et al. 2016), so that workers spread.
#ifndef FRONTIER_COORDINATOR_STRATEGY_BAYESIAN_H_
#define FRONTIER_COORDINATOR_STRATEGY_BAYESIAN_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/strategy/strategy.h"
#include "frontier/v1/strategy.pb.h"

namespace frontier::coordinator {

// INVALID_ARGUMENT (reason INVALID_FIELD, path from within BayesianStrategy) for numbers out of
// range.
absl::StatusOr<std::unique_ptr<Strategy>> CreateBayesianStrategy(const v1::BayesianStrategy& spec,
                                                                 uint64_t seed);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_BAYESIAN_H_
