// A clock moved by hand.
#ifndef FRONTIER_TESTS_SUPPORT_FAKE_CLOCK_H_
#define FRONTIER_TESTS_SUPPORT_FAKE_CLOCK_H_

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"

namespace frontier::testing {

// Thread-safe. Both clocks stand still but for Advance, which moves them together.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time now = absl::FromUnixSeconds(1'700'000'000)) : start_(now) {}

  absl::Time Now() override {
    MutexLock lock(&mutex_);
    return start_ + elapsed_;
  }
  absl::Duration Elapsed() override {
    MutexLock lock(&mutex_);
    return elapsed_;
  }
  void Advance(absl::Duration by) {
    MutexLock lock(&mutex_);
    elapsed_ += by;
  }

 private:
  const absl::Time start_;
  Mutex mutex_;
  absl::Duration elapsed_ ABSL_GUARDED_BY(mutex_) = absl::ZeroDuration();
};

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_FAKE_CLOCK_H_
