#include "common/rpc/retry.h"

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
}

}  // namespace
}  // namespace frontier
