// When to try again.
#ifndef FRONTIER_COMMON_RPC_RETRY_H_
#define FRONTIER_COMMON_RPC_RETRY_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/random.h"

namespace frontier {

// Waits that double from `first` up to `most`, each spread over 75 to 125 % so that many clients do
// not come back at the same moment. Does not wait itself. Not thread-safe.
class Backoff {
 public:
  Backoff(absl::Duration first, absl::Duration most, Rng rng);

  absl::Duration Next();
  void Reset() { next_ = first_; }

 private:
  const absl::Duration first_;
  const absl::Duration most_;
  absl::Duration next_;
  Rng rng_;
};

// Whether the same call may succeed a moment later without anybody's doing: the peer could not be
// reached or cannot serve just now (UNAVAILABLE), or has too much to do (reason OVERLOADED). Other
// RESOURCE_EXHAUSTED are not among them: a message too large or a disk that is full stays so. What
// changes something is repeated with its request id.
bool IsRetryable(const absl::Status& status);

// How long the peer wants to be left alone at least; zero if it does not say.
absl::Duration RetryAfter(const absl::Status& status);

}  // namespace frontier

#endif  // FRONTIER_COMMON_RPC_RETRY_H_
