#include "worker/engine/kernels/depthwise_u8.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "gtest/gtest.h"
#include "worker/engine/arena.h"

namespace frontier::worker {
namespace {

struct Layer {
  std::vector<int8_t> weights;
  std::vector<float> scales, biases;
};

Layer RandomLayer(int64_t channels, Rng* rng) {
  Layer layer;
  for (int64_t i = 0; i < channels * 9; ++i) {
    layer.weights.push_back(static_cast<int8_t>(static_cast<int>(rng->Uniform(255)) - 127));
  }
  for (int64_t c = 0; c < channels; ++c) {
    layer.scales.push_back(static_cast<float>(0.0005 + 0.002 * rng->UniformDouble()));
    layer.biases.push_back(static_cast<float>(40 * rng->Normal()));
  }
  return layer;
}

// The values before they are rounded and clipped.
std::vector<double> PlainLoops(const DepthwiseU8Shape& s, const Layer& layer,
                               const std::vector<uint8_t>& x) {
  std::vector<double> y;
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t oy = 0; oy < s.out_height(); ++oy) {
      for (int64_t ox = 0; ox < s.out_width(); ++ox) {
        for (int64_t c = 0; c < s.channels; ++c) {
          int64_t sum = 0;
          for (int64_t k = 0; k < 9; ++k) {
            const int64_t iy = oy * s.stride - 1 + k / 3, ix = ox * s.stride - 1 + k % 3;
            if (iy < 0 || iy >= s.height || ix < 0 || ix >= s.width) continue;
            sum +=
                int64_t{
                    x[static_cast<size_t>(((n * s.height + iy) * s.width + ix) * s.channels + c)]} *
                layer.weights[static_cast<size_t>(c * 9 + k)];
          }
          y.push_back(static_cast<double>(sum) * double{layer.scales[static_cast<size_t>(c)]} +
                      double{layer.biases[static_cast<size_t>(c)]});
        }
      }
    }
  }
  return y;
}

TEST(DepthwiseU8Test, EqualsPlainLoops) {
  if (!DepthwiseU8Supported()) GTEST_SKIP() << "this CPU has no AVX-512 VNNI";
  const int threads_before = omp_get_max_threads();
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Rng rng(seed);
    DepthwiseU8Shape s;
    s.batch = 1 + static_cast<int64_t>(rng.Uniform(3));
    s.height = 1 + static_cast<int64_t>(rng.Uniform(9));
    s.width = 1 + static_cast<int64_t>(rng.Uniform(9));
    s.stride = 1 + static_cast<int>(rng.Uniform(2));
    const int64_t widths[] = {1,  16, 63,  64,
                              65, 96, 128, 1 + static_cast<int64_t>(rng.Uniform(200))};
    s.channels = widths[rng.Uniform(8)];
    if (seed > 55) s = {2, 40, 41, 70, 1 + static_cast<int>(seed % 2)};  // worth several threads
    SCOPED_TRACE("seed " + std::to_string(seed) + " batch " + std::to_string(s.batch) + " map " +
                 std::to_string(s.height) + "x" + std::to_string(s.width) + " channels " +
                 std::to_string(s.channels) + " stride " + std::to_string(s.stride));
    const Layer layer = RandomLayer(s.channels, &rng);
    std::vector<uint8_t> x(static_cast<size_t>(s.batch * s.height * s.width * s.channels));
    for (uint8_t& v : x) v = static_cast<uint8_t>(rng.Uniform(256));
    AlignedBuffer packed =
        AlignedBuffer::Create(DepthwiseU8PackedBytes(s.channels), "weights").value();
    PackDepthwiseU8(layer.weights, layer.scales, layer.biases, packed.data());
    const std::vector<double> wanted = PlainLoops(s, layer, x);
    const DepthwiseU8Output outputs[] = {{}, {false, 0, 57}, {true, -128, 127}, {true, 0, 100}};
    for (const DepthwiseU8Output& output : outputs) {
      std::vector<uint8_t> y(wanted.size() + 1, 77);
      omp_set_num_threads(seed % 3 == 0 ? 2 : 1);
      DepthwiseU8(s, output, x.data(), packed.data(), y.data());
      EXPECT_EQ(y.back(), 77) << "written behind the end";
      const double low = std::max<double>(output.is_signed ? -128 : 0, output.low);
      const double high = std::min<double>(output.is_signed ? 127 : 255, output.high);
      for (size_t i = 0; i < wanted.size(); ++i) {
        const int got = output.is_signed ? static_cast<int8_t>(y[i]) : y[i];
        // Half a step, and what f32 loses of values up to 1,000.
        ASSERT_NEAR(got, std::clamp(wanted[i], low, high), 0.5 + 1e-3) << "value " << i;
      }
    }
  }
  omp_set_num_threads(threads_before);
}

}  // namespace
}  // namespace frontier::worker
