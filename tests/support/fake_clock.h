// A clock moved by hand.
#ifndef FRONTIER_TESTS_SUPPORT_FAKE_CLOCK_H_
#define FRONTIER_TESTS_SUPPORT_FAKE_CLOCK_H_

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"

namespace frontier::testing {

// Thread-safe. The wall clock begins at a round time in 2023.
class FakeClock final : public Clock {
 public:
  absl::Time Now() override {
    MutexLock lock(&mutex_);
    return absl::FromUnixSeconds(1700000000) + elapsed_ + offset_;
  }
  absl::Duration Elapsed() override {
    MutexLock lock(&mutex_);
    return elapsed_;
  }
  void Advance(absl::Duration duration) {
    MutexLock lock(&mutex_);
    elapsed_ += duration;
  }
  // The wall clock alone.
  void Jump(absl::Duration by) {
    MutexLock lock(&mutex_);
    offset_ += by;
  }

 private:
  Mutex mutex_;
  absl::Duration elapsed_ ABSL_GUARDED_BY(mutex_);
  absl::Duration offset_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_FAKE_CLOCK_H_
