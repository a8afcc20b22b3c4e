// Kernels over narrow numbers against plain loops.
#include "worker/engine/kernels/number_format.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "common/base/random.h"
#include "gtest/gtest.h"

namespace frontier::worker {
namespace {

const NumberFormat kFormats[] = {{NumberType::kF32, 1},
                                 {NumberType::kBf16, 1},
                                 {NumberType::kS8, 0.037f},
                                 {NumberType::kU8, 0.021f}};

// Below, at and above a vector and a piece, and what several threads are worth.
constexpr int64_t kCounts[] = {1, 15, 16, 17, 511, 512, 513, 1100, 40001};

// Memory of `count` numbers.
struct Array {
  Array(const NumberFormat& f, int64_t count)
      : format(f), bytes(static_cast<size_t>(count * f.bytes())) {}
  Numbers numbers() { return {format, bytes.data()}; }
  NumberFormat format;
  std::vector<uint8_t> bytes;
};

// What number `i` of the array stands for.
float At(const Array& array, int64_t i) {
  const uint8_t* p = array.bytes.data() + i * array.format.bytes();
  switch (array.format.type) {
    case NumberType::kF32: {
      float v = 0;
      std::memcpy(&v, p, sizeof(v));
      return v;
    }
    case NumberType::kBf16: {
      const uint32_t bits = static_cast<uint32_t>(p[0]) << 16 | static_cast<uint32_t>(p[1]) << 24;
      float v = 0;
      std::memcpy(&v, &bits, sizeof(v));
      return v;
    }
    case NumberType::kS8:
      return static_cast<float>(static_cast<int8_t>(*p)) * array.format.scale;
    case NumberType::kU8:
      return static_cast<float>(*p) * array.format.scale;
  }
  return 0;
}

// The farthest that the nearest number of the format may be from `v`.
double Spacing(const NumberFormat& format, double v) {
  switch (format.type) {
    case NumberType::kF32:
      return 0;
    case NumberType::kBf16:
      return std::fabs(v) / 256;  // 8 bits of mantissa, so half of 2^-7
    default:
      return 0.5 * double{format.scale} * (1 + 1e-4);
  }
}

double Clipped(const NumberFormat& format, double v) {
  if (format.type == NumberType::kS8) {
    return std::clamp(v, -127.0 * double{format.scale}, 127.0 * double{format.scale});
  }
  if (format.type == NumberType::kU8) return std::clamp(v, 0.0, 255.0 * double{format.scale});
  return v;
}

void ExpectNearest(const Array& out, int64_t i, double wanted) {
  const double v = Clipped(out.format, wanted);
  ASSERT_NEAR(At(out, i), v, Spacing(out.format, v) + 1e-5 * (1 + std::fabs(v)))
      << "number " << i << " of type " << static_cast<int>(out.format.type);
}

Array RandomArray(const NumberFormat& format, int64_t count, Rng* rng) {
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = static_cast<float>(2 * rng->Normal());
  Array array(format, count);
  FromFloat(format, values.data(), count, array.bytes.data());
  return array;
}

TEST(NumberFormatTest, RoundsToTheNearestAndClips) {
  for (const int64_t count : kCounts) {
    Rng rng(1, static_cast<uint64_t>(count));
    std::vector<float> values(static_cast<size_t>(count));
    for (float& v : values) v = static_cast<float>(3 * rng.Normal());
    for (const NumberFormat& format : kFormats) {
      Array array(format, count);
      FromFloat(format, values.data(), count, array.bytes.data());
      std::vector<float> back(values.size());
      ToFloat(format, array.bytes.data(), count, back.data());
      for (int64_t i = 0; i < count; ++i) {
        ExpectNearest(array, i, values[static_cast<size_t>(i)]);
        ASSERT_EQ(back[static_cast<size_t>(i)], At(array, i));
      }
    }
  }
}

TEST(NumberFormatTest, HalvesGoToEven) {
  const float values[] = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 126.5f, 127.5f, -127.5f};
  int8_t out[9] = {};
  FromFloat({NumberType::kS8, 1}, values, 9, out);
  const int8_t wanted[] = {0, 2, 2, 0, -2, -2, 126, 127, -127};
  for (int i = 0; i < 9; ++i) EXPECT_EQ(out[i], wanted[i]) << values[i];
  // Between 1 and the next number of bf16, 1 + 2^-7, and between that and the one after.
  const float ties[] = {1 + 0x1p-8f, 1 + 0x3p-8f};
  uint16_t narrow[2] = {};
  float back[2] = {};
  FromFloat({NumberType::kBf16, 1}, ties, 2, narrow);
  ToFloat({NumberType::kBf16, 1}, narrow, 2, back);
  EXPECT_EQ(back[0], 1);
  EXPECT_EQ(back[1], 1 + 0x1p-6f);
}

TEST(NumberFormatTest, WhatIsNotFinite) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float values[] = {infinity, -infinity, std::numeric_limits<float>::quiet_NaN()};
  int8_t s8[3] = {};
  FromFloat({NumberType::kS8, 0.5f}, values, 3, s8);
  EXPECT_EQ(s8[0], 127);
  EXPECT_EQ(s8[1], -127);
  uint16_t narrow[3] = {};
  float back[3] = {};
  FromFloat({NumberType::kBf16, 1}, values, 3, narrow);
  ToFloat({NumberType::kBf16, 1}, narrow, 3, back);
  EXPECT_EQ(back[0], infinity);
  EXPECT_EQ(back[1], -infinity);
  EXPECT_TRUE(std::isnan(back[2]));
}

TEST(NumberFormatTest, ConvertBetweenAllFormats) {
  Rng rng(2);
  for (const int64_t count : kCounts) {
    for (const NumberFormat& from : kFormats) {
      Array in = RandomArray(from, count, &rng);
      for (const NumberFormat& to : kFormats) {
        Array out(to, count);
        Convert(in.numbers(), count, out.numbers());
        for (int64_t i = 0; i < count; ++i) ExpectNearest(out, i, At(in, i));
      }
    }
  }
}

TEST(NumberFormatTest, AddAndMultiplyMixedFormatsApartAndInPlace) {
  Rng rng(3);
  for (const int64_t count : {int64_t{1}, int64_t{513}, int64_t{40001}}) {
    for (const NumberFormat& to : kFormats) {
      for (const bool relu : {false, true}) {
        std::vector<Array> inputs;
        for (const NumberFormat& from : kFormats) inputs.push_back(RandomArray(from, count, &rng));
        std::vector<Numbers> numbers;
        for (Array& input : inputs) numbers.push_back(input.numbers());
        Array sum(to, count), product(to, count);
        AddNumbers(numbers, count, relu, sum.numbers());
        MultiplyNumbers(numbers[1], numbers[2], count, product.numbers());
        for (int64_t i = 0; i < count; ++i) {
          double wanted = 0;
          for (const Array& input : inputs) wanted += At(input, i);
          ExpectNearest(sum, i, relu ? std::max(wanted, 0.0) : wanted);
          ExpectNearest(product, i, double{At(inputs[1], i)} * At(inputs[2], i));
        }
        // Into the memory of an input with numbers of the same size.
        for (Array& input : inputs) {
          if (input.format.bytes() != to.bytes()) continue;
          const std::vector<uint8_t> before = input.bytes;
          AddNumbers(numbers, count, relu, {to, input.bytes.data()});
          EXPECT_EQ(input.bytes, sum.bytes);
          input.bytes = before;
        }
      }
    }
  }
}

TEST(NumberFormatTest, GateAndAverageWithChannelsLast) {
  Rng rng(4);
  for (const int64_t channels : {1, 7, 16, 600}) {
    for (const int64_t positions : {1, 6, 49}) {
      const int64_t batch = 2, count = batch * positions * channels;
      for (const NumberFormat& from : kFormats) {
        Array x = RandomArray(from, count, &rng);
        std::vector<float> gate(static_cast<size_t>(batch * channels));
        for (float& v : gate) v = static_cast<float>(rng.UniformDouble());
        for (const NumberFormat& to : kFormats) {
          Array gated(to, count), means(to, batch * channels);
          GateNumbers(x.numbers(), gate.data(), batch, positions, channels, gated.numbers());
          AverageNumbers(x.numbers(), batch, positions, channels, means.numbers());
          for (int64_t n = 0; n < batch; ++n) {
            for (int64_t c = 0; c < channels; ++c) {
              double sum = 0;
              for (int64_t p = 0; p < positions; ++p) {
                const int64_t i = (n * positions + p) * channels + c;
                ExpectNearest(gated, i,
                              double{At(x, i)} * gate[static_cast<size_t>(n * channels + c)]);
                sum += At(x, i);
              }
              ExpectNearest(means, n * channels + c, sum / static_cast<double>(positions));
            }
          }
        }
      }
    }
  }
}

TEST(NumberFormatTest, ConcatPutsChannelsBesideEachOther) {
  const std::vector<uint8_t> a = {1, 2, 3, 4, 5, 6}, b = {7, 8, 9};
  std::vector<uint8_t> out(9);
  const std::vector<ConcatPart> parts = {{a.data(), 2}, {b.data(), 1}};
  ConcatChannels(parts, 3, out.data());
  EXPECT_EQ(out, (std::vector<uint8_t>{1, 2, 7, 3, 4, 8, 5, 6, 9}));
}

TEST(NumberFormatTest, SliceTakesARangeOfEachPosition) {
  const std::vector<uint8_t> x = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  std::vector<uint8_t> out(6);
  SliceBytes(x.data(), /*positions=*/3, /*whole=*/4, {1, 2}, out.data());
  EXPECT_EQ(out, (std::vector<uint8_t>{2, 3, 6, 7, 10, 11}));
}

}  // namespace
}  // namespace frontier::worker
