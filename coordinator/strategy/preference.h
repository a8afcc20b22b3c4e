// Which trials are better than others: feasible before others, then by dominance.
#ifndef FRONTIER_COORDINATOR_STRATEGY_PREFERENCE_H_
#define FRONTIER_COORDINATOR_STRATEGY_PREFERENCE_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "coordinator/strategy/strategy.h"

namespace frontier::coordinator {

// Whether `a` has less violation than `b` or, at the same, dominates it (Deb et al. 2002, "A fast
// and elitist multiobjective genetic algorithm: NSGA-II", VI-A). Both succeeded.
bool Precedes(const Observation& a, const Observation& b);

// A trial among others.
struct Ranked {
  size_t index = 0;     // in the history
  int rank = 0;         // 0 = none of them precedes it
  double crowding = 0;  // within its rank; CrowdingDistances
};

// `indices` of successes in `history`, best first: by rank, then by crowding, largest first, then
// in the given order.
std::vector<Ranked> Rank(absl::Span<const Observation> history, absl::Span<const size_t> indices);

// The successes that no other precedes, as they come. Not thread-safe.
class Elite {
 public:
  // Linear in the number of members.
  void Add(absl::Span<const Observation> history, size_t index);
  const std::vector<size_t>& members() const { return members_; }  // indices in the history
  // The members as Rank; of one history from call to call, and only sorted when they have changed.
  const std::vector<Ranked>& Sparsest(absl::Span<const Observation> history);
  void Clear();

 private:
  std::vector<size_t> members_;
  std::vector<Ranked> sparsest_;
  bool sorted_ = true;
};

// A violation for arithmetic: 0 to 1, growing all the way, so that of two large ones the smaller is
// still better.
double LimitedViolation(double violation);

// An objective's value for arithmetic: the same unless it is so large that sums and products of a
// few would leave the range of a double.
double Bounded(double value);

// How much of a history of `size` trials a model is made of: all of a short one; then it grows in
// steps of a fiftieth or less, so that few proposals wait for a new model.
size_t ModelSize(size_t size);

// Those of all successes among the first `count` trials.
std::vector<Ranked> RankSuccesses(absl::Span<const Observation> history, size_t count);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_PREFERENCE_H_
