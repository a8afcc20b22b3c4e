#include "common/base/clock.h"

#include "gtest/gtest.h"

namespace frontier {
namespace {

TEST(SystemClockTest, ElapsedNeverGoesBackAndNowIsThisCentury) {
  SystemClock clock;
  absl::Duration last = clock.Elapsed();
  for (int i = 0; i < 1000; ++i) {
    const absl::Duration now = clock.Elapsed();
    ASSERT_GE(now, last);
    last = now;
  }
  EXPECT_GT(clock.Now(), absl::FromUnixSeconds(1'700'000'000));
}

}  // namespace
}  // namespace frontier
