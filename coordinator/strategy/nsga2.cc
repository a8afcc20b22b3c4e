#include "coordinator/strategy/nsga2.h"

#include <vector>

#include "common/base/status.h"
#include "coordinator/strategy/generations.h"
#include "coordinator/strategy/settings.h"

namespace frontier::coordinator {
namespace {

constexpr int kNsga2Population = 12;  // fit for a few hundred trials

class Nsga2Strategy final : public GenerationalStrategy {
 public:
  Nsga2Strategy(int population_size, double crossover_rate, uint64_t seed)
      : GenerationalStrategy("nsga2", population_size, crossover_rate, seed) {}

 private:
  std::vector<Ranked> Survivors(absl::Span<const Observation> history,
                                absl::Span<const size_t> indices, size_t count) override {
    std::vector<Ranked> ranked = Rank(history, indices);
    ranked.resize(count);
    return ranked;
  }

  bool Better(absl::Span<const Observation>, const Ranked& a, const Ranked& b) const override {
    return a.rank < b.rank || (a.rank == b.rank && a.crowding > b.crowding);
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<Strategy>> CreateNsga2Strategy(const v1::Nsga2Strategy& spec,
                                                              uint64_t seed) {
  RETURN_IF_ERROR(CheckCount("population_size", spec.population_size(), 2, kMaxPopulation));
  const double rate = spec.has_crossover_rate() ? spec.crossover_rate() : kDefaultCrossoverRate;
  RETURN_IF_ERROR(CheckRate("crossover_rate", rate));
  const int population = spec.population_size() == 0 ? kNsga2Population : spec.population_size();
  return std::make_unique<Nsga2Strategy>(population, rate, seed);
}

}  // namespace frontier::coordinator
