#include "worker/engine/kernels/tile_gradient.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/engine/convolution_cases.h"
#include "worker/engine/kernels/bfloat16.h"
#include "worker/engine/kernels/tile_gradient_kernels.h"

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

// The pieces in plain loops, so that the division of the work is tested on every machine.
uint16_t At(const uint16_t* map, int64_t channels, int64_t channel, int32_t place) {
  return place < 0 || channel >= channels ? uint16_t{0} : map[place * channels + channel];
}

tile_gradient::Kernels PlainKernels() {
  tile_gradient::Kernels kernels;
  kernels.begin = kernels.end = [] {};
  kernels.transpose = [](const uint16_t* map, int64_t channels, int64_t channel,
                         const int32_t* places, int64_t count, int64_t pitch, uint16_t* rows) {
    for (int64_t c = 0; c < 16; ++c) {
      for (int64_t i = 0; i < count; ++i) {
        rows[c * pitch + i] = At(map, channels, channel + c, places[i]);
      }
    }
  };
  kernels.pair = [](const uint16_t* map, int64_t channels, int64_t channel, const int32_t* places,
                    int64_t count, uint16_t* pairs) {
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t c = 0; c < 16; ++c) {
        pairs[i / 2 * 32 + 2 * c + i % 2] = At(map, channels, channel + c, places[i]);
      }
    }
  };
  kernels.multiply = [](int64_t rows, int64_t columns, const uint16_t* const* lefts, int64_t pitch,
                        const uint16_t* const* rights, int64_t depth, bool add, float* sums,
                        int64_t row_step) {
    for (int64_t tile = 0; tile < rows * columns; ++tile) {
      const int64_t r = tile / columns, c = tile % columns;
      for (int64_t at = 0; at < 256; ++at) {
        float* const to = sums + r * row_step + c * 256 + at;
        float sum = add ? *to : 0;
        for (int64_t i = 0; i < 32 * depth; ++i) {
          sum += FloatFromBfloat16(lefts[r][at / 16 * pitch + i]) *
                 FloatFromBfloat16(rights[c][i / 2 * 32 + at % 16 * 2 + i % 2]);
        }
        *to = sum;
      }
    }
  };
  return kernels;
}

std::vector<float> Gradient(const TileGradientShape& s, int threads, const std::vector<uint16_t>& x,
                            const std::vector<uint16_t>& dy,
                            const tile_gradient::Kernels& kernels = *tile_gradient::AmxKernels()) {
  const size_t bytes = TileGradientScratchBytes(s, threads);
  EXPECT_EQ(bytes % 64, 0u);
  const auto scratch = ScratchOfNans(bytes);
  std::vector<float> dweights(
      static_cast<size_t>(s.out_channels * s.in_channels * s.height.kernel * s.width.kernel));
  tile_gradient::Run(kernels, s, threads, x.data(), dy.data(), scratch.get(), dweights.data());
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
void ExpectExact(const std::vector<TileGradientShape>& shapes,
                 const tile_gradient::Kernels& kernels) {
  Rng rng(kSeed);
  int threads = 0;
  for (const TileGradientShape& shape : shapes) {
    threads = threads % 3 + 1;
    SCOPED_TRACE(Line(shape, threads));
    const std::vector<uint16_t> x = Bfloat16Values(XSize(shape), &rng, /*whole=*/true);
    const std::vector<uint16_t> dy = Bfloat16Values(DySize(shape), &rng, /*whole=*/true);
    const std::vector<float> dweights = Gradient(shape, threads, x, dy, kernels);
    const std::vector<double> plain = PlainGradient(shape, x, dy);
    for (size_t i = 0; i < dweights.size(); ++i) {
      ASSERT_EQ(double{dweights[i]}, plain[i]) << "dweights " << i;
    }
  }
}

TEST_F(TileGradientTest, ExactOnSmallIntegers) {
  Rng rng(kSeed);
  const std::vector<TileGradientShape> shapes = Shapes(&rng);
  for (const TileGradientShape& shape : shapes) EXPECT_TRUE(TileGradientSupported(shape));
  ExpectExact(shapes, *tile_gradient::AmxKernels());
}

TEST(TileGradientDivisionTest, ExactOnSmallIntegersOnAnyMachine) {
  Rng rng(kSeed);
  std::vector<TileGradientShape> shapes = Shapes(&rng);
  // Plain loops take their time; one image of many strips is enough.
  for (TileGradientShape& shape : shapes) {
    if (shape.height.in > 50) shape = {1, 96, 16, shape.height, Axis(20, 3, 1, 1, 1)};
    shape.batch = std::min<int64_t>(shape.batch, 20);
  }
  ExpectExact(shapes, PlainKernels());
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
