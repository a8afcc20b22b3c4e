// Drawing genotypes decision by decision.
#ifndef FRONTIER_COORDINATOR_STRATEGY_POLICY_H_
#define FRONTIER_COORDINATOR_STRATEGY_POLICY_H_

#include <cstddef>
#include <vector>

#include "absl/functional/function_ref.h"
#include "common/base/random.h"
#include "coordinator/space/space.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// Weight of each option of a decision, >= 0 and not all 0.
using OptionWeights = std::vector<double>;

// Each active decision drawn by the weights that `weights` gives for it, in order; 0 for the
// others.
v1::Genotype DrawBy(const std::vector<Decision>& decisions,
                    absl::FunctionRef<const OptionWeights&(size_t)> weights, Rng* rng);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_POLICY_H_
