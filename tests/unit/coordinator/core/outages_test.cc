// Times in which the coordinator stood still, or its clock was wrong: nobody pays for them.
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::Harness;
using ::frontier::testing::MakeResult;
using ::frontier::testing::SmallJob;
using ::testing::HasSubstr;

TEST(Outages, AfterOneWhoNeverReportsIsStillEnded) {
  Harness h;
  v1::JobSpec spec = SmallJob(1);
  spec.mutable_limits()->set_wall_seconds(60);
  spec.mutable_limits()->set_max_attempts(1);
  const int64_t job = h.Submit(spec);
  h.Register("w1");
  const auto lease = h.Lease("w1");
  h.core().NoteStall(absl::Minutes(10));
  for (int i = 0; i < 60 && h.Job(job).trials_running() == 1; ++i) {
    h.clock().Advance(absl::Seconds(10));
    EXPECT_OK(h.Heartbeat("w1", {*lease}));
    h.Tick();
  }
  EXPECT_EQ(h.Trial(job, 1).failure().cause(), v1::FAILURE_CAUSE_TIMED_OUT);
}

TEST(Outages, AStallOfTheCoordinatorIsNoSilenceOfItsWorkers) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(2));
  h.Register("w1");
  h.Register("w2");
  const auto lease = h.Lease("w1");
  const auto other = h.Lease("w2");
  h.clock().Advance(absl::Hours(2));
  h.core().NoteStall(absl::Hours(2));
  h.Tick();
  EXPECT_EQ(h.Job(job).trials_running(), 2);
  // From then on as ever.
  h.clock().Advance(h.options().lease_duration - absl::Seconds(1));
  ASSERT_OK(h.Heartbeat("w1", {*lease}));
  h.Tick();
  EXPECT_EQ(h.Job(job).trials_running(), 2);
  h.clock().Advance(absl::Seconds(2));
  h.Tick();
  EXPECT_EQ(h.Job(job).trials_running(), 1);
  EXPECT_FALSE(h.Report("w2", *other, MakeResult(0.5, 1)).ok());
  EXPECT_OK(h.Report("w1", *lease, MakeResult(0.5, 1)));
}

TEST(Outages, AJumpOfTheWallClockIsNoWallTime) {
  for (const absl::Duration jump : {absl::Hours(24), -absl::Hours(24)}) {
    for (const bool paused : {false, true}) {
      SCOPED_TRACE(absl::StrCat(absl::FormatDuration(jump), paused ? ", paused" : ""));
      Harness h;
      v1::JobSpec spec = SmallJob(20);
      spec.mutable_budget()->set_wall_seconds(100);
      const int64_t job = h.Submit(spec);
      h.Register("w1");
      ASSERT_TRUE(h.Lease("w1").has_value());
      h.clock().Advance(absl::Seconds(10));
      if (paused) {
        ASSERT_OK(h.Pause(job));
      }
      h.Tick();
      h.clock().Jump(jump);
      h.Tick();
      EXPECT_NEAR(h.Job(job).usage().wall_seconds(), 10, 1e-6);
      EXPECT_EQ(h.Job(job).state(), paused ? v1::JOB_STATE_PAUSED : v1::JOB_STATE_RUNNING);
      h.Restart();
      if (paused) {
        ASSERT_OK(h.Resume(job));
      }
      h.clock().Advance(absl::Seconds(89));
      h.Tick();
      EXPECT_NEAR(h.Job(job).usage().wall_seconds(), 99, 1e-6);
      EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_RUNNING);
      h.clock().Advance(absl::Seconds(1));
      h.Tick();
      EXPECT_THAT(h.Job(job).reason(), HasSubstr("budget of 100 s wall time used"));
    }
  }
}

}  // namespace
}  // namespace frontier::coordinator
