#include "coordinator/strategy/evolution.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/pareto/pareto.h"
#include "common/pareto/ranking.h"
#include "coordinator/strategy/breeding.h"
#include "coordinator/strategy/exploration.h"
#include "coordinator/strategy/settings.h"

namespace frontier::coordinator {
namespace {

constexpr int kEvolutionPopulation = 16;
constexpr int kEvolutionSample = 4;

class EvolutionStrategy final : public ExploringStrategy {
 public:
  EvolutionStrategy(int population_size, int sample_size, double crossover_rate, uint64_t seed)
      : ExploringStrategy("evolution", seed),
        population_size_(population_size),
        sample_size_(sample_size),
        crossover_rate_(crossover_rate) {}

 private:
  std::optional<Candidate> Suggest(const SearchContext& context, Rng* rng) override {
    const std::vector<const Observation*> population = Population(context.history());
    if (static_cast<int>(population.size()) < population_size_) return std::nullopt;
    std::vector<const Observation*> parents = {SelectParent(population, rng)};
    if (rng->UniformDouble() < crossover_rate_) parents.push_back(SelectParent(population, rng));
    return Breed(context, parents, rng);
  }

  // The last of those that succeeded, oldest first.
  std::vector<const Observation*> Population(absl::Span<const Observation> history) const {
    std::vector<const Observation*> population;
    for (auto it = history.rbegin();
         it != history.rend() && static_cast<int>(population.size()) < population_size_; ++it) {
      if (it->succeeded) population.push_back(&*it);
    }
    std::reverse(population.begin(), population.end());
    return population;
  }

  const Observation* SelectParent(const std::vector<const Observation*>& population,
                                  Rng* rng) const {
    std::vector<size_t> drawn;
    drawn.reserve(sample_size_);
    for (int i = 0; i < sample_size_; ++i) drawn.push_back(rng->Uniform(population.size()));
    std::sort(drawn.begin(), drawn.end());  // oldest first
    drawn.erase(std::unique(drawn.begin(), drawn.end()), drawn.end());

    double least = std::numeric_limits<double>::infinity();
    for (size_t index : drawn) least = std::min(least, population[index]->violation);
    std::vector<const Observation*> best;
    for (size_t index : drawn) {
      if (population[index]->violation == least) best.push_back(population[index]);
    }
    std::vector<const Observation*> front;
    std::vector<std::vector<double>> objectives;
    for (const Observation* member : best) {
      const bool dominated = std::any_of(best.begin(), best.end(), [&](const Observation* other) {
        return Dominates(other->objectives, member->objectives);
      });
      if (dominated) continue;
      front.push_back(member);
      objectives.push_back(member->objectives);
    }
    // Objectives of a history are finite and of one number.
    const std::vector<double> distances = *CrowdingDistances(objectives);
    size_t chosen = 0;
    for (size_t i = 1; i < front.size(); ++i) {
      if (distances[i] >= distances[chosen]) chosen = i;
    }
    return front[chosen];
  }

  const int population_size_;
  const int sample_size_;
  const double crossover_rate_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Strategy>> CreateEvolutionStrategy(const v1::EvolutionStrategy& spec,
                                                                  uint64_t seed) {
  RETURN_IF_ERROR(CheckCount("population_size", spec.population_size(), 1, kMaxPopulation));
  RETURN_IF_ERROR(CheckCount("sample_size", spec.sample_size(), 1, kMaxPopulation));
  RETURN_IF_ERROR(CheckRate("crossover_rate", spec.crossover_rate()));
  const int population =
      spec.population_size() == 0 ? kEvolutionPopulation : spec.population_size();
  if (spec.sample_size() > population) {
    return InvalidField("sample_size", absl::StrCat("is ", spec.sample_size(),
                                                    ", more than the population of ", population));
  }
  const int sample =
      spec.sample_size() == 0 ? std::min(kEvolutionSample, population) : spec.sample_size();
  return std::make_unique<EvolutionStrategy>(population, sample, spec.crossover_rate(), seed);
}

}  // namespace frontier::coordinator
