// Growing waits between tries.
#ifndef FRONTIER_WORKER_AGENT_BACKOFF_H_
#define FRONTIER_WORKER_AGENT_BACKOFF_H_

#include <algorithm>

#include "absl/time/time.h"
#include "common/base/random.h"

namespace frontier::worker {

// Doubles from `first` up to `most`, each wait spread over 75 to 125 % so that many workers do not
// come back at the same moment. Not thread-safe.
class Backoff {
 public:
  Backoff(absl::Duration first, absl::Duration most, Rng rng)
      : first_(first), most_(most), next_(first), rng_(rng) {}

  absl::Duration Next() {
    const absl::Duration wait = next_ * (0.75 + 0.5 * rng_.UniformDouble());
    next_ = std::min(next_ * 2, most_);
    return wait;
  }
  void Reset() { next_ = first_; }

 private:
  const absl::Duration first_;
  const absl::Duration most_;
  absl::Duration next_;
  Rng rng_;
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_BACKOFF_H_
