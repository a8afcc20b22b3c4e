// Time as a dependency: logic asks a Clock, tests move it by hand.
#ifndef FRONTIER_COMMON_BASE_CLOCK_H_
#define FRONTIER_COMMON_BASE_CLOCK_H_

#include "absl/time/time.h"

namespace frontier {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Wall time, for records and people; may jump.
  virtual absl::Time Now() = 0;

  // Time since an arbitrary point; never goes back. For durations and deadlines within one process.
  virtual absl::Duration Elapsed() = 0;
};

// The machine's clocks.
class SystemClock final : public Clock {
 public:
  absl::Time Now() override;
  absl::Duration Elapsed() override;
};

}  // namespace frontier

#endif  // FRONTIER_COMMON_BASE_CLOCK_H_
