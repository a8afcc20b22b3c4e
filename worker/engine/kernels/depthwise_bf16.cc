#include "worker/engine/kernels/depthwise_bf16.h"

#include <algorithm>
#include <array>

#include "worker/engine/kernels/parallel.h"
#include "worker/engine/kernels/scratch.h"

#if defined(__x86_64__)
#include "worker/engine/kernels/bfloat16_avx512.h"
#endif

namespace frontier::worker {
namespace {

constexpr int64_t kBlock = 32;  // channels of a vector of bf16, or of two of f32
constexpr int64_t kWidest = 7;  // columns of a kernel

// Weights and sums by [block of channels][place of the kernel][32 channels]: the even ones first,
// as they come out of a vector of pairs.
int64_t BlockFloats(const DepthwiseBf16Shape& shape) {
  return shape.height.kernel * shape.width.kernel * kBlock;
}
int64_t Blocks(const DepthwiseBf16Shape& shape) { return CeilDivide(shape.channels, kBlock); }
int64_t PackedBytes(const DepthwiseBf16Shape& shape) {
  return AlignedBytes(Blocks(shape) * BlockFloats(shape) * static_cast<int64_t>(sizeof(float)));
}
int64_t PlaceInBlock(int64_t channel) {
  return channel % kBlock % 2 * (kBlock / 2) + channel % kBlock / 2;
}
int64_t PackedAt(const DepthwiseBf16Shape& shape, int64_t channel, int64_t place) {
  return channel / kBlock * BlockFloats(shape) + place * kBlock + PlaceInBlock(channel);
}

int64_t Parts(const DepthwiseBf16Shape& shape, int threads) {
  return std::min<int64_t>(threads, shape.batch);
}

// An element of dy that an element of dx takes part in, and by which place of the kernel.
struct Tap {
  int32_t from, place;
};

// The taps of element `i` of the input, at most kernel.
int64_t TapsOf(const ConvolutionAxis& axis, int64_t i, Tap* taps) {
  int64_t count = 0;
  for (int64_t k = 0; k < axis.kernel; ++k) {
    const int64_t at = i + axis.padding - k * axis.dilation;
    if (at < 0 || at % axis.stride != 0 || at / axis.stride >= axis.out) continue;
    taps[count++] = {static_cast<int32_t>(at / axis.stride), static_cast<int32_t>(k)};
  }
  return count;
}

// Of one direction: the taps of each element, `kernel` apart, and how many it has.
struct TapTable {
  TapTable(const ConvolutionAxis& a, char* memory)
      : axis(a),
        taps(reinterpret_cast<Tap*>(memory)),
        counts(reinterpret_cast<int32_t*>(memory + AlignedBytes(TapBytes(a)))) {}
  static int64_t TapBytes(const ConvolutionAxis& a) {
    return a.in * a.kernel * static_cast<int64_t>(sizeof(Tap));
  }
  static int64_t Bytes(const ConvolutionAxis& a) {
    return AlignedBytes(TapBytes(a)) + AlignedBytes(a.in * static_cast<int64_t>(sizeof(int32_t)));
  }
  void Fill() {
    for (int64_t i = 0; i < axis.in; ++i) {
      counts[i] = static_cast<int32_t>(TapsOf(axis, i, taps + i * axis.kernel));
    }
  }

  const ConvolutionAxis& axis;
  Tap* taps;
  int32_t* counts;
};

#if defined(__x86_64__)

using bfloat16_avx512::Joined;
using bfloat16_avx512::MaskOf;
using bfloat16_avx512::Pair;
using bfloat16_avx512::Split;

template <bool kPart>
BFLOAT16_INLINE Pair Load(const uint16_t* from, __mmask32 mask) {
  return Split(kPart ? _mm512_maskz_loadu_epi16(mask, from) : _mm512_loadu_si512(from));
}

template <bool kPart>
BFLOAT16_INLINE void Store(const Pair& sums, __mmask32 mask, uint16_t* to) {
  if constexpr (kPart) {
    _mm512_mask_storeu_epi16(to, mask, Joined(sums));
  } else {
    _mm512_storeu_si512(to, Joined(sums));
  }
}

// Row `row` of dx of one image, one block of channels.
template <bool kPart>
BFLOAT16_TARGET void DataRow(const DepthwiseBf16Shape& shape, const TapTable& rows,
                             const TapTable& columns, int64_t row, const uint16_t* dy,
                             const float* weights, __mmask32 mask, uint16_t* dx) {
  const int64_t channels = shape.channels, line = shape.width.out * channels;
  const Tap* const row_taps = rows.taps + row * shape.height.kernel;
  for (int64_t x = 0; x < shape.width.in; ++x) {
    const Tap* const column_taps = columns.taps + x * shape.width.kernel;
    Pair sums = {_mm512_setzero_ps(), _mm512_setzero_ps()};
    for (int32_t r = 0; r < rows.counts[row]; ++r) {
      const uint16_t* const from = dy + row_taps[r].from * line;
      const float* const by = weights + row_taps[r].place * shape.width.kernel * kBlock;
      for (int32_t c = 0; c < columns.counts[x]; ++c) {
        const Pair d = Load<kPart>(from + column_taps[c].from * channels, mask);
        const float* const w = by + column_taps[c].place * kBlock;
        sums.even = _mm512_fmadd_ps(d.even, _mm512_load_ps(w), sums.even);
        sums.odd = _mm512_fmadd_ps(d.odd, _mm512_load_ps(w + kBlock / 2), sums.odd);
      }
    }
    Store<kPart>(sums, mask, dx + x * channels);
  }
}

// Adds the products of one row of dy and the row of x that row `ky` of the kernel looks at.
template <int kColumns, bool kPart>
BFLOAT16_TARGET void WeightsRow(const ConvolutionAxis& width, int64_t channels, const uint16_t* x,
                                const uint16_t* dy, __mmask32 mask, float* sums) {
  Pair s[kColumns];
  for (int k = 0; k < kColumns; ++k) {
    s[k] = {_mm512_load_ps(sums + k * kBlock), _mm512_load_ps(sums + k * kBlock + kBlock / 2)};
  }
  // All columns of the kernel are within x from `first` to before `last`.
  const int64_t reach = (kColumns - 1) * width.dilation - width.padding;
  const int64_t first = std::min(width.out, CeilDivide(width.padding, width.stride));
  const int64_t last =
      std::max(first, width.in - 1 - reach < 0
                          ? int64_t{0}
                          : std::min(width.out, (width.in - 1 - reach) / width.stride + 1));
  const auto edge = [&](int64_t begin, int64_t end) BFLOAT16_TARGET {
    for (int64_t o = begin; o < end; ++o) {
      const Pair d = Load<kPart>(dy + o * channels, mask);
      for (int k = 0; k < kColumns; ++k) {
        const int64_t at = o * width.stride + k * width.dilation - width.padding;
        if (at < 0 || at >= width.in) continue;
        const Pair v = Load<kPart>(x + at * channels, mask);
        s[k].even = _mm512_fmadd_ps(d.even, v.even, s[k].even);
        s[k].odd = _mm512_fmadd_ps(d.odd, v.odd, s[k].odd);
      }
    }
  };
  edge(0, first);
  const int64_t step = width.dilation * channels;
  for (int64_t o = first; o < last; ++o) {
    const Pair d = Load<kPart>(dy + o * channels, mask);
    const uint16_t* const from = x + (o * width.stride - width.padding) * channels;
    for (int k = 0; k < kColumns; ++k) {
      const Pair v = Load<kPart>(from + k * step, mask);
      s[k].even = _mm512_fmadd_ps(d.even, v.even, s[k].even);
      s[k].odd = _mm512_fmadd_ps(d.odd, v.odd, s[k].odd);
    }
  }
  edge(last, width.out);
  for (int k = 0; k < kColumns; ++k) {
    _mm512_store_ps(sums + k * kBlock, s[k].even);
    _mm512_store_ps(sums + k * kBlock + kBlock / 2, s[k].odd);
  }
}

template <int kColumns>
void WeightsRowOf(const ConvolutionAxis& width, int64_t channels, const uint16_t* x,
                  const uint16_t* dy, uint32_t mask, float* sums) {
  if (mask == ~uint32_t{0}) {
    WeightsRow<kColumns, false>(width, channels, x, dy, mask, sums);
  } else {
    WeightsRow<kColumns, true>(width, channels, x, dy, mask, sums);
  }
}

bool HasInstructions() { return bfloat16_avx512::CpuHasBfloat16(); }

void DataImage(const DepthwiseBf16Shape& shape, const TapTable& rows, const TapTable& columns,
               const uint16_t* dy, const float* packed, uint16_t* dx) {
  for (int64_t row = 0; row < shape.height.in; ++row) {
    uint16_t* const to = dx + row * shape.width.in * shape.channels;
    for (int64_t b = 0; b < Blocks(shape); ++b) {
      const uint32_t mask = MaskOf(shape.channels - b * kBlock);
      const float* const weights = packed + b * BlockFloats(shape);
      if (mask == ~uint32_t{0}) {
        DataRow<false>(shape, rows, columns, row, dy + b * kBlock, weights, mask, to + b * kBlock);
      } else {
        DataRow<true>(shape, rows, columns, row, dy + b * kBlock, weights, mask, to + b * kBlock);
      }
    }
  }
}

void WeightsImage(const DepthwiseBf16Shape& shape, const uint16_t* x, const uint16_t* dy,
                  float* sums) {
  using Row =
      void (*)(const ConvolutionAxis&, int64_t, const uint16_t*, const uint16_t*, uint32_t, float*);
  constexpr std::array<Row, kWidest> kRows = {WeightsRowOf<1>, WeightsRowOf<2>, WeightsRowOf<3>,
                                              WeightsRowOf<4>, WeightsRowOf<5>, WeightsRowOf<6>,
                                              WeightsRowOf<7>};
  const ConvolutionAxis &h = shape.height, &w = shape.width;
  const Row add = kRows[static_cast<size_t>(w.kernel - 1)];
  for (int64_t o = 0; o < h.out; ++o) {
    for (int64_t b = 0; b < Blocks(shape); ++b) {
      for (int64_t k = 0; k < h.kernel; ++k) {
        const int64_t row = o * h.stride + k * h.dilation - h.padding;
        if (row < 0 || row >= h.in) continue;
        add(w, shape.channels, x + row * w.in * shape.channels + b * kBlock,
            dy + o * w.out * shape.channels + b * kBlock, MaskOf(shape.channels - b * kBlock),
            sums + b * BlockFloats(shape) + k * w.kernel * kBlock);
      }
    }
  }
}

#else

bool HasInstructions() { return false; }
void DataImage(const DepthwiseBf16Shape&, const TapTable&, const TapTable&, const uint16_t*,
               const float*, uint16_t*) {}
void WeightsImage(const DepthwiseBf16Shape&, const uint16_t*, const uint16_t*, float*) {}

#endif

}  // namespace

bool DepthwiseBf16Supported(const DepthwiseBf16Shape& shape) {
  return shape.batch > 0 && shape.channels > 0 && shape.height.IsValid() && shape.width.IsValid() &&
         shape.width.kernel <= kWidest && HasInstructions();
}

size_t DepthwiseBf16ScratchBytes(const DepthwiseBf16Shape& shape, int threads) {
  const int64_t data =
      PackedBytes(shape) + TapTable::Bytes(shape.height) + TapTable::Bytes(shape.width);
  return static_cast<size_t>(std::max(data, Parts(shape, threads) * PackedBytes(shape)));
}

void DepthwiseBf16BackwardData(const DepthwiseBf16Shape& shape, int threads, const uint16_t* dy,
                               const float* weights, void* scratch, uint16_t* dx) {
  auto* const packed = static_cast<float*>(scratch);
  char* const tables = static_cast<char*>(scratch) + PackedBytes(shape);
  TapTable rows(shape.height, tables), columns(shape.width, tables + TapTable::Bytes(shape.height));
  rows.Fill();
  columns.Fill();
  const int64_t places = shape.height.kernel * shape.width.kernel;
  std::fill_n(packed, Blocks(shape) * BlockFloats(shape), 0.0f);
  for (int64_t c = 0; c < shape.channels; ++c) {
    for (int64_t p = 0; p < places; ++p) packed[PackedAt(shape, c, p)] = weights[c * places + p];
  }
  const int64_t dx_image = shape.height.in * shape.width.in * shape.channels;
  const int64_t dy_image = shape.height.out * shape.width.out * shape.channels;
  ParallelParts(shape.batch, Parts(shape, threads), [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      DataImage(shape, rows, columns, dy + n * dy_image, packed, dx + n * dx_image);
    }
  });
}

void DepthwiseBf16BackwardWeights(const DepthwiseBf16Shape& shape, int threads, const uint16_t* x,
                                  const uint16_t* dy, void* scratch, float* dweights) {
  const int64_t floats = PackedBytes(shape) / static_cast<int64_t>(sizeof(float));
  auto* const sums = static_cast<float*>(scratch);
  const int64_t x_image = shape.height.in * shape.width.in * shape.channels;
  const int64_t dy_image = shape.height.out * shape.width.out * shape.channels;
  ParallelParts(shape.batch, Parts(shape, threads), [&](int64_t part, int64_t begin, int64_t end) {
    float* const to = sums + part * floats;
    std::fill_n(to, floats, 0.0f);
    for (int64_t n = begin; n < end; ++n) {
      WeightsImage(shape, x + n * x_image, dy + n * dy_image, to);
    }
  });
  const int64_t places = shape.height.kernel * shape.width.kernel;
  for (int64_t c = 0; c < shape.channels; ++c) {
    for (int64_t p = 0; p < places; ++p) {
      float sum = 0;
      for (int64_t part = 0; part < Parts(shape, threads); ++part) {
        sum += sums[part * floats + PackedAt(shape, c, p)];
      }
      dweights[c * places + p] = sum;
    }
  }
}

}  // namespace frontier::worker
