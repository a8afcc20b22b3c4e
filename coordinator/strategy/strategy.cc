#include "coordinator/strategy/strategy.h"

#include "common/base/status.h"
#include "coordinator/strategy/evolution.h"
#include "coordinator/strategy/grid.h"
#include "coordinator/strategy/random.h"

namespace frontier::coordinator {

absl::StatusOr<std::unique_ptr<Strategy>> CreateStrategy(const v1::StrategySpec& spec) {
  switch (spec.kind_case()) {
    case v1::StrategySpec::kGrid:
      return CreateGridStrategy();
    case v1::StrategySpec::kRandom:
      return CreateRandomStrategy(spec.seed());
    case v1::StrategySpec::kEvolution: {
      absl::StatusOr<std::unique_ptr<Strategy>> strategy =
          CreateEvolutionStrategy(spec.evolution(), spec.seed());
      if (!strategy.ok()) return PrefixField("evolution", strategy.status());
      return strategy;
    }
    case v1::StrategySpec::KIND_NOT_SET:
      break;
  }
  return InvalidField("kind", "no strategy given; known are: grid, random, evolution");
}

}  // namespace frontier::coordinator
