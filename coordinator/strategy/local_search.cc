#include "coordinator/strategy/local_search.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "common/base/status.h"
#include "coordinator/strategy/exploration.h"
#include "coordinator/strategy/preference.h"
#include "coordinator/strategy/settings.h"

namespace frontier::coordinator {
namespace {

constexpr absl::string_view kLocalSearchName = "local_search";
constexpr int kLocalSearchSamples = 10;

class LocalSearchStrategy final : public ExploringStrategy {
 public:
  LocalSearchStrategy(int initial_samples, uint64_t seed)
      : ExploringStrategy(kLocalSearchName, seed),
        initial_samples_(static_cast<size_t>(initial_samples)) {}

 private:
  std::optional<Candidate> Suggest(const SearchContext& context, Rng* rng) override {
    const absl::Span<const Observation> history = context.history();
    CatchUp(history);
    if (told_ + context.running().size() < initial_samples_) return std::nullopt;
    if (!best_.has_value() && elite_.members().empty()) return std::nullopt;
    if (several_objectives_) return NeighbourOfFront(context, rng);
    bool some_run = false;
    return Neighbour(context, history[*best_], rng, &some_run);
  }

  void CatchUp(absl::Span<const Observation> history) {
    for (; seen_ < history.size(); ++seen_) {
      const Observation& next = history[seen_];
      tried_.insert(next.genotype.SerializeAsString());
      told_ += !next.again;
      const bool is_own = kLocalSearchName == next.origin.strategy();
      const bool is_draw = is_own && next.origin.parents().empty();
      if (is_own && !is_draw) first_step_ = std::min(first_step_, next.trial);
      if (!next.succeeded) continue;
      several_objectives_ = next.objectives.size() > 1;
      // Drawn where no neighbour was left, and not before there were any. What other strategies
      // find counts if it is better.
      const bool is_restart = is_draw && !next.again && next.trial > first_step_;
      if (several_objectives_) {
        elite_.Add(history, seen_);
        continue;
      }
      // Workers that found no neighbour at the same time all drew: the best of their draws counts.
      const bool leaves = is_restart && !at_restart_;
      if (!best_.has_value() || leaves || Precedes(next, history[*best_])) {
        best_ = seen_;
        at_restart_ = is_restart;
      } else if (!is_restart) {
        at_restart_ = false;
      }
    }
  }

  std::optional<Candidate> NeighbourOfFront(const SearchContext& context, Rng* rng) {
    const absl::Span<const Observation> history = context.history();
    const uint64_t seed = rng->NextUint64();
    for (const Ranked& member : elite_.Sparsest(history)) {
      if (explored_.contains(member.index)) continue;
      // Of its own, so that those which are known to be explored make no difference.
      Rng own(seed, member.index);
      bool some_run = false;
      std::optional<Candidate> candidate =
          Neighbour(context, history[member.index], &own, &some_run);
      if (candidate.has_value()) return candidate;
      // What could not be proposed once never can be, and what is tried stays so.
      if (!some_run) explored_.insert(member.index);
    }
    return std::nullopt;
  }

  // One that neither was tried nor runs; also where repeats are allowed. `some_run` tells whether
  // one was left out only since it runs.
  std::optional<Candidate> Neighbour(const SearchContext& context, const Observation& of, Rng* rng,
                                     bool* some_run) const {
    absl::flat_hash_set<std::string> running;
    for (const Running& trial : context.running()) {
      running.insert(trial.genotype->SerializeAsString());
    }
    std::vector<v1::Genotype> neighbours = context.space().Neighbours(of.genotype);
    rng->Shuffle(&neighbours);
    for (const v1::Genotype& neighbour : neighbours) {
      const std::string key = neighbour.SerializeAsString();
      if (tried_.contains(key)) continue;
      if (running.contains(key)) {
        *some_run = true;
        continue;
      }
      std::optional<Candidate> candidate = context.Admit(neighbour);
      if (!candidate.has_value()) continue;
      candidate->origin.add_parents(of.trial);
      return candidate;
    }
    return std::nullopt;
  }

  void Forget() override {
    seen_ = 0;
    told_ = 0;
    first_step_ = kNone;
    tried_.clear();
    at_restart_ = false;
    best_.reset();
    elite_.Clear();
    explored_.clear();
  }

  static constexpr int64_t kNone = std::numeric_limits<int64_t>::max();

  const size_t initial_samples_;
  // Of the first `seen_` ends of the history.
  size_t seen_ = 0;
  size_t told_ = 0;                         // trials that they are of
  int64_t first_step_ = kNone;              // least number of a neighbour that was proposed
  absl::flat_hash_set<std::string> tried_;  // serialized genotypes
  bool several_objectives_ = false;
  std::optional<size_t> best_;  // where the climb stands
  bool at_restart_ = false;     // it stands on a draw, and has not looked around yet
  Elite elite_;
  absl::flat_hash_set<size_t> explored_;  // of which no neighbour is left
};

}  // namespace

absl::StatusOr<std::unique_ptr<Strategy>> CreateLocalSearchStrategy(
    const v1::LocalSearchStrategy& spec, uint64_t seed) {
  RETURN_IF_ERROR(CheckCount("initial_samples", spec.initial_samples(), 1, kMaxSamples));
  const int samples = spec.initial_samples() == 0 ? kLocalSearchSamples : spec.initial_samples();
  return std::make_unique<LocalSearchStrategy>(samples, seed);
}

}  // namespace frontier::coordinator
