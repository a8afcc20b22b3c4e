#include "common/rpc/retry.h"

#include <algorithm>

#include "common/base/status.h"

namespace frontier {

Backoff::Backoff(absl::Duration first, absl::Duration most, Rng rng)
    : first_(first), most_(most), next_(first), rng_(rng) {}

absl::Duration Backoff::Next() {
  const absl::Duration wait = next_ * (0.75 + 0.5 * rng_.UniformDouble());
  next_ = std::min(next_ * 2, most_);
  return wait;
}

bool IsRetryable(const absl::Status& status) {
  if (absl::IsUnavailable(status)) return true;
  // A disk that is full stays so until somebody makes space.
  return absl::IsResourceExhausted(status) && GetErrorReason(status) != v1::ERROR_REASON_DISK_FULL;
}

}  // namespace frontier
