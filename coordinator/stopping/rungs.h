// Who goes on: trials pause at rungs, and the best of those that came to one are trained further.
#ifndef FRONTIER_COORDINATOR_STOPPING_RUNGS_H_
#define FRONTIER_COORDINATOR_STOPPING_RUNGS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "coordinator/strategy/strategy.h"

namespace frontier::coordinator {

// Where a trial stands.
struct RungPlace {
  int bracket = 0;
  int rung = 0;  // of its bracket, 0 = the first
  bool operator<(const RungPlace& other) const {
    return std::pair(bracket, rung) < std::pair(other.bracket, other.rung);
  }
};

// Asynchronous successive halving (Li et al. 2020, "A System for Massively Parallel Hyperparameter
// Tuning", algorithm 2): of the trials that came to a rung, one in `reduction` goes on, the best of
// those that wait there; no trial waits for others to come. Several objectives go by non-dominated
// rank, then by crowding (Schmucker et al. 2021, "Multi-objective Asynchronous Successive
// Halving"). The published rule lets every trial go on that is among the best so far, however many
// went on before it; a search whose later trials are ever better would then stop hardly any, so
// here the number of those that go on is bounded.
//
// Who goes on depends on the calls of Add and GoOn, and their order, alone. Changes are kept or put
// back together. Not thread-safe.
class Rungs {
 public:
  explicit Rungs(int reduction) : reduction_(reduction) {}

  // A trial has come to a rung which is not the last of its bracket. `result` is of a success.
  void Add(RungPlace place, Observation result);
  // The next trial to be trained on, if any: highest rungs first.
  std::optional<int64_t> Next() const;
  // The best of those that wait at the highest rung, whether or not it would go on.
  std::optional<int64_t> Best() const;
  // A trial that waits at a rung is trained on.
  void GoOn(int64_t trial);

  // Where a trial waits, if it does.
  std::optional<RungPlace> PlaceOf(int64_t trial) const;
  // Trials that wait, by number.
  std::vector<int64_t> Waiting() const;

  // Makes the changes since the last call of either last, or undoes them.
  void Keep() { undo_.clear(); }
  void Rollback();

 private:
  struct Rung {
    std::vector<Observation> results;  // in the order in which they came, without genotypes
    std::vector<bool> waits;           // by result
    size_t gone_on = 0;
  };
  struct Waiter {
    RungPlace place;
    size_t index = 0;  // of the rung's results
  };
  struct Step {
    int64_t trial = 0;
    Waiter waiter;
    bool added = false;
  };

  std::optional<int64_t> BestWaiting(const Rung& rung) const;

  const int reduction_;
  std::map<RungPlace, Rung> rungs_;
  absl::flat_hash_map<int64_t, Waiter> waiting_;
  std::vector<Step> undo_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STOPPING_RUNGS_H_
