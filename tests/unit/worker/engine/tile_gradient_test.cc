#include "worker/engine/kernels/tile_gradient.h"

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

constexpr uint64_t kSeed = 20261128;

std::string Line(const TileGradientShape& s, int threads) {
  return absl::StrCat("seed ", kSeed, ": ", s.batch, " images, ", s.in_channels, " to ",
                      s.out_channels, " channels, height ", Text(s.height), ", width ",
                      Text(s.width), ", ", threads, " threads");
}

int64_t XSize(const TileGradientShape& s) {
  return s.batch * s.height.in * s.width.in * s.in_channels;
}
int64_t DySize(const TileGradientShape& s) {
  return s.batch * s.height.out * s.width.out * s.out_channels;
}

std::vector<float> Gradient(const TileGradientShape& s, int threads, const std::vector<uint16_t>& x,
                            const std::vector<uint16_t>& dy) {
  const size_t bytes = TileGradientScratchBytes(s, threads);
  EXPECT_EQ(bytes % 64, 0u);
  const auto scratch = ScratchOfNans(bytes);
  std::vector<float> dweights(
      static_cast<size_t>(s.out_channels * s.in_channels * s.height.kernel * s.width.kernel));
  TileGradient(s, threads, x.data(), dy.data(), scratch.get(), dweights.data());
  return dweights;
}

// Plain loops in double.
std::vector<double> PlainGradient(const TileGradientShape& s, const std::vector<uint16_t>& x,
                                  const std::vector<uint16_t>& dy) {
  const ConvolutionAxis &h = s.height, &w = s.width;
  const int64_t taps = h.kernel * w.kernel;
  std::vector<double> dweights(static_cast<size_t>(s.out_channels * s.in_channels * taps));
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t pixel = 0; pixel < h.out * w.out; ++pixel) {
      for (int64_t tap = 0; tap < taps; ++tap) {
        const int64_t row = pixel / w.out * h.stride + tap / w.kernel * h.dilation - h.padding;
        const int64_t column = pixel % w.out * w.stride + tap % w.kernel * w.dilation - w.padding;
        if (row < 0 || row >= h.in || column < 0 || column >= w.in) continue;
        const uint16_t* const from = x.data() + ((n * h.in + row) * w.in + column) * s.in_channels;
        const uint16_t* const by = dy.data() + (n * h.out * w.out + pixel) * s.out_channels;
        for (int64_t o = 0; o < s.out_channels; ++o) {
          for (int64_t i = 0; i < s.in_channels; ++i) {
            dweights[static_cast<size_t>((o * s.in_channels + i) * taps + tap)] +=
                double{FloatFromBfloat16(from[i])} * FloatFromBfloat16(by[o]);
          }
        }
      }
    }
  }
  return dweights;
}

// Strides that leave elements out, paddings beyond the kernel, one pixel, channels that fill no
// tile, images of several strips, and batches that fill no group.
std::vector<TileGradientShape> Shapes(Rng* rng) {
  std::vector<TileGradientShape> shapes = {{1, 1, 1, Axis(1, 1, 1, 1, 0), Axis(1, 1, 1, 1, 0)},
                                           {3, 16, 16, Axis(28, 3, 1, 1, 1), Axis(28, 3, 1, 1, 1)},
                                           {5, 24, 40, Axis(14, 1, 1, 1, 0), Axis(14, 1, 1, 1, 0)},
                                           {4, 32, 64, Axis(14, 1, 2, 1, 0), Axis(14, 1, 2, 1, 0)},
                                           {7, 16, 32, Axis(28, 3, 2, 1, 1), Axis(27, 3, 2, 1, 1)},
                                           {2, 33, 17, Axis(9, 5, 1, 2, 4), Axis(11, 5, 1, 1, 2)},
                                           {2, 3, 80, Axis(1, 1, 1, 1, 0), Axis(200, 9, 4, 1, 4)},
                                           {2, 16, 16, Axis(3, 1, 5, 1, 0), Axis(2, 2, 3, 1, 2)},
                                           {2, 96, 48, Axis(96, 3, 1, 1, 1), Axis(96, 3, 1, 1, 1)},
                                           {130, 64, 64, Axis(7, 3, 1, 1, 1), Axis(7, 3, 1, 1, 1)}};
  const auto draw = [&](uint64_t most) { return static_cast<int64_t>(1 + rng->Uniform(most)); };
  for (int i = 0; i < 40; ++i) {
    shapes.push_back({draw(9), draw(70), draw(70), RandomAxis(rng), RandomAxis(rng)});
  }
  return shapes;
}

class TileGradientTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!TileGradientSupported({1, 16, 16, Axis(1, 1, 1, 1, 0), Axis(1, 1, 1, 1, 0)})) {
      GTEST_SKIP() << "this machine has no matrix units";
    }
  }
};

// Every sum of small whole numbers is exact, so that a wrong index cannot hide behind a tolerance.
TEST_F(TileGradientTest, ExactOnSmallIntegers) {
  Rng rng(kSeed);
  int threads = 0;
  for (const TileGradientShape& shape : Shapes(&rng)) {
    threads = threads % 3 + 1;
    SCOPED_TRACE(Line(shape, threads));
    ASSERT_TRUE(TileGradientSupported(shape));
    const std::vector<uint16_t> x = Bfloat16Values(XSize(shape), &rng, /*whole=*/true);
    const std::vector<uint16_t> dy = Bfloat16Values(DySize(shape), &rng, /*whole=*/true);
    const std::vector<float> dweights = Gradient(shape, threads, x, dy);
    const std::vector<double> plain = PlainGradient(shape, x, dy);
    for (size_t i = 0; i < dweights.size(); ++i) {
      ASSERT_EQ(double{dweights[i]}, plain[i]) << "dweights " << i;
    }
  }
}

TEST_F(TileGradientTest, IsAsExactAsF32Sums) {
  Rng rng(kSeed);
  const TileGradientShape shape = {128, 16, 16, Axis(28, 3, 1, 1, 1), Axis(28, 3, 1, 1, 1)};
  const std::vector<uint16_t> x = Bfloat16Values(XSize(shape), &rng, /*whole=*/false);
  const std::vector<uint16_t> dy = Bfloat16Values(DySize(shape), &rng, /*whole=*/false);
  const std::vector<float> dweights = Gradient(shape, 1, x, dy);
  const std::vector<double> plain = PlainGradient(shape, x, dy);
  double error = 0, square = 0;
  for (size_t i = 0; i < dweights.size(); ++i) {
    error += (dweights[i] - plain[i]) * (dweights[i] - plain[i]);
    square += plain[i] * plain[i];
  }
  EXPECT_LT(std::sqrt(error / square), 1e-5) << Line(shape, 1);
}

TEST_F(TileGradientTest, RepeatsBitForBit) {
  Rng rng(kSeed);
  const TileGradientShape shape = {37, 24, 40, Axis(14, 3, 1, 1, 1), Axis(14, 3, 2, 1, 1)};
  const std::vector<uint16_t> x = Bfloat16Values(XSize(shape), &rng, /*whole=*/false);
  const std::vector<uint16_t> dy = Bfloat16Values(DySize(shape), &rng, /*whole=*/false);
  for (int threads = 1; threads <= 3; ++threads) {
    EXPECT_EQ(Gradient(shape, threads, x, dy), Gradient(shape, threads, x, dy))
        << Line(shape, threads);
  }
}

TEST_F(TileGradientTest, ANanIsSeen) {
  Rng rng(kSeed);
  const TileGradientShape shape = {3, 16, 16, Axis(7, 3, 1, 1, 1), Axis(7, 3, 1, 1, 1)};
  std::vector<uint16_t> x = Bfloat16Values(XSize(shape), &rng, /*whole=*/true);
  const std::vector<uint16_t> dy = Bfloat16Values(DySize(shape), &rng, /*whole=*/true);
  const size_t channel = 5;
  x[7 * 3 * 16 + channel] = Bfloat16FromFloat(std::numeric_limits<float>::quiet_NaN());
  const std::vector<float> dweights = Gradient(shape, 1, x, dy);
  for (size_t out = 0; out < 16; ++out) {
    for (size_t in = 0; in < 16; ++in) {
      // The middle of the kernel looks at every pixel.
      EXPECT_EQ(std::isnan(dweights[(out * 16 + in) * 9 + 4]), in == channel) << out << " " << in;
    }
  }
}

}  // namespace
}  // namespace frontier::worker
