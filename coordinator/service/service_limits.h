// How much the coordinator takes on at once.
#ifndef FRONTIER_COORDINATOR_SERVICE_SERVICE_LIMITS_H_
#define FRONTIER_COORDINATOR_SERVICE_SERVICE_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace frontier::coordinator {

// Beyond these, callers are told to come back later. Sizes of messages and fields are limited by
// common/rpc/limits.h and request_checks.h.
struct ServiceLimits {
  size_t waiting_leases = 50'000;  // long polls
  size_t watches = 1'000;
  size_t transfers = 256;    // streams of models and checkpoints, both ways
  int64_t backlog = 20'000;  // changes that are decided and not durable yet
  int long_calls = 2;        // at a time
  size_t waiting_long_calls = 64;
  // Who takes longer for one answer or chunk is dropped.
  absl::Duration slow_watch = absl::Seconds(30);
  absl::Duration slow_transfer = absl::Minutes(2);
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_SERVICE_LIMITS_H_
