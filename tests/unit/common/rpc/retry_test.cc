#include "common/rpc/retry.h"

#include "common/base/status.h"
#include "gtest/gtest.h"

namespace frontier {
namespace {

TEST(BackoffTest, DoublesWithinBoundsAndStartsAnew) {
  Backoff backoff(absl::Seconds(1), absl::Seconds(10), Rng(7));
  for (int round = 0; round < 2; ++round) {
    for (const double nominal : {1., 2., 4., 8., 10., 10., 10.}) {
      const absl::Duration wait = backoff.Next();
      EXPECT_GE(wait, absl::Seconds(nominal * 0.75));
      EXPECT_LE(wait, absl::Seconds(nominal * 1.25));
    }
    backoff.Reset();
  }
}

TEST(BackoffTest, SpreadsClientsAndRepeatsForOneSeed) {
  Backoff a(absl::Seconds(1), absl::Seconds(1), Rng(1));
  Backoff b(absl::Seconds(1), absl::Seconds(1), Rng(2));
  Backoff again(absl::Seconds(1), absl::Seconds(1), Rng(1));
  const absl::Duration first = a.Next();
  EXPECT_NE(first, b.Next());
  EXPECT_EQ(first, again.Next());
}

TEST(IsRetryableTest, IsAboutWhatPassesByItself) {
  EXPECT_TRUE(IsRetryable(absl::UnavailableError("")));
  EXPECT_FALSE(IsRetryable(absl::ResourceExhaustedError("")));
  EXPECT_FALSE(IsRetryable(absl::OkStatus()));
  EXPECT_FALSE(IsRetryable(absl::InvalidArgumentError("")));
  EXPECT_FALSE(IsRetryable(absl::DeadlineExceededError("")));
  v1::ErrorDetail detail;
  detail.set_reason(v1::ERROR_REASON_OVERLOADED);
  detail.set_retry_after_ms(1500);
  const absl::Status overloaded =
      ErrorWithDetail(absl::StatusCode::kResourceExhausted, "too much", detail);
  EXPECT_TRUE(IsRetryable(overloaded));
  EXPECT_EQ(RetryAfter(overloaded), absl::Milliseconds(1500));
}

TEST(RetryAfterTest, IsZeroOrWhatIsSaidWithinReason) {
  EXPECT_EQ(RetryAfter(absl::UnavailableError("")), absl::ZeroDuration());
  const auto said = [](int64_t ms) {
    v1::ErrorDetail detail;
    detail.set_retry_after_ms(ms);
    return RetryAfter(ErrorWithDetail(absl::StatusCode::kResourceExhausted, "", detail));
  };
  EXPECT_EQ(said(-5), absl::ZeroDuration());
  EXPECT_EQ(said(int64_t{1} << 60), absl::Minutes(1));
}

}  // namespace
}  // namespace frontier
