#include "worker/engine/kernels/row_winograd.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "gtest/gtest.h"
#include "worker/engine/kernels/bfloat16.h"

namespace frontier::worker {
namespace {

constexpr uint64_t kSeed = 20240611;

std::string Line(const RowWinogradShape& s, int threads, uint64_t seed) {
  return absl::StrCat("seed ", seed, ": ",
                      s.element == RowWinogradElement::kFloat32 ? "f32 " : "bf16 ", s.batch, "x",
                      s.height, "x", s.width, "x", s.in_channels, " -> ", s.out_channels, ", ",
                      threads, " threads");
}

// A map in the element type of the shape, of exactly its size (so that AddressSanitizer guards it).
struct Map {
  Map(RowWinogradElement element_type, int64_t size) : element(element_type) {
    if (element == RowWinogradElement::kFloat32) {
      floats.resize(static_cast<size_t>(size));
    } else {
      halves.resize(static_cast<size_t>(size));
    }
  }
  Map(RowWinogradElement element_type, const std::vector<float>& values)
      : Map(element_type, static_cast<int64_t>(values.size())) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (element == RowWinogradElement::kFloat32) {
        floats[i] = values[i];
      } else {
        halves[i] = Bfloat16FromFloat(values[i]);
      }
    }
  }
  void* data() {
    return floats.empty() ? static_cast<void*>(halves.data()) : static_cast<void*>(floats.data());
  }
  std::vector<float> Values() const {
    if (element == RowWinogradElement::kFloat32) return floats;
    std::vector<float> values;
    for (const uint16_t half : halves) values.push_back(FloatFromBfloat16(half));
    return values;
  }

  RowWinogradElement element;
  std::vector<float> floats;
  std::vector<uint16_t> halves;
};

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

std::unique_ptr<void, Free> Scratch(const RowWinogradShape& shape, RowWinogradPass pass,
                                    int threads) {
  const size_t bytes = RowWinogradScratchBytes(shape, pass, threads);
  EXPECT_EQ(bytes % 64, 0u);
  void* memory = std::aligned_alloc(64, bytes);
  std::memset(memory, 0xff, bytes);  // NaNs: what scratch memory holds must not matter
  return std::unique_ptr<void, Free>(memory);
}

std::vector<float> Forward(const RowWinogradShape& shape, int threads, const std::vector<float>& x,
                           const std::vector<float>& weights, const RowWinogradSums& sums = {}) {
  Map in(shape.element, x);
  Map out(shape.element, shape.batch * shape.height * shape.width * shape.out_channels);
  const auto scratch = Scratch(shape, RowWinogradPass::kForward, threads);
  RowWinogradForward(shape, threads, in.data(), weights.data(), scratch.get(), out.data(), sums);
  return out.Values();
}

std::vector<float> BackwardData(const RowWinogradShape& shape, int threads,
                                const std::vector<float>& dy, const std::vector<float>& weights) {
  Map in(shape.element, dy);
  Map out(shape.element, shape.batch * shape.height * shape.width * shape.in_channels);
  const auto scratch = Scratch(shape, RowWinogradPass::kBackwardData, threads);
  RowWinogradBackwardData(shape, threads, in.data(), weights.data(), scratch.get(), out.data());
  return out.Values();
}

std::vector<float> BackwardWeights(const RowWinogradShape& shape, int threads,
                                   const std::vector<float>& x, const std::vector<float>& dy) {
  Map in(shape.element, x), gradient(shape.element, dy);
  std::vector<float> out(static_cast<size_t>(shape.in_channels * shape.out_channels * 9));
  const auto scratch = Scratch(shape, RowWinogradPass::kBackwardWeights, threads);
  RowWinogradBackwardWeights(shape, threads, in.data(), gradient.data(), scratch.get(), out.data());
  return out;
}

// Plain loops in double: the three passes of a convolution.
struct Plain {
  std::vector<double> y, dx, dweights;
};

Plain PlainLoops(const RowWinogradShape& s, const std::vector<float>& x,
                 const std::vector<float>& weights, const std::vector<float>& dy) {
  Plain plain;
  plain.y.resize(dy.size());
  plain.dx.resize(x.size());
  plain.dweights.resize(weights.size());
  const auto in = static_cast<size_t>(s.in_channels), out = static_cast<size_t>(s.out_channels);
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t h = 0; h < s.height; ++h) {
      for (int64_t w = 0; w < s.width; ++w) {
        for (int64_t tap = 0; tap < 9; ++tap) {
          const int64_t row = h + tap / 3 - 1, column = w + tap % 3 - 1;
          if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
          const size_t from = static_cast<size_t>((n * s.height + row) * s.width + column) * in;
          const size_t to = static_cast<size_t>((n * s.height + h) * s.width + w) * out;
          for (size_t o = 0; o < out; ++o) {
            for (size_t i = 0; i < in; ++i) {
              const size_t weight = (o * in + i) * 9 + static_cast<size_t>(tap);
              plain.y[to + o] += static_cast<double>(x[from + i]) * weights[weight];
              plain.dx[from + i] += static_cast<double>(dy[to + o]) * weights[weight];
              plain.dweights[weight] += static_cast<double>(dy[to + o]) * x[from + i];
            }
          }
        }
      }
    }
  }
  return plain;
}

std::vector<float> Values(int64_t count, const std::function<float()>& next) {
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = next();
  return values;
}

// Odd sizes, narrow and flat maps, odd batches, and maps larger than a block of the kernels.
std::vector<RowWinogradShape> Shapes(RowWinogradElement element, Rng* rng) {
  std::vector<RowWinogradShape> shapes = {
      {element, 1, 1, 1, 16, 16},   {element, 2, 1, 9, 16, 32},  {element, 3, 7, 1, 32, 16},
      {element, 1, 2, 3, 16, 16},   {element, 5, 5, 2, 16, 48},  {element, 2, 8, 8, 64, 16},
      {element, 1, 3, 130, 48, 16}, {element, 2, 61, 9, 64, 16}, {element, 1, 3, 300, 64, 32}};
  for (int i = 0; i < 12; ++i) {
    const auto draw = [&](uint64_t most) { return static_cast<int64_t>(1 + rng->Uniform(most)); };
    shapes.push_back({element, draw(6), draw(12), draw(12), 16 * draw(4), 16 * draw(4)});
  }
  return shapes;
}

class RowWinogradTest : public testing::TestWithParam<RowWinogradElement> {
 protected:
  void SetUp() override {
    if (!RowWinogradSupported({GetParam(), 1, 1, 1, 16, 16})) {
      GTEST_SKIP() << "this CPU has not the instructions";
    }
  }

  // As an output of that element type is stored.
  float Stored(double value) const {
    const float f = static_cast<float>(value);
    return GetParam() == RowWinogradElement::kFloat32 ? f : FloatFromBfloat16(Bfloat16FromFloat(f));
  }
};

// With these numbers every transformed value is exact in bf16 and every sum exact in f32, so that a
// wrong index cannot hide behind a tolerance.
TEST_P(RowWinogradTest, ExactOnSmallIntegers) {
  Rng rng(kSeed);
  int threads = 0;
  for (const RowWinogradShape& shape : Shapes(GetParam(), &rng)) {
    threads = threads % 3 + 1;
    SCOPED_TRACE(Line(shape, threads, kSeed));
    const int64_t pixels = shape.batch * shape.height * shape.width;
    const auto small = [&] { return static_cast<float>(rng.Uniform(5)) - 2; };
    const auto multiple = [&] { return 24 * small(); };
    const std::vector<float> x = Values(pixels * shape.in_channels, small);
    const std::vector<float> dy = Values(pixels * shape.out_channels, small);
    const std::vector<float> dy24 = Values(pixels * shape.out_channels, multiple);
    const std::vector<float> weights = Values(shape.in_channels * shape.out_channels * 9, multiple);
    const Plain plain = PlainLoops(shape, x, weights, dy);
    const Plain plain24 = PlainLoops(shape, x, weights, dy24);
    const std::vector<float> y = Forward(shape, threads, x, weights);
    for (size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], Stored(plain.y[i])) << "y " << i;
    const std::vector<float> dx = BackwardData(shape, threads, dy, weights);
    for (size_t i = 0; i < dx.size(); ++i) ASSERT_EQ(dx[i], Stored(plain.dx[i])) << "dx " << i;
    const std::vector<float> dweights = BackwardWeights(shape, threads, x, dy24);
    for (size_t i = 0; i < dweights.size(); ++i) {
      ASSERT_EQ(dweights[i], static_cast<float>(plain24.dweights[i])) << "dweights " << i;
    }
  }
}

// Root mean square of the differences over that of the right values.
double RelativeError(const std::vector<float>& values, const std::vector<double>& right) {
  double error = 0, size = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    error += (values[i] - right[i]) * (values[i] - right[i]);
    size += right[i] * right[i];
  }
  return std::sqrt(error / size);
}

TEST_P(RowWinogradTest, CloseToPlainLoopsOnRandomValues) {
  // Half a unit in the last place of a transformed value, times what the transforms amplify it by:
  // A^T, B^T and G of F(4,3) have condition numbers that multiply a relative error by about 4 on
  // average; 16 leaves room for the smallest maps, of which most columns are padding.
  const bool f32 = GetParam() == RowWinogradElement::kFloat32;
  const double tolerance = 16 * (f32 ? std::ldexp(1, -22) : std::ldexp(1, -9));
  Rng rng(kSeed + 1);
  int threads = 0;
  for (const RowWinogradShape& shape : Shapes(GetParam(), &rng)) {
    threads = threads % 3 + 1;
    SCOPED_TRACE(Line(shape, threads, kSeed + 1));
    const int64_t pixels = shape.batch * shape.height * shape.width;
    const auto exact = [&] { return Stored(rng.Normal()); };
    const std::vector<float> x = Values(pixels * shape.in_channels, exact);
    const std::vector<float> dy = Values(pixels * shape.out_channels, exact);
    const std::vector<float> weights = Values(shape.in_channels * shape.out_channels * 9,
                                              [&] { return static_cast<float>(rng.Normal()); });
    const Plain plain = PlainLoops(shape, x, weights, dy);
    EXPECT_LT(RelativeError(Forward(shape, threads, x, weights), plain.y), tolerance);
    EXPECT_LT(RelativeError(BackwardData(shape, threads, dy, weights), plain.dx), tolerance);
    EXPECT_LT(RelativeError(BackwardWeights(shape, threads, x, dy), plain.dweights), tolerance);
  }
}

TEST_P(RowWinogradTest, SumsOfTheStoredOutputs) {
  Rng rng(kSeed + 2);
  int threads = 0;
  for (const RowWinogradShape& shape : Shapes(GetParam(), &rng)) {
    threads = threads % 3 + 1;
    SCOPED_TRACE(Line(shape, threads, kSeed + 2));
    const int64_t pixels = shape.batch * shape.height * shape.width;
    const auto normal = [&] { return static_cast<float>(rng.Normal()); };
    const std::vector<float> x = Values(pixels * shape.in_channels, normal);
    const std::vector<float> weights = Values(shape.in_channels * shape.out_channels * 9, normal);
    const auto channels = static_cast<size_t>(shape.out_channels);
    std::vector<double> sum(channels, 1e9), squares(channels, 1e9);
    const std::vector<float> y = Forward(shape, threads, x, weights, {sum.data(), squares.data()});
    EXPECT_EQ(y, Forward(shape, threads, x, weights));
    for (size_t c = 0; c < channels; ++c) {
      double right = 0, absolute = 0, right_squares = 0;
      for (size_t i = c; i < y.size(); i += channels) {
        right += y[i];
        absolute += std::fabs(y[i]);
        right_squares += static_cast<double>(y[i]) * y[i];
      }
      // Sums of 16 values are f32, so 15 roundings and one of the square.
      EXPECT_NEAR(sum[c], right, 16 * std::ldexp(absolute, -24));
      EXPECT_NEAR(squares[c], right_squares, 16 * std::ldexp(right_squares, -24));
    }
  }
}

TEST_P(RowWinogradTest, SameThreadsSameBits) {
  Rng rng(kSeed + 3);
  const RowWinogradShape shape = {GetParam(), 5, 9, 11, 32, 48};
  const int64_t pixels = shape.batch * shape.height * shape.width;
  const auto normal = [&] { return static_cast<float>(rng.Normal()); };
  const std::vector<float> x = Values(pixels * shape.in_channels, normal);
  const std::vector<float> dy = Values(pixels * shape.out_channels, normal);
  const std::vector<float> weights = Values(shape.in_channels * shape.out_channels * 9, normal);
  const std::vector<float> y = Forward(shape, 1, x, weights);
  const std::vector<float> dx = BackwardData(shape, 1, dy, weights);
  for (const int threads : {1, 2, 3, 8}) {
    SCOPED_TRACE(Line(shape, threads, kSeed + 3));
    EXPECT_EQ(Forward(shape, threads, x, weights), y);  // for any number of threads
    EXPECT_EQ(BackwardData(shape, threads, dy, weights), dx);
    const std::vector<float> dweights = BackwardWeights(shape, threads, x, dy);
    for (int again = 0; again < 3; ++again) {
      EXPECT_EQ(BackwardWeights(shape, threads, x, dy), dweights);
    }
  }
}

TEST_P(RowWinogradTest, NanReachesWhatItShould) {
  const RowWinogradShape shape = {GetParam(), 2, 6, 10, 16, 16};
  const size_t pixels = 120;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> x(pixels * 16, 1), dy(pixels * 16, 1), weights(2304, 1);
  const size_t place = size_t{94} * 16 + 5;  // image 1, row 3, column 4, channel 5
  x[place] = nan;
  const std::vector<float> y = Forward(shape, 1, x, weights);
  const std::vector<float> dx = BackwardData(shape, 1, x, weights);
  const std::vector<float> dweights = BackwardWeights(shape, 1, x, dy);
  const std::vector<float> dweights_of_dy = BackwardWeights(shape, 1, dy, x);
  for (size_t n = 0; n < 2; ++n) {
    for (size_t h = 0; h < 6; ++h) {
      for (size_t w = 0; w < 10; ++w) {
        const bool near = n == 1 && h + 1 >= 3 && h <= 4 && w + 1 >= 4 && w <= 5;
        const bool far = n == 0 || h + 1 < 3 || h > 4;  // other rows and images are untouched
        for (size_t c = 0; c < 16; ++c) {
          const size_t i = ((n * 6 + h) * 10 + w) * 16 + c;
          if (near) {
            EXPECT_TRUE(std::isnan(y[i]) && std::isnan(dx[i])) << i;
          }
          if (far) {
            EXPECT_FALSE(std::isnan(y[i]) || std::isnan(dx[i])) << i;
          }
        }
      }
    }
  }
  for (size_t o = 0; o < 16; ++o) {
    for (size_t i = 0; i < 16; ++i) {
      for (size_t tap = 0; tap < 9; ++tap) {
        const size_t weight = (o * 16 + i) * 9 + tap;
        EXPECT_EQ(std::isnan(dweights[weight]), i == 5);
        EXPECT_EQ(std::isnan(dweights_of_dy[weight]), o == 5);
      }
    }
  }
  std::vector<float> bad_weights(2304, 1);
  bad_weights[size_t{55} * 9 + 4] = nan;  // output channel 3, input channel 7
  const std::vector<float> y_of_bad = Forward(shape, 1, dy, bad_weights);
  for (size_t i = 0; i < y_of_bad.size(); ++i) EXPECT_EQ(std::isnan(y_of_bad[i]), i % 16 == 3);
}

TEST_P(RowWinogradTest, Supported) {
  const RowWinogradShape shape = {GetParam(), 2, 3, 4, 32, 16};
  EXPECT_TRUE(RowWinogradSupported(shape));
  for (int64_t RowWinogradShape::*member :
       {&RowWinogradShape::batch, &RowWinogradShape::height, &RowWinogradShape::width,
        &RowWinogradShape::in_channels, &RowWinogradShape::out_channels}) {
    RowWinogradShape bad = shape;
    bad.*member = 0;
    EXPECT_FALSE(RowWinogradSupported(bad));
  }
  for (int64_t RowWinogradShape::*member :
       {&RowWinogradShape::in_channels, &RowWinogradShape::out_channels}) {
    RowWinogradShape bad = shape;
    bad.*member = 24;
    EXPECT_FALSE(RowWinogradSupported(bad));
  }
}

std::string ElementName(const testing::TestParamInfo<RowWinogradElement>& element) {
  return element.param == RowWinogradElement::kFloat32 ? "Float32" : "Bfloat16";
}

INSTANTIATE_TEST_SUITE_P(Elements, RowWinogradTest,
                         testing::Values(RowWinogradElement::kFloat32,
                                         RowWinogradElement::kBfloat16),
                         ElementName);

TEST(Bfloat16Test, RoundsToTheNearestEven) {
  EXPECT_EQ(Bfloat16FromFloat(1.0f), 0x3f80);
  EXPECT_EQ(Bfloat16FromFloat(1.0f + std::ldexp(1.0f, -8)), 0x3f80);
  EXPECT_EQ(Bfloat16FromFloat(1.0f + std::ldexp(3.0f, -8)), 0x3f82);
  EXPECT_EQ(Bfloat16FromFloat(1.0f + std::ldexp(1.01f, -8)), 0x3f81);
  EXPECT_EQ(Bfloat16FromFloat(-0.0f), 0x8000);
  EXPECT_EQ(Bfloat16FromFloat(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_EQ(Bfloat16FromFloat(-std::numeric_limits<float>::infinity()), 0xff80);
  for (const uint32_t bits : {0x7f800001u, 0x7fffffffu, 0xff800001u}) {
    float nan;
    std::memcpy(&nan, &bits, sizeof(nan));
    EXPECT_TRUE(std::isnan(FloatFromBfloat16(Bfloat16FromFloat(nan))));
  }
  for (uint32_t half = 0; half < 0x10000; ++half) {
    const float value = FloatFromBfloat16(static_cast<uint16_t>(half));
    if (std::isnan(value)) continue;
    EXPECT_EQ(Bfloat16FromFloat(value), half);
  }
}

}  // namespace
}  // namespace frontier::worker
