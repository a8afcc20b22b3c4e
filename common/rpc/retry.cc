#include "common/rpc/retry.h"

#include <algorithm>
#include <optional>

#include "common/base/status.h"

namespace frontier {
namespace {

constexpr absl::Duration kLongestRetryAfter = absl::Minutes(1);

}  // namespace

Backoff::Backoff(absl::Duration first, absl::Duration most, Rng rng)
    : first_(first), most_(most), next_(first), rng_(rng) {}

absl::Duration Backoff::Next() {
  const absl::Duration wait = next_ * (0.75 + 0.5 * rng_.UniformDouble());
  next_ = std::min(next_ * 2, most_);
  return wait;
}

bool IsRetryable(const absl::Status& status) {
  return absl::IsUnavailable(status) || GetErrorReason(status) == v1::ERROR_REASON_OVERLOADED;
}

absl::Duration RetryAfter(const absl::Status& status) {
  const std::optional<v1::ErrorDetail> detail = GetErrorDetail(status);
  if (!detail.has_value()) return absl::ZeroDuration();
  return std::clamp(absl::Milliseconds(detail->retry_after_ms()), absl::ZeroDuration(),
                    kLongestRetryAfter);
}

}  // namespace frontier
