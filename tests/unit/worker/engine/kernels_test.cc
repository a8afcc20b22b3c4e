#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "common/base/random.h"
#include "gtest/gtest.h"
#include "worker/engine/kernels/channel_slice.h"
#include "worker/engine/kernels/elementwise.h"
#include "worker/engine/kernels/loss.h"
#include "worker/engine/kernels/optimizer.h"
#include "worker/engine/schedule.h"

namespace frontier::worker {
namespace {

std::vector<float> RandomValues(size_t count, Rng* rng) {
  std::vector<float> values(count);
  for (float& v : values) v = static_cast<float>(rng->Normal());
  return values;
}

// Below, at and above a vector, a piece of a sum, and what several threads are worth.
constexpr size_t kCounts[] = {1, 15, 16, 17, 1023, 1025, 70001};

TEST(ElementwiseTest, AddInPlaceAndApart) {
  Rng rng(1);
  for (const size_t count : kCounts) {
    for (size_t terms = 2; terms <= 4; ++terms) {
      for (const bool relu : {false, true}) {
        std::vector<std::vector<float>> inputs;
        std::vector<const float*> pointers;
        for (size_t t = 0; t < terms; ++t) inputs.push_back(RandomValues(count, &rng));
        std::vector<float> wanted(count);
        for (size_t i = 0; i < count; ++i) {
          wanted[i] = inputs[0][i];
          for (size_t t = 1; t < terms; ++t) wanted[i] += inputs[t][i];
          if (relu && wanted[i] < 0) wanted[i] = 0;
        }
        for (const auto& input : inputs) pointers.push_back(input.data());
        std::vector<float> apart(count);
        Add(pointers, static_cast<int64_t>(count), relu, apart.data());
        EXPECT_EQ(apart, wanted);
        Add(pointers, static_cast<int64_t>(count), relu, inputs[terms - 1].data());
        EXPECT_EQ(inputs[terms - 1], wanted);
      }
    }
  }
}

TEST(ElementwiseTest, Relu) {
  Rng rng(2);
  for (const size_t count : kCounts) {
    const std::vector<float> x = RandomValues(count, &rng), dy = RandomValues(count, &rng);
    std::vector<float> y(count), dx(count);
    Relu(x.data(), static_cast<int64_t>(count), y.data());
    ReluBackward(y.data(), dy.data(), static_cast<int64_t>(count), dx.data());
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(y[i], std::max(x[i], 0.0f));
      EXPECT_EQ(dx[i], x[i] > 0 ? dy[i] : 0);
    }
  }
  const float nan = std::numeric_limits<float>::quiet_NaN();
  float y;
  Relu(&nan, 1, &y);
  EXPECT_TRUE(std::isnan(y));
}

TEST(ElementwiseTest, Relu6AndHardSwish) {
  Rng rng(3);
  for (const size_t count : kCounts) {
    std::vector<float> x = RandomValues(count, &rng);
    const std::vector<float> dy = RandomValues(count, &rng);
    for (float& v : x) v *= 4;
    const int64_t n = static_cast<int64_t>(count);
    std::vector<float> y(count), dx(count), swish(count), dswish(count);
    Relu6(x.data(), n, y.data());
    Relu6Backward(y.data(), dy.data(), n, dx.data());
    HardSwish(x.data(), n, swish.data());
    HardSwishBackward(x.data(), dy.data(), n, dswish.data());
    for (size_t i = 0; i < count; ++i) {
      ASSERT_EQ(y[i], std::min(std::max(x[i], 0.0f), 6.0f));
      ASSERT_EQ(dx[i], x[i] > 0 && x[i] < 6 ? dy[i] : 0);
      const double v = x[i], factor = std::min(std::max(v + 3, 0.0), 6.0) / 6;
      ASSERT_NEAR(swish[i], v * factor, 1e-5);
      const double slope = v <= -3 ? 0 : v >= 3 ? 1 : (2 * v + 3) / 6;
      ASSERT_NEAR(dswish[i], dy[i] * slope, 1e-5);
    }
  }
  const float nan = std::numeric_limits<float>::quiet_NaN();
  float y;
  Relu6(&nan, 1, &y);
  EXPECT_TRUE(std::isnan(y));
  HardSwish(&nan, 1, &y);
  EXPECT_TRUE(std::isnan(y));
}

TEST(ElementwiseTest, HardSigmoid) {
  Rng rng(4);
  for (const size_t count : kCounts) {
    std::vector<float> x = RandomValues(count, &rng);
    const std::vector<float> dy = RandomValues(count, &rng);
    for (float& v : x) v *= 4;
    const int64_t n = static_cast<int64_t>(count);
    std::vector<float> y(count), dx(count);
    HardSigmoid(x.data(), n, y.data());
    HardSigmoidBackward(x.data(), dy.data(), n, dx.data());
    for (size_t i = 0; i < count; ++i) {
      const double v = x[i];
      ASSERT_NEAR(y[i], std::min(std::max(v + 3, 0.0), 6.0) / 6, 1e-6);
      ASSERT_NEAR(dx[i], v > -3 && v < 3 ? dy[i] / 6.0 : 0, 1e-6);
    }
  }
  const float nan = std::numeric_limits<float>::quiet_NaN();
  float y;
  HardSigmoid(&nan, 1, &y);
  EXPECT_TRUE(std::isnan(y));
}

// Plain and with channels last; ranges at both ends and in the middle.
TEST(ChannelSliceTest, CopiesTheRange) {
  constexpr int64_t kChannels = 7;
  Rng rng(5);
  for (const int64_t runs : {1, 3, 5000}) {
    for (const int64_t length : {1, 6}) {
      for (const auto& [first, count] :
           {std::pair(0, 7), std::pair(0, 2), std::pair(3, 1), std::pair(2, 5)}) {
        const ChannelRange range = {runs, kChannels, length, first, count};
        const std::vector<float> x =
            RandomValues(static_cast<size_t>(runs * kChannels * length), &rng);
        const std::vector<float> dy =
            RandomValues(static_cast<size_t>(runs * count * length), &rng);
        std::vector<float> y(dy.size()), dx(x.size(), -1.0f);
        SliceChannels(range, x.data(), y.data());
        SliceChannelsBackward(range, dy.data(), dx.data());
        for (int64_t i = 0; i < static_cast<int64_t>(x.size()); ++i) {
          const int64_t run = i / (kChannels * length), c = i / length % kChannels;
          const bool inside = c >= first && c < first + count;
          const int64_t at = (run * count + c - first) * length + i % length;
          ASSERT_EQ(dx[static_cast<size_t>(i)], inside ? dy[static_cast<size_t>(at)] : 0);
          if (inside) {
            ASSERT_EQ(y[static_cast<size_t>(at)], x[static_cast<size_t>(i)]);
          }
        }
      }
    }
  }
}

TEST(ElementwiseTest, RunningStatistics) {
  const float mean = 2, variance = 3;
  float running_mean = 1, running_variance = 1;
  UpdateRunningStatistics(&mean, &variance, 1, 4, 0.1f, &running_mean, &running_variance);
  EXPECT_FLOAT_EQ(running_mean, 1.1f);
  EXPECT_FLOAT_EQ(running_variance, 1.3f);  // 0.9 + 0.1 * 3 * 4 / 3
  UpdateRunningStatistics(&mean, &variance, 1, 1, 1.0f, &running_mean, &running_variance);
  EXPECT_FLOAT_EQ(running_variance, 3.0f);
}

TEST(LossTest, KnownValuesAndGradient) {
  const std::vector<float> logits = {0, 0, 0, 1, 3, 2};
  std::vector<float> gradient(6);
  const LossSums sums =
      SoftmaxCrossEntropy(logits.data(), std::vector<uint8_t>{2, 1}, 3, gradient.data());
  const double second = std::log(std::exp(1.0) + std::exp(3.0) + std::exp(2.0)) - 3;
  EXPECT_NEAR(sums.loss, std::log(3.0) + second, 1e-6);
  EXPECT_NEAR(sums.squares, std::log(3.0) * std::log(3.0) + second * second, 1e-6);
  EXPECT_EQ(sums.correct, 1);  // of equal logits the first counts
  EXPECT_NEAR(gradient[0], 1.0 / 6, 1e-6);
  EXPECT_NEAR(gradient[2], -1.0 / 3, 1e-6);
  EXPECT_NEAR(gradient[4], (std::exp(-second) - 1) / 2, 1e-6);
}

TEST(LossTest, LargeLogitsDoNotOverflow) {
  const std::vector<float> logits = {1e30f, -1e30f};
  EXPECT_EQ(SoftmaxCrossEntropy(logits.data(), std::vector<uint8_t>{0}, 2, nullptr).loss, 0);
  EXPECT_NEAR(SoftmaxCrossEntropy(logits.data(), std::vector<uint8_t>{1}, 2, nullptr).loss, 2e30,
              1e25);
  const std::vector<float> bad = {std::numeric_limits<float>::quiet_NaN(), 1};
  EXPECT_TRUE(
      std::isnan(SoftmaxCrossEntropy(bad.data(), std::vector<uint8_t>{1}, 2, nullptr).loss));
}

TEST(SgdTest, FollowsTheFormula) {
  // Two steps by hand: rate 0.1, momentum 0.5, decay 0.01, gradients 1 and 2.
  float weight = 1, velocity = 0, gradient = 1;
  const OptimizedParameter parameter = {&weight, &gradient, &velocity, 1, true};
  const OptimizerSettings settings = {0.1f, 0.5f, 0.01f};
  EXPECT_TRUE(SgdStep({parameter}, settings));
  EXPECT_FLOAT_EQ(velocity, 1.01f);
  EXPECT_FLOAT_EQ(weight, 1 - 0.1f * (1.01f + 0.5f * 1.01f));
  gradient = 2;
  const float g = 2 + 0.01f * weight, v = 0.5f * 1.01f + g, before = weight;
  EXPECT_TRUE(SgdStep({parameter}, settings));
  EXPECT_FLOAT_EQ(velocity, v);
  EXPECT_FLOAT_EQ(weight, before - 0.1f * (g + 0.5f * v));
}

TEST(SgdTest, DecayOnlyWhereAsked) {
  float weight = 1, velocity = 0, gradient = 0;
  EXPECT_TRUE(
      SgdStep({OptimizedParameter{&weight, &gradient, &velocity, 1, false}}, {0.1f, 0.9f, 0.5f}));
  EXPECT_EQ(weight, 1);
}

TEST(SgdTest, TellsOfWeightsThatAreNotFinite) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -3e38f}) {
    std::vector<float> weight(50001, 3e38f), velocity(weight.size()), gradient(weight.size());
    gradient[49999] = bad;
    const OptimizedParameter parameter = {weight.data(), gradient.data(), velocity.data(),
                                          static_cast<int64_t>(weight.size()), false};
    EXPECT_FALSE(SgdStep({parameter}, {1.0f, 0.0f, 0.0f})) << bad;
  }
}

TEST(CosineScheduleTest, WarmsUpAndFalls) {
  const CosineSchedule schedule(0.2, 100, 10);
  EXPECT_DOUBLE_EQ(schedule.Rate(0), 0.02);
  EXPECT_DOUBLE_EQ(schedule.Rate(9), 0.2);
  EXPECT_DOUBLE_EQ(schedule.Rate(10), 0.2);
  EXPECT_NEAR(schedule.Rate(55), 0.1, 1e-12);
  EXPECT_GT(schedule.Rate(99), 0);
  EXPECT_LT(schedule.Rate(99), 1e-4);
  for (int64_t s = 11; s < 100; ++s) EXPECT_LT(schedule.Rate(s), schedule.Rate(s - 1));
}

TEST(CosineScheduleTest, EdgeCases) {
  EXPECT_DOUBLE_EQ(CosineSchedule(0.1, 1, 0).Rate(0), 0.1);
  EXPECT_DOUBLE_EQ(CosineSchedule(0.1, 5, 50).Rate(4), 0.1);    // warm-up cut to the run
  EXPECT_DOUBLE_EQ(CosineSchedule(0.1, 10, 0.5).Rate(0), 0.1);  // a fraction of a step
}

}  // namespace
}  // namespace frontier::worker
