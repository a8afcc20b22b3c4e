#include "worker/engine/kernels/depthwise_bf16.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/engine/convolution_cases.h"
#include "worker/engine/kernels/bfloat16.h"

namespace frontier::worker {
namespace {

constexpr uint64_t kSeed = 20261129;

std::string Line(const DepthwiseBf16Shape& s, int threads) {
  return absl::StrCat("seed ", kSeed, ": ", s.batch, " images, ", s.channels, " channels, height ",
                      Text(s.height), ", width ", Text(s.width), ", ", threads, " threads");
}

int64_t Places(const DepthwiseBf16Shape& s) { return s.height.kernel * s.width.kernel; }
int64_t XSize(const DepthwiseBf16Shape& s) {
  return s.batch * s.height.in * s.width.in * s.channels;
}
int64_t DySize(const DepthwiseBf16Shape& s) {
  return s.batch * s.height.out * s.width.out * s.channels;
}

std::vector<float> WeightsGradient(const DepthwiseBf16Shape& s, int threads,
                                   const std::vector<uint16_t>& x,
                                   const std::vector<uint16_t>& dy) {
  const size_t bytes = DepthwiseBf16ScratchBytes(s, threads);
  EXPECT_EQ(bytes % 64, 0u);
  const auto scratch = ScratchOfNans(bytes);
  std::vector<float> dweights(static_cast<size_t>(s.channels * Places(s)));
  DepthwiseBf16BackwardWeights(s, threads, x.data(), dy.data(), scratch.get(), dweights.data());
  return dweights;
}

std::vector<uint16_t> DataGradient(const DepthwiseBf16Shape& s, int threads,
                                   const std::vector<uint16_t>& dy,
                                   const std::vector<float>& weights) {
  const auto scratch = ScratchOfNans(DepthwiseBf16ScratchBytes(s, threads));
  std::vector<uint16_t> dx(static_cast<size_t>(XSize(s)));
  DepthwiseBf16BackwardData(s, threads, dy.data(), weights.data(), scratch.get(), dx.data());
  return dx;
}

// Plain loops in double.
struct Plain {
  std::vector<double> dweights, dx;
};

Plain PlainLoops(const DepthwiseBf16Shape& s, const std::vector<uint16_t>& x,
                 const std::vector<uint16_t>& dy, const std::vector<float>& weights) {
  Plain plain{std::vector<double>(weights.size()), std::vector<double>(x.size())};
  const ConvolutionAxis &h = s.height, &w = s.width;
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t pixel = 0; pixel < h.out * w.out; ++pixel) {
      for (int64_t place = 0; place < Places(s); ++place) {
        const int64_t row = pixel / w.out * h.stride + place / w.kernel * h.dilation - h.padding;
        const int64_t column = pixel % w.out * w.stride + place % w.kernel * w.dilation - w.padding;
        if (row < 0 || row >= h.in || column < 0 || column >= w.in) continue;
        for (int64_t c = 0; c < s.channels; ++c) {
          const auto at = static_cast<size_t>(((n * h.in + row) * w.in + column) * s.channels + c);
          const auto weight = static_cast<size_t>(c * Places(s) + place);
          const double d = FloatFromBfloat16(
              dy[static_cast<size_t>((n * h.out * w.out + pixel) * s.channels + c)]);
          plain.dweights[weight] += d * FloatFromBfloat16(x[at]);
          plain.dx[at] += d * weights[weight];
        }
      }
    }
  }
  return plain;
}

class DepthwiseBf16Test : public testing::Test {
 protected:
  void SetUp() override {
    if (!DepthwiseBf16Supported({1, 1, Axis(1, 1, 1, 1, 0), Axis(1, 1, 1, 1, 0)})) {
      GTEST_SKIP() << "this CPU has not the instructions";
    }
  }
};

// Every sum of small whole numbers is exact, so that a wrong index cannot hide behind a tolerance.
TEST_F(DepthwiseBf16Test, ExactOnSmallIntegers) {
  Rng rng(kSeed);
  const auto draw = [&](uint64_t most) { return static_cast<int64_t>(1 + rng.Uniform(most)); };
  std::vector<DepthwiseBf16Shape> shapes = {{1, 1, Axis(1, 1, 1, 1, 0), Axis(1, 1, 1, 1, 0)},
                                            {3, 64, Axis(28, 3, 2, 1, 1), Axis(28, 3, 2, 1, 1)},
                                            {2, 96, Axis(14, 3, 1, 1, 1), Axis(13, 5, 1, 1, 2)},
                                            {2, 40, Axis(7, 7, 1, 1, 3), Axis(3, 7, 1, 1, 3)},
                                            {2, 33, Axis(1, 1, 1, 1, 0), Axis(100, 6, 4, 1, 4)}};
  for (int i = 0; i < 40; ++i) {
    shapes.push_back({draw(5), draw(100), RandomAxis(&rng), RandomAxis(&rng)});
  }
  int threads = 0;
  for (const DepthwiseBf16Shape& shape : shapes) {
    threads = threads % 3 + 1;
    SCOPED_TRACE(Line(shape, threads));
    ASSERT_TRUE(DepthwiseBf16Supported(shape));
    const std::vector<uint16_t> x = Bfloat16Values(XSize(shape), &rng, /*whole=*/true);
    const std::vector<uint16_t> dy = Bfloat16Values(DySize(shape), &rng, /*whole=*/true);
    std::vector<float> weights(static_cast<size_t>(shape.channels * Places(shape)));
    for (float& w : weights) w = static_cast<float>(rng.Uniform(5)) - 2;
    const Plain plain = PlainLoops(shape, x, dy, weights);
    const std::vector<float> dweights = WeightsGradient(shape, threads, x, dy);
    for (size_t i = 0; i < dweights.size(); ++i) {
      ASSERT_EQ(double{dweights[i]}, plain.dweights[i]) << "dweights " << i;
    }
    const std::vector<uint16_t> dx = DataGradient(shape, threads, dy, weights);
    for (size_t i = 0; i < dx.size(); ++i) {
      ASSERT_EQ(FloatFromBfloat16(dx[i]), static_cast<float>(plain.dx[i])) << "dx " << i;
    }
  }
}

TEST_F(DepthwiseBf16Test, RoundsToTheNearest) {
  Rng rng(kSeed);
  const DepthwiseBf16Shape shape = {2, 48, Axis(9, 3, 1, 1, 1), Axis(9, 3, 1, 1, 1)};
  const std::vector<uint16_t> x = Bfloat16Values(XSize(shape), &rng, /*whole=*/false);
  const std::vector<uint16_t> dy = Bfloat16Values(DySize(shape), &rng, /*whole=*/false);
  std::vector<float> weights(static_cast<size_t>(shape.channels * Places(shape)));
  for (float& w : weights) w = static_cast<float>(rng.Normal());
  const Plain plain = PlainLoops(shape, x, dy, weights);
  const std::vector<uint16_t> dx = DataGradient(shape, 1, dy, weights);
  for (size_t i = 0; i < dx.size(); ++i) {
    // Half a unit in the last of eight bits, and what f32 sums lose.
    EXPECT_NEAR(FloatFromBfloat16(dx[i]), plain.dx[i], std::abs(plain.dx[i]) / 256 + 1e-5)
        << Line(shape, 1) << ", dx " << i;
  }
  const std::vector<float> dweights = WeightsGradient(shape, 2, x, dy);
  EXPECT_EQ(dweights, WeightsGradient(shape, 2, x, dy));
  for (size_t i = 0; i < dweights.size(); ++i) {
    EXPECT_NEAR(dweights[i], plain.dweights[i], 1e-4) << Line(shape, 2) << ", dweights " << i;
  }
}

TEST_F(DepthwiseBf16Test, ANanStaysInItsChannel) {
  Rng rng(kSeed);
  const DepthwiseBf16Shape shape = {2, 35, Axis(5, 3, 1, 1, 1), Axis(5, 3, 1, 1, 1)};
  const std::vector<uint16_t> x = Bfloat16Values(XSize(shape), &rng, /*whole=*/true);
  std::vector<uint16_t> dy = Bfloat16Values(DySize(shape), &rng, /*whole=*/true);
  const size_t channel = 33, pixel = 12;  // in the middle
  dy[pixel * 35 + channel] = Bfloat16FromFloat(std::numeric_limits<float>::quiet_NaN());
  const std::vector<float> weights(static_cast<size_t>(shape.channels * 9), 1.0f);
  const std::vector<float> dweights = WeightsGradient(shape, 1, x, dy);
  for (size_t i = 0; i < dweights.size(); ++i) {
    EXPECT_EQ(std::isnan(dweights[i]), i / 9 == channel) << i;
  }
  const std::vector<uint16_t> dx = DataGradient(shape, 1, dy, weights);
  for (size_t i = 0; i < dx.size(); ++i) {
    const size_t p = i / 35, row = p / 5, column = p % 5;
    const bool near = row >= 1 && row <= 3 && column >= 1 && column <= 3 && i % 35 == channel;
    EXPECT_EQ(std::isnan(FloatFromBfloat16(dx[i])), near) << i;
  }
}

TEST(DepthwiseBf16ShapeTest, WideKernelsAreNotSupported) {
  EXPECT_FALSE(DepthwiseBf16Supported({1, 1, Axis(9, 1, 1, 1, 0), Axis(9, 8, 1, 1, 0)}));
}

}  // namespace
}  // namespace frontier::worker
