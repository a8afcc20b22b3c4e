#include "coordinator/strategy/evolution.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/pareto/pareto.h"
#include "common/pareto/ranking.h"
#include "coordinator/strategy/exploration.h"

namespace frontier::coordinator {
namespace {

constexpr int kDefaultPopulation = 16;
constexpr int kDefaultSample = 4;
// The population is part of every stored change of its job.
constexpr int kMaxPopulation = 10'000;

// Children tried at each number of mutations, and the most mutations of one child.
constexpr int kTriesPerRadius = 8;
constexpr int kMaxRadius = 4;

bool AllFinite(absl::Span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

struct Member {
  v1::Genotype genotype;
  int64_t trial = 0;
  std::vector<double> objectives;
  double violation = 0;
};

class EvolutionStrategy final : public Strategy {
 public:
  EvolutionStrategy(int population_size, int sample_size, uint64_t seed)
      : population_size_(population_size), sample_size_(sample_size), rng_(seed) {}

  absl::StatusOr<Candidate> Propose(const SearchContext& context) override {
    if (static_cast<int>(population_.size()) == population_size_ && !scan_.ended()) {
      const v1::Genotype& parent = SelectParent().genotype;
      for (int radius = 1; radius <= kMaxRadius; ++radius) {
        for (int i = 0; i < kTriesPerRadius; ++i) {
          v1::Genotype child = parent;
          for (int k = 0; k < radius; ++k) child = context.space().Mutate(child, &rng_);
          std::optional<Candidate> candidate = context.Admit(child);
          if (candidate.has_value()) return *std::move(candidate);
        }
      }
    }
    return DrawNew(context, &rng_, &scan_);
  }

  void Observe(const Observation& observation) override {
    if (!observation.succeeded || observation.objectives.empty() ||
        !AllFinite(observation.objectives) || std::isnan(observation.violation)) {
      return;
    }
    // A job's objectives do not change; anything else cannot be compared.
    if (!population_.empty() &&
        population_.front().objectives.size() != observation.objectives.size()) {
      return;
    }
    const bool known =
        std::any_of(population_.begin(), population_.end(),
                    [&](const Member& member) { return member.trial == observation.trial; });
    if (known) return;
    population_.push_back(
        {observation.genotype, observation.trial, observation.objectives, observation.violation});
    if (static_cast<int>(population_.size()) > population_size_) population_.pop_front();
  }

  void SpaceExtended() override { scan_.Restart(); }

  v1::StrategyState Save() const override {
    v1::StrategyState state;
    SaveRng(rng_, &state);
    scan_.Save(&state);
    v1::EvolutionState* evolution = state.mutable_evolution();
    for (const Member& member : population_) {
      v1::EvolutionMember* saved = evolution->add_population();
      *saved->mutable_genotype() = member.genotype;
      saved->set_trial(member.trial);
      saved->mutable_objectives()->Add(member.objectives.begin(), member.objectives.end());
      saved->set_violation(member.violation);
    }
    return state;
  }

  absl::Status Restore(const v1::StrategyState& state) override {
    if (!state.has_evolution()) {
      return absl::InvalidArgumentError("strategy state: not of an evolution strategy");
    }
    ASSIGN_OR_RETURN(const Rng rng, RestoreRng(state));
    const auto& saved = state.evolution().population();
    if (saved.size() > population_size_) {
      return absl::InvalidArgumentError(absl::StrCat("strategy state: population of ", saved.size(),
                                                     ", more than ", population_size_));
    }
    std::deque<Member> population;
    for (const v1::EvolutionMember& member : saved) {
      population.push_back({member.genotype(),
                            member.trial(),
                            {member.objectives().begin(), member.objectives().end()},
                            member.violation()});
      const std::vector<double>& objectives = population.back().objectives;
      if (objectives.empty() || objectives.size() != population.front().objectives.size() ||
          !AllFinite(objectives) || std::isnan(member.violation())) {
        return absl::InvalidArgumentError(absl::StrCat("strategy state: trial ", member.trial(),
                                                       " has no objectives to compare by"));
      }
    }
    RETURN_IF_ERROR(scan_.Restore(state));
    rng_ = rng;
    population_ = std::move(population);
    return absl::OkStatus();
  }

 private:
  // The population is full.
  const Member& SelectParent() {
    std::vector<size_t> drawn;
    drawn.reserve(sample_size_);
    for (int i = 0; i < sample_size_; ++i) drawn.push_back(rng_.Uniform(population_.size()));
    std::sort(drawn.begin(), drawn.end());  // oldest first
    drawn.erase(std::unique(drawn.begin(), drawn.end()), drawn.end());

    double least = std::numeric_limits<double>::infinity();
    for (size_t index : drawn) least = std::min(least, population_[index].violation);
    std::vector<const Member*> best;
    for (size_t index : drawn) {
      if (population_[index].violation == least) best.push_back(&population_[index]);
    }
    std::vector<const Member*> front;
    for (const Member* member : best) {
      const bool dominated = std::any_of(best.begin(), best.end(), [&](const Member* other) {
        return Dominates(other->objectives, member->objectives);
      });
      if (!dominated) front.push_back(member);
    }
    std::vector<std::vector<double>> objectives;
    objectives.reserve(front.size());
    for (const Member* member : front) objectives.push_back(member->objectives);
    // Members are finite and of one length.
    const std::vector<double> distances = *CrowdingDistances(objectives);
    size_t chosen = 0;
    for (size_t i = 1; i < front.size(); ++i) {
      if (distances[i] >= distances[chosen]) chosen = i;
    }
    return *front[chosen];
  }

  const int population_size_;
  const int sample_size_;
  Rng rng_;
  Scan scan_;
  std::deque<Member> population_;  // oldest first
};

absl::Status CheckSize(absl::string_view field, int size) {
  if (size >= 0 && size <= kMaxPopulation) return absl::OkStatus();
  return InvalidField(field, absl::StrCat("is ", size, ", must be 1 to ", kMaxPopulation,
                                          ", or 0 for the default"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Strategy>> CreateEvolutionStrategy(const v1::EvolutionStrategy& spec,
                                                                  uint64_t seed) {
  RETURN_IF_ERROR(CheckSize("population_size", spec.population_size()));
  RETURN_IF_ERROR(CheckSize("sample_size", spec.sample_size()));
  const int population = spec.population_size() == 0 ? kDefaultPopulation : spec.population_size();
  if (spec.sample_size() > population) {
    return InvalidField("sample_size", absl::StrCat("is ", spec.sample_size(),
                                                    ", more than the population of ", population));
  }
  const int sample =
      spec.sample_size() == 0 ? std::min(kDefaultSample, population) : spec.sample_size();
  return std::make_unique<EvolutionStrategy>(population, sample, seed);
}

}  // namespace frontier::coordinator
