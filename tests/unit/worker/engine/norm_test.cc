// Fused batch norms against plain loops in double.
#include "worker/engine/kernels/norm.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "gtest/gtest.h"
#include "worker/engine/kernels/bfloat16.h"

namespace frontier::worker {
namespace {

constexpr float kEpsilon = 1e-5f;

template <typename T>
float Get(T value) {
  if constexpr (std::is_same_v<T, float>) {
    return value;
  } else {
    return FloatFromBfloat16(value);
  }
}

template <typename T>
T Make(double value) {
  if constexpr (std::is_same_v<T, float>) {
    return static_cast<float>(value);
  } else {
    return Bfloat16FromFloat(static_cast<float>(value));
  }
}

template <typename T>
std::vector<T> Values(int64_t count, double offset, Rng* rng) {
  std::vector<T> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(Make<T>(offset + rng->Normal()));
  return values;
}

template <typename T>
class NormTest : public ::testing::Test {};

using Elements = ::testing::Types<float, uint16_t>;
TYPED_TEST_SUITE(NormTest, Elements);

TYPED_TEST(NormTest, ForwardAndBackwardAreThoseOfPlainLoops) {
  using T = TypeParam;
  const double unit = std::is_same_v<T, float> ? 1e-5 : 1.0 / 128;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    const int64_t channel_choices[] = {1, 3, 16, 24, 40, 65, 96, 130};
    NormShape shape;
    shape.channels = channel_choices[rng.Uniform(8)];
    shape.pixels = 1 + static_cast<int64_t>(rng.Uniform(seed % 3 == 0 ? 3000 : 40));
    shape.threads = 1 + static_cast<int>(rng.Uniform(3));
    shape.portable = rng.Uniform(2) == 0;
    const bool relu = rng.Uniform(2) == 0, adds = rng.Uniform(2) == 0, two = rng.Uniform(2) == 0,
               keep = rng.Uniform(2) == 0;
    const int64_t count = shape.pixels * shape.channels;
    const size_t channels = static_cast<size_t>(shape.channels);
    // A mean that is large beside the deviation must not cancel.
    const auto x = Values<T>(count, seed % 4 == 0 ? 30 : 0, &rng);
    const auto addend = Values<T>(count, 0, &rng), dy = Values<T>(count, 0, &rng),
               other = Values<T>(count, 0, &rng);
    const auto scale = Values<float>(shape.channels, 1, &rng),
               shift = Values<float>(shape.channels, 0, &rng);
    std::vector<float> mean(channels), variance(channels), dscale(channels), dshift(channels);
    std::vector<float> scratch(static_cast<size_t>(NormScratch(shape)));
    std::vector<T> y(x.size()), masked(x.size()), dx(x.size());

    NormForward<T> forward;
    forward.x = x.data();
    if (adds) forward.addend = addend.data();
    forward.scale = scale.data();
    forward.shift = shift.data();
    forward.mean = mean.data();
    forward.variance = variance.data();
    forward.scratch = scratch.data();
    forward.y = y.data();
    forward.epsilon = kEpsilon;
    forward.relu = relu;
    RunNormForward(shape, forward);

    NormBackward<T> backward;
    backward.x = x.data();
    backward.y = y.data();
    backward.dy = dy.data();
    if (two) backward.other_dy = other.data();
    backward.scale = scale.data();
    backward.mean = mean.data();
    backward.variance = variance.data();
    backward.scratch = scratch.data();
    if (keep) backward.masked = masked.data();
    if (!adds && rng.Uniform(2) == 0) backward.shift = shift.data();
    backward.dx = dx.data();
    backward.dscale = dscale.data();
    backward.dshift = dshift.data();
    backward.epsilon = kEpsilon;
    backward.relu = relu;
    RunNormBackward(shape, backward);

    const double n = static_cast<double>(shape.pixels);
    for (size_t c = 0; c < channels; ++c) {
      double sum = 0, square = 0, total = 0, product = 0, size = 0;
      for (size_t i = c; i < x.size(); i += channels) sum += Get(x[i]);
      const double m = sum / n;
      for (size_t i = c; i < x.size(); i += channels) square += std::pow(Get(x[i]) - m, 2);
      const double v = square / n, deviation = std::sqrt(v + kEpsilon);
      ASSERT_NEAR(mean[c], m, 1e-5 * (1 + std::fabs(m)));
      ASSERT_NEAR(variance[c], v, 1e-4 * (v + 1e-3));
      const auto gradient = [&](size_t i) {
        const double d = double{Get(dy[i])} + (two ? double{Get(other[i])} : 0.0);
        return relu && !(Get(y[i]) > 0) ? 0.0 : d;
      };
      for (size_t i = c; i < x.size(); i += channels) {
        double wanted = (Get(x[i]) - m) / deviation * scale[c] + shift[c];
        if (adds) wanted += Get(addend[i]);
        if (relu && wanted < 0) wanted = 0;
        // With little variance the deviation in f32 is the limit.
        ASSERT_NEAR(Get(y[i]), wanted, unit * (1 + std::fabs(wanted)) * 4) << "value " << i;
        const double d = gradient(i), normalized = (Get(x[i]) - m) / deviation;
        total += d;
        product += d * normalized;
        size += std::fabs(d) * (1 + std::fabs(normalized));
        if (keep) {
          ASSERT_NEAR(Get(masked[i]), d, unit * (std::fabs(d) + 1e-3));
        }
      }
      ASSERT_NEAR(dshift[c], total, unit * (size + 1e-3));
      ASSERT_NEAR(dscale[c], product, unit * (size + 1e-3));
      for (size_t i = c; i < x.size(); i += channels) {
        const double normalized = (Get(x[i]) - m) / deviation;
        const double wanted =
            scale[c] / deviation * (gradient(i) - total / n - normalized * product / n);
        const double terms =
            std::fabs(scale[c]) / deviation * (std::fabs(gradient(i)) + size / n * 2 + 1);
        ASSERT_NEAR(Get(dx[i]), wanted, unit * terms * 2) << "value " << i;
      }
    }
  }
}

TYPED_TEST(NormTest, NanIsNotHidden) {
  using T = TypeParam;
  for (const bool portable : {false, true}) {
    const NormShape shape = {50, 16, 2, portable};
    Rng rng(5);
    auto x = Values<T>(50 * 16, 0, &rng);
    x[16 * 20 + 3] = Make<T>(std::numeric_limits<double>::quiet_NaN());
    const std::vector<float> ones(16, 1.0f);
    std::vector<float> mean(16), variance(16), scratch(static_cast<size_t>(NormScratch(shape)));
    NormForward<T> forward;
    forward.x = x.data();
    forward.scale = forward.shift = ones.data();
    forward.mean = mean.data();
    forward.variance = variance.data();
    forward.scratch = scratch.data();
    forward.y = x.data();  // in place
    forward.epsilon = kEpsilon;
    forward.relu = true;
    RunNormForward(shape, forward);
    for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(std::isnan(Get(x[i])), i % 16 == 3) << i;
    EXPECT_TRUE(std::isnan(mean[3]));
    EXPECT_FALSE(std::isnan(mean[4]));
  }
}

// Vector code computes the sign of y anew, which must be that of the y written before.
TEST(NormReluTest, IsTheSameWithAndWithoutReadingY) {
  NormShape shape = {997, 48};
  Rng rng(7);
  const int64_t count = shape.pixels * shape.channels;
  const auto x = Values<uint16_t>(count, 2, &rng), dy = Values<uint16_t>(count, 0, &rng);
  const auto scale = Values<float>(48, 0, &rng), shift = Values<float>(48, 0, &rng);
  std::vector<float> mean(48), variance(48), scratch(static_cast<size_t>(NormScratch(shape)));
  std::vector<uint16_t> y(x.size());
  NormForward<uint16_t> forward;
  forward.x = x.data();
  forward.scale = scale.data();
  forward.shift = shift.data();
  forward.mean = mean.data();
  forward.variance = variance.data();
  forward.scratch = scratch.data();
  forward.y = y.data();
  forward.epsilon = kEpsilon;
  forward.relu = true;
  RunNormForward(shape, forward);
  std::vector<std::vector<uint16_t>> dx;
  for (const float* const given : {static_cast<const float*>(nullptr), shift.data()}) {
    std::vector<float> dscale(48), dshift(48);
    NormBackward<uint16_t> backward;
    backward.x = x.data();
    backward.y = y.data();
    backward.shift = given;
    backward.dy = dy.data();
    backward.scale = scale.data();
    backward.mean = mean.data();
    backward.variance = variance.data();
    backward.scratch = scratch.data();
    backward.dx = dx.emplace_back(x.size()).data();
    backward.dscale = dscale.data();
    backward.dshift = dshift.data();
    backward.epsilon = kEpsilon;
    backward.relu = true;
    RunNormBackward(shape, backward);
  }
  EXPECT_EQ(dx[0], dx[1]);
}

}  // namespace
}  // namespace frontier::worker
