// Finding something new in a space: uniform draws, and a scan that misses nothing.
#ifndef FRONTIER_COORDINATOR_STRATEGY_EXPLORATION_H_
#define FRONTIER_COORDINATOR_STRATEGY_EXPLORATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/random.h"
#include "coordinator/strategy/strategy.h"
#include "frontier/v1/record.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// Walks the space's enumeration once, and once more after each extension. What it has passed was
// proposed or cannot be, so its end is the end of the space. Not thread-safe.
class Scan {
 public:
  // The next genotype that is admitted; errors as Strategy::Propose.
  absl::StatusOr<Candidate> Next(const SearchContext& context);

  // All has been passed: nothing new is left.
  bool ended() const { return ended_; }
  // The last call found nothing yet, though there is more to try.
  bool under_way() const { return under_way_; }

  // The space has more genotypes, also among those passed: begins anew. What was proposed is
  // refused by its context as before, so it only costs time to pass it again.
  void Restart();

  void Save(v1::StrategyState* state) const;
  // INVALID_ARGUMENT for a cursor that has ended and has not.
  absl::Status Restore(const v1::StrategyState& state);

 private:
  std::optional<v1::Genotype> cursor_;  // where to go on; none = not begun
  bool ended_ = false;
  bool under_way_ = false;
};

// A strategy with an idea of its own of what to try; where that gives nothing, it draws uniformly,
// and once many draws in a row found nothing new it takes whatever the scan finds next.
class ExploringStrategy : public Strategy {
 public:
  absl::StatusOr<Candidate> Propose(const SearchContext& context) final;
  void SpaceExtended() final;
  v1::StrategyState Save() const final;
  absl::Status Restore(const v1::StrategyState& state) final;

 protected:
  // `name` goes into what is proposed.
  ExploringStrategy(absl::string_view name, uint64_t seed) : name_(name), seed_(seed) {}

  // A candidate by the strategy's own rule, if it finds one. `rng` is this proposal's.
  virtual std::optional<Candidate> Suggest(const SearchContext& context, Rng* rng) = 0;
  // Drops all that was derived from the space or the history.
  virtual void Forget() {}

 private:
  const std::string name_;
  const uint64_t seed_;
  Scan scan_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_EXPLORATION_H_
