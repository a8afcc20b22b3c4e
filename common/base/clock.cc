#include "common/base/clock.h"

#include <chrono>

#include "absl/time/clock.h"

namespace frontier {

absl::Time SystemClock::Now() { return absl::Now(); }

absl::Duration SystemClock::Elapsed() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace frontier
