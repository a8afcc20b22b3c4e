#include "coordinator/strategy/generations.h"

#include "coordinator/strategy/breeding.h"

namespace frontier::coordinator {

std::optional<Candidate> GenerationalStrategy::Suggest(const SearchContext& context, Rng* rng) {
  const absl::Span<const Observation> history = context.history();
  CatchUp(history);
  if (population_.empty()) return std::nullopt;
  std::vector<const Observation*> parents = {SelectParent(history, rng)};
  if (rng->UniformDouble() < crossover_rate_) parents.push_back(SelectParent(history, rng));
  return Breed(context, parents, rng);
}

void GenerationalStrategy::CatchUp(absl::Span<const Observation> history) {
  for (; seen_ < history.size(); ++seen_) {
    if (!history[seen_].succeeded) continue;
    children_.push_back(seen_);
    if (children_.size() < population_size_) continue;
    for (const Ranked& member : population_) children_.push_back(member.index);
    population_ = Survivors(history, children_, population_size_);
    children_.clear();
  }
}

const Observation* GenerationalStrategy::SelectParent(absl::Span<const Observation> history,
                                                      Rng* rng) const {
  const Ranked& first = population_[rng->Uniform(population_.size())];
  const Ranked& second = population_[rng->Uniform(population_.size())];
  return &history[Better(history, second, first) ? second.index : first.index];
}

void GenerationalStrategy::Forget() {
  seen_ = 0;
  children_.clear();
  population_.clear();
}

}  // namespace frontier::coordinator
