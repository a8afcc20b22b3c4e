// At which epochs the trials of a job pause.
#ifndef FRONTIER_COORDINATOR_STOPPING_LADDERS_H_
#define FRONTIER_COORDINATOR_STOPPING_LADDERS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "frontier/v1/early_stopping.pb.h"
#include "frontier/v1/job.pb.h"

namespace frontier::coordinator {

// A trial's way up: after how many epochs it pauses, rising; the last is all of its training.
using Ladder = std::vector<int>;

// The ladders of a job, one for each bracket: one bracket and no pause in a job without rungs.
// Immutable.
class Ladders {
 public:
  // `job` is acceptable to CheckEarlyStopping.
  explicit Ladders(const v1::JobSpec& job);

  int brackets() const { return static_cast<int>(ladders_.size()); }
  const Ladder& ladder(int bracket) const { return ladders_[static_cast<size_t>(bracket)]; }
  // Of the trials at a rung, one in so many goes on.
  int reduction() const { return reduction_; }
  // Trials are dealt over the brackets by their number, each as often as Hyperband begins trials in
  // it (Li et al. 2018, algorithm 1).
  int BracketOf(int64_t trial) const;

 private:
  std::vector<Ladder> ladders_;
  std::vector<int64_t> deals_;  // trials of a round, by bracket
  int reduction_ = 0;
};

// INVALID_ARGUMENT (reason INVALID_FIELD, path from within JobSpec) for early stopping or screening
// whose settings make no sense in this job.
absl::Status CheckEarlyStopping(const v1::JobSpec& job);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STOPPING_LADDERS_H_
