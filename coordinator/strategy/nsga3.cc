#include "coordinator/strategy/nsga3.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/pareto/reference_directions.h"
#include "coordinator/strategy/generations.h"
#include "coordinator/strategy/model/niching.h"
#include "coordinator/strategy/settings.h"

namespace frontier::coordinator {
namespace {

constexpr int kMaxDivisions = 100;
// A population that a search of a few hundred trials can turn over often enough.
constexpr int kDefaultDirections = 12;

using Directions = std::vector<std::vector<double>>;

// A direction for about each member of a population. With fewer divisions than objectives all of
// one layer would lie on the boundary: then there is a second one.
int InnerDivisions(int objectives, int divisions) { return divisions < objectives ? 1 : 0; }

int64_t CountDirections(int objectives, int divisions) {
  const int inner = InnerDivisions(objectives, divisions);
  return DasDennisCount(objectives, divisions) +
         (inner == 0 ? 0 : DasDennisCount(objectives, inner));
}

int DivisionsFor(int objectives, int directions) {
  int divisions = 1;
  while (objectives > 1 && divisions < kMaxDivisions &&
         CountDirections(objectives, divisions + 1) <= directions) {
    ++divisions;
  }
  return divisions;
}

class Nsga3Strategy final : public GenerationalStrategy {
 public:
  Nsga3Strategy(Directions directions, int population_size, double crossover_rate, uint64_t seed)
      : GenerationalStrategy("nsga3", population_size, crossover_rate, seed),
        directions_(std::move(directions)) {}

 private:
  std::vector<Ranked> Survivors(absl::Span<const Observation> history,
                                absl::Span<const size_t> indices, size_t count) override {
    std::vector<Ranked> ranked = Rank(history, indices);
    // Up to the rank that no longer fits as a whole; its points compete for the rest.
    const int last = ranked[count - 1].rank;
    size_t taken = 0;
    size_t end = 0;
    while (end < ranked.size() && ranked[end].rank <= last) {
      if (ranked[end].rank < last) ++taken;
      ++end;
    }
    if (end == count) {
      ranked.resize(count);
      return ranked;
    }
    std::vector<std::vector<double>> points;
    for (size_t i = 0; i < end; ++i) {
      std::vector<double>& point = points.emplace_back();
      for (const double value : history[ranked[i].index].objectives) {
        point.push_back(Bounded(value));
      }
    }
    std::vector<Ranked> survivors(ranked.begin(),
                                  ranked.begin() + static_cast<std::ptrdiff_t>(taken));
    for (const size_t i : SelectByNiche(points, taken, count - taken, directions_)) {
      survivors.push_back(ranked[i]);
    }
    return survivors;
  }

  // Parents are drawn at random, but for constraints (part II, III-B): ranks and niches have done
  // their work in the selection.
  bool Better(absl::Span<const Observation> history, const Ranked& a,
              const Ranked& b) const override {
    return history[a.index].violation < history[b.index].violation;
  }

  const Directions directions_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Strategy>> CreateNsga3Strategy(const v1::Nsga3Strategy& spec,
                                                              int objectives, uint64_t seed) {
  RETURN_IF_ERROR(CheckCount("population_size", spec.population_size(), 2, kMaxPopulation));
  RETURN_IF_ERROR(CheckCount("divisions", spec.divisions(), 1, kMaxDivisions));
  const double rate = spec.has_crossover_rate() ? spec.crossover_rate() : kDefaultCrossoverRate;
  RETURN_IF_ERROR(CheckRate("crossover_rate", rate));
  const int wanted = spec.population_size() == 0 ? kDefaultDirections : spec.population_size();
  const int divisions = spec.divisions() == 0 ? DivisionsFor(objectives, wanted) : spec.divisions();
  if (CountDirections(objectives, divisions) > kMaxPopulation) {
    return InvalidField("divisions", absl::StrCat("is ", divisions, ", which gives ",
                                                  CountDirections(objectives, divisions),
                                                  " directions, more than ", kMaxPopulation));
  }
  ASSIGN_OR_RETURN(
      Directions directions,
      DasDennisDirections(objectives, divisions, InnerDivisions(objectives, divisions)));
  const int population = spec.population_size() == 0
                             ? std::max(2, static_cast<int>(directions.size()))
                             : spec.population_size();
  return std::make_unique<Nsga3Strategy>(std::move(directions), population, rate, seed);
}

}  // namespace frontier::coordinator
