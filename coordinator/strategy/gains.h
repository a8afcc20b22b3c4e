// What the successes of a history gain, one after the other.
#ifndef FRONTIER_COORDINATOR_STRATEGY_GAINS_H_
#define FRONTIER_COORDINATOR_STRATEGY_GAINS_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "common/pareto/hypervolume.h"
#include "coordinator/strategy/strategy.h"

namespace frontier::coordinator {

// Not thread-safe.
class Gains {
 public:
  // The part of the hypervolume dominated by now, within the worst values so far, that the success
  // `trial` adds to what those before it dominate: 0 to 1, without a unit, 0 if it is dominated.
  // With one objective the part of the way from the worst to the best. Until something is feasible,
  // what the trial takes off the least violation, as LimitedViolation; all that is left of it for
  // the first that is feasible.
  double Add(const Observation& trial);

 private:
  // So that volumes of many objectives do not take long. Beyond it the oldest points go, which
  // makes later gains a little too large.
  static constexpr size_t kMostKept = 256;
  static constexpr size_t kMostKeptOfMany = 32;  // of more than three objectives

  bool MoveReference(const std::vector<double>& values);
  bool Keep(const std::vector<double>& values);
  void Rebuild(size_t points);

  double least_violation_ = 1;
  bool feasible_ = false;  // something was
  std::vector<double> reference_;
  std::deque<std::vector<double>> front_;  // of the feasible
  std::optional<HypervolumeArchive> archive_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_GAINS_H_
