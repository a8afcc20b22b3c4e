#include "worker/engine/kernels/depthwise_u8.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "worker/engine/kernels/parallel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the undefined operands within its own intrinsics for a mistake of their callers.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#endif

namespace frontier::worker {
namespace {

// Channels of a block: the bytes of a vector. Its weights are twelve vectors, one for each column
// of the kernel and quarter of the block; its scales and its biases four each.
constexpr int64_t kBlock = 64;
constexpr int64_t kWeightBytes = 12 * 64;
constexpr int64_t kBlockBytes = kWeightBytes + 8 * 64;

// The channel within a block of the `i`th 32-bit number of the quarter `q`: what is left by
// interleaving bytes, which works on each 16 bytes by themselves.
int64_t ChannelOf(int64_t q, int64_t i) { return i / 4 * 16 + q * 4 + i % 4; }

#if defined(__x86_64__)

#define FRONTIER_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define FRONTIER_VNNI_INLINE FRONTIER_VNNI __attribute__((always_inline)) inline

// One column of three rows: each 32-bit number has a channel's bytes of the rows and a zero.
struct Column {
  __m512i quarters[4];
};

// Where the three rows begin; null for one in the padding.
struct Rows {
  const uint8_t* begin[3];
};

template <bool kPart>
FRONTIER_VNNI_INLINE __m512i LoadBytes(const uint8_t* p, __mmask64 mask) {
  if (p == nullptr) return _mm512_setzero_si512();
  return kPart ? _mm512_maskz_loadu_epi8(mask, p) : _mm512_loadu_si512(p);
}

template <bool kPart>
FRONTIER_VNNI_INLINE Column LoadColumn(const Rows& rows, int64_t x, int64_t width, int64_t channels,
                                       __mmask64 mask) {
  const __m512i zero = _mm512_setzero_si512();
  if (x < 0 || x >= width) return {{zero, zero, zero, zero}};
  __m512i bytes[3];
  for (int r = 0; r < 3; ++r) {
    const uint8_t* row = rows.begin[r];
    bytes[r] = LoadBytes<kPart>(row == nullptr ? nullptr : row + x * channels, mask);
  }
  const __m512i low = _mm512_unpacklo_epi8(bytes[0], bytes[1]);
  const __m512i high = _mm512_unpackhi_epi8(bytes[0], bytes[1]);
  const __m512i last_low = _mm512_unpacklo_epi8(bytes[2], zero);
  const __m512i last_high = _mm512_unpackhi_epi8(bytes[2], zero);
  return {{_mm512_unpacklo_epi16(low, last_low), _mm512_unpackhi_epi16(low, last_low),
           _mm512_unpacklo_epi16(high, last_high), _mm512_unpackhi_epi16(high, last_high)}};
}

// One block of channels of one output row.
template <bool kPart, int kStride>
FRONTIER_VNNI void ConvolveRow(const DepthwiseU8Shape& shape, const DepthwiseU8Output& output,
                               const Rows& rows, const char* packed, __mmask64 mask, uint8_t* y) {
  __m512i weights[12];
  for (int i = 0; i < 12; ++i) weights[i] = _mm512_loadu_si512(packed + i * 64);
  const float* scales = reinterpret_cast<const float*>(packed + kWeightBytes);
  const float* biases = scales + kBlock;
  const __m512 low = _mm512_set1_ps(output.low), high = _mm512_set1_ps(output.high);
  const int64_t out_width = shape.out_width();
  Column left = LoadColumn<kPart>(rows, -1, shape.width, shape.channels, mask);
  Column middle = LoadColumn<kPart>(rows, 0, shape.width, shape.channels, mask);
  for (int64_t x = 0; x < out_width; ++x) {
    if (kStride == 2 && x > 0) {
      middle = LoadColumn<kPart>(rows, 2 * x, shape.width, shape.channels, mask);
    }
    const Column right =
        LoadColumn<kPart>(rows, kStride * x + 1, shape.width, shape.channels, mask);
    __m512i sums[4];
    for (int q = 0; q < 4; ++q) {
      __m512i sum = _mm512_dpbusd_epi32(_mm512_setzero_si512(), left.quarters[q], weights[q]);
      sum = _mm512_dpbusd_epi32(sum, middle.quarters[q], weights[4 + q]);
      sum = _mm512_dpbusd_epi32(sum, right.quarters[q], weights[8 + q]);
      __m512 value = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_loadu_ps(scales + 16 * q),
                                     _mm512_loadu_ps(biases + 16 * q));
      value = _mm512_max_ps(_mm512_min_ps(value, high), low);
      sums[q] = _mm512_cvtps_epi32(value);
    }
    // Packing undoes the interleaving.
    const __m512i first = _mm512_packs_epi32(sums[0], sums[1]);
    const __m512i second = _mm512_packs_epi32(sums[2], sums[3]);
    const __m512i bytes =
        output.is_signed ? _mm512_packs_epi16(first, second) : _mm512_packus_epi16(first, second);
    if (kPart) {
      _mm512_mask_storeu_epi8(y, mask, bytes);
    } else {
      _mm512_storeu_si512(y, bytes);
    }
    y += shape.channels;
    if (kStride == 2) {
      left = right;
    } else {
      left = middle;
      middle = right;
    }
  }
}

template <int kStride>
void ConvolveRows(const DepthwiseU8Shape& shape, const DepthwiseU8Output& output, const uint8_t* x,
                  const char* packed, uint8_t* y, int64_t begin, int64_t end) {
  const int64_t row_bytes = shape.width * shape.channels;
  for (int64_t task = begin; task < end; ++task) {
    const int64_t sample = task / shape.out_height();
    const int64_t first = task % shape.out_height() * kStride - 1;
    for (int64_t c = 0; c < shape.channels; c += kBlock) {
      Rows rows;
      for (int64_t r = 0; r < 3; ++r) {
        const int64_t row = first + r;
        const bool inside = row >= 0 && row < shape.height;
        rows.begin[r] = inside ? x + (sample * shape.height + row) * row_bytes + c : nullptr;
      }
      const char* block = packed + c / kBlock * kBlockBytes;
      uint8_t* to = y + task * shape.out_width() * shape.channels + c;
      const int64_t left = shape.channels - c;
      if (left >= kBlock) {
        ConvolveRow<false, kStride>(shape, output, rows, block, ~__mmask64{0}, to);
      } else {
        ConvolveRow<true, kStride>(shape, output, rows, block, (__mmask64{1} << left) - 1, to);
      }
    }
  }
}

#endif

}  // namespace

bool DepthwiseU8Supported() {
#if defined(__x86_64__)
  static const bool supported =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
  return supported;
#else
  return false;
#endif
}

int64_t DepthwiseU8PackedBytes(int64_t channels) {
  return (channels + kBlock - 1) / kBlock * kBlockBytes;
}

void PackDepthwiseU8(absl::Span<const int8_t> weights, absl::Span<const float> scales,
                     absl::Span<const float> biases, void* packed) {
  const int64_t channels = static_cast<int64_t>(scales.size());
  std::memset(packed, 0, static_cast<size_t>(DepthwiseU8PackedBytes(channels)));
  for (int64_t first = 0; first < channels; first += kBlock) {
    char* block = static_cast<char*>(packed) + first / kBlock * kBlockBytes;
    float* numbers = reinterpret_cast<float*>(block + kWeightBytes);
    for (int64_t q = 0; q < 4; ++q) {
      for (int64_t i = 0; i < 16; ++i) {
        const int64_t c = first + ChannelOf(q, i);
        if (c >= channels) continue;
        for (int64_t column = 0; column < 3; ++column) {
          for (int64_t row = 0; row < 3; ++row) {
            block[(column * 4 + q) * 64 + i * 4 + row] =
                static_cast<char>(weights[static_cast<size_t>(c * 9 + row * 3 + column)]);
          }
        }
        numbers[q * 16 + i] = scales[static_cast<size_t>(c)];
        numbers[kBlock + q * 16 + i] = biases[static_cast<size_t>(c)];
      }
    }
  }
}

void DepthwiseU8(const DepthwiseU8Shape& shape, const DepthwiseU8Output& output, const uint8_t* x,
                 const void* packed, void* y) {
#if defined(__x86_64__)
  const auto convolve = [&](int64_t begin, int64_t end) {
    const char* from = static_cast<const char*>(packed);
    uint8_t* to = static_cast<uint8_t*>(y);
    if (shape.stride == 1) {
      ConvolveRows<1>(shape, output, x, from, to, begin, end);
    } else {
      ConvolveRows<2>(shape, output, x, from, to, begin, end);
    }
  };
  constexpr int64_t kSmallest = 1 << 15;  // values worth a thread
  const int64_t rows = shape.batch * shape.out_height();
  const int64_t values = rows * shape.out_width() * shape.channels;
  const int64_t parts =
      std::min<int64_t>({omp_get_max_threads(), rows, (values + kSmallest - 1) / kSmallest});
  if (parts <= 1) return convolve(0, rows);
#pragma omp parallel for num_threads(static_cast <int>(parts)) schedule(static, 1)
  for (int64_t p = 0; p < parts; ++p) convolve(rows * p / parts, rows * (p + 1) / parts);
#else
  static_cast<void>(shape);
  static_cast<void>(output);
  static_cast<void>(x);
  static_cast<void>(packed);
  static_cast<void>(y);
#endif
}

}  // namespace frontier::worker
