#include "worker/engine/activation_histogram.h"

#include <cmath>
#include <limits>
#include <vector>

#include "common/base/random.h"
#include "gtest/gtest.h"

namespace frontier::worker {
namespace {

// Mean squared error of rounding `values` to multiples of limit / steps within [-limit, limit].
double QuantizationError(const std::vector<float>& values, double limit, int steps) {
  const double step = limit / steps;
  double sum = 0;
  for (const float v : values) {
    const double q = std::nearbyint(std::fmin(std::fmax(v, -limit), limit) / step) * step;
    sum += (q - v) * (q - v);
  }
  return sum / static_cast<double>(values.size());
}

TEST(ActivationHistogramTest, EmptyAndZeros) {
  ActivationHistogram histogram;
  EXPECT_EQ(histogram.BestLimit(127), 0);
  histogram.Add(std::vector<float>{0, -0.0f, 0});
  EXPECT_EQ(histogram.BestLimit(127), 0);
  EXPECT_EQ(histogram.largest(), 0);
  EXPECT_FALSE(histogram.negative());
  EXPECT_TRUE(histogram.finite());
}

TEST(ActivationHistogramTest, ASingleValueIsAboutItsLimit) {
  for (const float v : {1e-20f, 0.3f, 1.0f, 5.0f, 1e20f}) {
    ActivationHistogram histogram;
    histogram.Add(std::vector<float>{v, v});
    // To within a bin.
    EXPECT_LE(histogram.BestLimit(255), v);
    EXPECT_GT(histogram.BestLimit(255), 0.998f * v);
    histogram.Add(std::vector<float>{-v});
    EXPECT_TRUE(histogram.negative());
    EXPECT_GT(histogram.BestLimit(127), 0.998f * v);
  }
}

TEST(ActivationHistogramTest, NotFinite) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    ActivationHistogram histogram;
    histogram.Add(std::vector<float>{1, bad});
    EXPECT_FALSE(histogram.finite());
  }
}

TEST(ActivationHistogramTest, TheLimitIsAboutTheBest) {
  Rng rng(3);
  for (const double tail : {0.0, 0.001, 0.02}) {
    std::vector<float> values;
    ActivationHistogram histogram;
    // In parts of growing values, so that bins are put together several times.
    for (int part = 0; part < 8; ++part) {
      std::vector<float> some(2000);
      for (float& v : some) {
        const double wide = rng.UniformDouble() < tail ? 20 : 1;
        v = static_cast<float>(wide * rng.Normal() * (part + 1) / 8);
      }
      histogram.Add(some);
      values.insert(values.end(), some.begin(), some.end());
    }
    for (const int steps : {127, 255}) {
      const double error = QuantizationError(values, histogram.BestLimit(steps), steps);
      double least = HUGE_VAL;
      for (int i = 1; i <= 400; ++i) {
        const double limit = double{histogram.largest()} * i / 400;
        least = std::min(least, QuantizationError(values, limit, steps));
      }
      EXPECT_LT(error, 1.05 * least) << "tail " << tail << ", " << steps << " steps";
    }
  }
}

}  // namespace
}  // namespace frontier::worker
