// Finding something new in a space: uniform draws, and a scan that misses nothing.
#ifndef FRONTIER_COORDINATOR_STRATEGY_EXPLORATION_H_
#define FRONTIER_COORDINATOR_STRATEGY_EXPLORATION_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
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

  // The space has more genotypes, also among those passed: begins anew. What was proposed is
  // refused by its context as before, so it only costs time to pass it again.
  void Restart();

  void Save(v1::StrategyState* state) const;
  absl::Status Restore(const v1::StrategyState& state);

 private:
  std::optional<v1::Genotype> cursor_;  // where to go on; none = not begun
  bool ended_ = false;
};

// Uniform draws; once many in a row found nothing new, whatever the scan finds next.
// Errors as Strategy::Propose.
absl::StatusOr<Candidate> DrawNew(const SearchContext& context, Rng* rng, Scan* scan);

void SaveRng(const Rng& rng, v1::StrategyState* state);
// INVALID_ARGUMENT if `state` has no generator or one that cannot be.
absl::StatusOr<Rng> RestoreRng(const v1::StrategyState& state);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_EXPLORATION_H_
