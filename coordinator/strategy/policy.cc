#include "coordinator/strategy/policy.h"

#include <numeric>

#include "coordinator/space/decisions.h"

namespace frontier::coordinator {

v1::Genotype DrawBy(const std::vector<Decision>& decisions,
                    absl::FunctionRef<const OptionWeights&(size_t)> weights, Rng* rng) {
  v1::Genotype genotype;
  std::vector<bool> active;
  active.reserve(decisions.size());
  for (size_t i = 0; i < decisions.size(); ++i) {
    active.push_back(UnmetCondition(decisions, i, genotype, active) == nullptr);
    int32_t option = 0;
    if (active.back()) {
      const OptionWeights& options = weights(i);
      double left = rng->UniformDouble() * std::accumulate(options.begin(), options.end(), 0.0);
      // Rounding may leave a rest after the last one with any weight.
      for (size_t k = 0; k < options.size(); ++k) {
        if (options[k] <= 0) continue;
        option = static_cast<int32_t>(k);
        left -= options[k];
        if (left < 0) break;
      }
    }
    genotype.add_options(option);
  }
  return genotype;
}

}  // namespace frontier::coordinator
