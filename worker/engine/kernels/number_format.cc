#include "worker/engine/kernels/number_format.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "worker/engine/kernels/elementwise.h"
#include "worker/engine/kernels/parallel.h"

namespace frontier::worker {
namespace {

// Values worked on at a time: they stay in the first-level cache.
constexpr int64_t kPiece = 512;

FRONTIER_VECTOR_CLONES
void Bf16ToFloat(const uint16_t* in, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) out[i] = std::bit_cast<float>(uint32_t{in[i]} << 16);
}

FRONTIER_VECTOR_CLONES
void FloatToBf16(const float* in, int64_t count, uint16_t* out) {
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t bits = std::bit_cast<uint32_t>(in[i]);
    const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
    out[i] = static_cast<uint16_t>(nan ? (bits >> 16) | 0x40u : rounded);
  }
}

template <typename T>
inline __attribute__((always_inline)) void Dequantize(const T* in, float scale, int64_t count,
                                                      float* out) {
  for (int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(in[i]) * scale;
}

template <typename T>
inline __attribute__((always_inline)) void Quantize(const float* in, float factor, float low,
                                                    float high, int64_t count, T* out) {
  // Adding it leaves no bits for fractions: the nearest integer, halves to even.
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23
  for (int64_t i = 0; i < count; ++i) {
    float q = in[i] * factor;
    q = q < high ? q : high;  // NaN becomes `high`
    q = q > low ? q : low;
    out[i] = static_cast<T>(static_cast<int32_t>((q + kRound) - kRound));
  }
}

FRONTIER_VECTOR_CLONES
void S8ToFloat(const int8_t* in, float scale, int64_t count, float* out) {
  Dequantize(in, scale, count, out);
}

FRONTIER_VECTOR_CLONES
void U8ToFloat(const uint8_t* in, float scale, int64_t count, float* out) {
  Dequantize(in, scale, count, out);
}

FRONTIER_VECTOR_CLONES
void FloatToS8(const float* in, float factor, int64_t count, int8_t* out) {
  Quantize(in, factor, -kS8Limit, kS8Limit, count, out);
}

FRONTIER_VECTOR_CLONES
void FloatToU8(const float* in, float factor, int64_t count, uint8_t* out) {
  Quantize(in, factor, 0, kU8Limit, count, out);
}

FRONTIER_VECTOR_CLONES
void AddTo(const float* x, int64_t count, float* sum) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) sum[i] += x[i];
}

FRONTIER_VECTOR_CLONES
void MultiplyBy(const float* x, int64_t count, float* product) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) product[i] *= x[i];
}

FRONTIER_VECTOR_CLONES
void ScaleBy(float factor, int64_t count, float* x) {
  for (int64_t i = 0; i < count; ++i) x[i] *= factor;
}

const void* At(const Numbers& numbers, int64_t i) {
  return static_cast<const char*>(numbers.data) + i * numbers.format.bytes();
}

void* MutableAt(const Numbers& numbers, int64_t i) {
  return static_cast<char*>(numbers.data) + i * numbers.format.bytes();
}

// Calls `work(begin, n, values)` for each piece of [0, count); `values` has room for n floats.
template <typename Work>
void ForPieces(int64_t count, const Work& work) {
  ParallelRanges(count, [&](int64_t begin, int64_t end) {
    alignas(64) float values[kPiece];
    for (int64_t i = begin; i < end; i += kPiece) work(i, std::min(kPiece, end - i), values);
  });
}

}  // namespace

void ToFloat(const NumberFormat& format, const void* in, int64_t count, float* out) {
  switch (format.type) {
    case NumberType::kF32:
      std::memmove(out, in, static_cast<size_t>(count) * sizeof(float));
      return;
    case NumberType::kBf16:
      return Bf16ToFloat(static_cast<const uint16_t*>(in), count, out);
    case NumberType::kS8:
      return S8ToFloat(static_cast<const int8_t*>(in), format.scale, count, out);
    case NumberType::kU8:
      return U8ToFloat(static_cast<const uint8_t*>(in), format.scale, count, out);
  }
}

void FromFloat(const NumberFormat& format, const float* in, int64_t count, void* out) {
  switch (format.type) {
    case NumberType::kF32:
      std::memmove(out, in, static_cast<size_t>(count) * sizeof(float));
      return;
    case NumberType::kBf16:
      return FloatToBf16(in, count, static_cast<uint16_t*>(out));
    case NumberType::kS8:
      return FloatToS8(in, 1 / format.scale, count, static_cast<int8_t*>(out));
    case NumberType::kU8:
      return FloatToU8(in, 1 / format.scale, count, static_cast<uint8_t*>(out));
  }
}

void Convert(const Numbers& in, int64_t count, const Numbers& out) {
  ForPieces(count, [&](int64_t i, int64_t n, float* values) {
    if (in.format.type == NumberType::kF32) {
      FromFloat(out.format, static_cast<const float*>(At(in, i)), n, MutableAt(out, i));
    } else {
      ToFloat(in.format, At(in, i), n, values);
      FromFloat(out.format, values, n, MutableAt(out, i));
    }
  });
}

void AddNumbers(absl::Span<const Numbers> inputs, int64_t count, bool relu, const Numbers& out) {
  ForPieces(count, [&](int64_t i, int64_t n, float* sum) {
    alignas(64) float values[kPiece];
    ToFloat(inputs[0].format, At(inputs[0], i), n, sum);
    for (const Numbers& input : inputs.subspan(1)) {
      ToFloat(input.format, At(input, i), n, values);
      AddTo(values, n, sum);
    }
    // A quantized format without negative numbers clips them anyway.
    if (relu && out.format.type != NumberType::kU8) Relu(sum, n, sum);
    FromFloat(out.format, sum, n, MutableAt(out, i));
  });
}

void MultiplyNumbers(const Numbers& a, const Numbers& b, int64_t count, const Numbers& out) {
  ForPieces(count, [&](int64_t i, int64_t n, float* product) {
    alignas(64) float values[kPiece];
    ToFloat(a.format, At(a, i), n, product);
    ToFloat(b.format, At(b, i), n, values);
    MultiplyBy(values, n, product);
    FromFloat(out.format, product, n, MutableAt(out, i));
  });
}

void GateNumbers(const Numbers& x, const float* gate, int64_t batch, int64_t positions,
                 int64_t channels, const Numbers& out) {
  const int64_t sample = positions * channels;
  ForPieces(batch * sample, [&](int64_t begin, int64_t count, float* values) {
    ToFloat(x.format, At(x, begin), count, values);
    for (int64_t i = begin; i < begin + count;) {
      const int64_t channel = i % channels;
      const int64_t n = std::min(channels - channel, begin + count - i);
      MultiplyBy(gate + i / sample * channels + channel, n, values + (i - begin));
      i += n;
    }
    FromFloat(out.format, values, count, MutableAt(out, begin));
  });
}

void AverageNumbers(const Numbers& x, int64_t batch, int64_t positions, int64_t channels,
                    const Numbers& out) {
  // Each piece of channels of a sample is summed over the positions in their order.
  const int64_t pieces = (channels + kPiece - 1) / kPiece;
  const float share = 1 / static_cast<float>(positions);
  const auto average = [&](int64_t task) {
    const int64_t sample = task / pieces, first = task % pieces * kPiece;
    const int64_t n = std::min(kPiece, channels - first);
    alignas(64) float sum[kPiece], values[kPiece];
    std::fill_n(sum, n, 0.0f);
    for (int64_t p = 0; p < positions; ++p) {
      ToFloat(x.format, At(x, (sample * positions + p) * channels + first), n, values);
      AddTo(values, n, sum);
    }
    ScaleBy(share, n, sum);
    FromFloat(out.format, sum, n, MutableAt(out, sample * channels + first));
  };
  const int64_t tasks = batch * pieces;
  if (tasks == 1) return average(0);
#pragma omp parallel for schedule(static)
  for (int64_t task = 0; task < tasks; ++task) average(task);
}

void ConcatChannels(absl::Span<const ConcatPart> inputs, int64_t positions, void* out) {
  int64_t width = 0;
  for (const ConcatPart& input : inputs) width += input.bytes;
  ParallelRanges(positions, [&](int64_t begin, int64_t end) {
    int64_t offset = 0;
    for (const ConcatPart& input : inputs) {
      const char* from = static_cast<const char*>(input.data) + begin * input.bytes;
      char* to = static_cast<char*>(out) + begin * width + offset;
      for (int64_t p = begin; p < end; ++p) {
        std::memcpy(to, from, static_cast<size_t>(input.bytes));
        from += input.bytes;
        to += width;
      }
      offset += input.bytes;
    }
  });
}

void SliceBytes(const void* x, int64_t positions, int64_t whole, const ByteRange& range,
                void* out) {
  ParallelRanges(positions, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      std::memcpy(static_cast<char*>(out) + p * range.bytes,
                  static_cast<const char*>(x) + p * whole + range.first,
                  static_cast<size_t>(range.bytes));
    }
  });
}

}  // namespace frontier::worker
