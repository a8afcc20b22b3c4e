#include "coordinator/strategy/breeding.h"

#include <utility>

namespace frontier::coordinator {
namespace {

// Children tried at each number of mutations, and the most mutations of one child.
constexpr int kTriesPerRadius = 8;
constexpr int kMaxRadius = 4;

}  // namespace

std::optional<Candidate> Breed(const SearchContext& context,
                               absl::Span<const Observation* const> parents, Rng* rng) {
  const Space& space = context.space();
  for (int radius = 1; radius <= kMaxRadius; ++radius) {
    for (int i = 0; i < kTriesPerRadius; ++i) {
      v1::Genotype child = parents.size() > 1
                               ? space.Cross(parents[0]->genotype, parents[1]->genotype, rng)
                               : parents[0]->genotype;
      for (int k = 0; k < radius; ++k) child = space.Mutate(child, rng);
      std::optional<Candidate> candidate = context.Admit(child);
      if (!candidate.has_value()) continue;
      for (const Observation* parent : parents) candidate->origin.add_parents(parent->trial);
      return candidate;
    }
  }
  return std::nullopt;
}

}  // namespace frontier::coordinator
