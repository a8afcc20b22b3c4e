#include "common/rpc/retry.h"

#include <algorithm>

namespace frontier {

Backoff::Backoff(absl::Duration first, absl::Duration most, Rng rng)
    : first_(first), most_(most), next_(first), rng_(rng) {}

absl::Duration Backoff::Next() {
  const absl::Duration wait = next_ * (0.75 + 0.5 * rng_.UniformDouble());
  next_ = std::min(next_ * 2, most_);
  return wait;
}

bool IsRetryable(const absl::Status& status) { return absl::IsUnavailable(status); }

}  // namespace frontier
