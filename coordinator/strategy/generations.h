// Genetic algorithms that replace a population by the fittest of it and its children.
#ifndef FRONTIER_COORDINATOR_STRATEGY_GENERATIONS_H_
#define FRONTIER_COORDINATOR_STRATEGY_GENERATIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/random.h"
#include "coordinator/strategy/exploration.h"
#include "coordinator/strategy/preference.h"
#include "coordinator/strategy/strategy.h"

namespace frontier::coordinator {

constexpr double kDefaultCrossoverRate = 0.5;

// Each `population_size` further successes, in the order of their ends, are children: the survivors
// of them and of the population are the next one. Workers never wait for a generation to end: until
// then children are made of the population as it is. The first population are random draws.
//
// Parents are the better ones of two drawn; a share of `crossover_rate` of the children has two.
class GenerationalStrategy : public ExploringStrategy {
 protected:
  GenerationalStrategy(absl::string_view name, int population_size, double crossover_rate,
                       uint64_t seed)
      : ExploringStrategy(name, seed),
        population_size_(static_cast<size_t>(population_size)),
        crossover_rate_(crossover_rate) {}

  // The `count` members of `indices` that survive, at least as many; of successes in `history`.
  virtual std::vector<Ranked> Survivors(absl::Span<const Observation> history,
                                        absl::Span<const size_t> indices, size_t count) = 0;
  // Whether `a` is the better parent.
  virtual bool Better(absl::Span<const Observation> history, const Ranked& a,
                      const Ranked& b) const = 0;

 private:
  std::optional<Candidate> Suggest(const SearchContext& context, Rng* rng) final;
  void Forget() final;
  void CatchUp(absl::Span<const Observation> history);
  const Observation* SelectParent(absl::Span<const Observation> history, Rng* rng) const;

  const size_t population_size_;
  const double crossover_rate_;
  // Of the first `seen_` trials of the history.
  size_t seen_ = 0;
  std::vector<size_t> children_;  // indices in the history
  std::vector<Ranked> population_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_GENERATIONS_H_
