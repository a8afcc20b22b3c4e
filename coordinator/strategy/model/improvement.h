// Expected improvement over what was found. All objectives are to be minimized.
#ifndef FRONTIER_COORDINATOR_STRATEGY_MODEL_IMPROVEMENT_H_
#define FRONTIER_COORDINATOR_STRATEGY_MODEL_IMPROVEMENT_H_

#include <vector>

#include "absl/types/span.h"
#include "common/base/random.h"
#include "coordinator/strategy/model/predictor.h"

namespace frontier::coordinator {

// Of each candidate over `best`, in closed form (Jones, Schonlau and Welch 1998, "Efficient Global
// Optimization of Expensive Black-Box Functions", equation 15).
std::vector<double> ExpectedImprovement(const Predictor::Prediction& prediction, double best);

// Of each candidate, the volume it is expected to add to what `front` dominates within `reference`:
// the mean over 32 draws from its normal distributions, one prediction for each objective, the same
// draws for all candidates.
std::vector<double> ExpectedHypervolumeImprovement(
    absl::Span<const Predictor::Prediction> predictions,
    absl::Span<const std::vector<double>> front, absl::Span<const double> reference, Rng* rng);

// Of each candidate, the probability that the value is at most `limit`.
std::vector<double> ProbabilityAtMost(const Predictor::Prediction& prediction, double limit);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_MODEL_IMPROVEMENT_H_
