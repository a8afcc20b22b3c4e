#include "worker/engine/kernels/norm_kernels.h"

#if defined(__x86_64__)

#include <cfloat>

#include "worker/engine/kernels/bfloat16_avx512.h"

namespace frontier::worker::batch_norm {
namespace {

using bfloat16_avx512::Joined;
using bfloat16_avx512::Pair;
using bfloat16_avx512::Split;

BFLOAT16_INLINE Pair LoadPair(const float* from) {
  return {_mm512_loadu_ps(from), _mm512_loadu_ps(from + kVector / 2)};
}

BFLOAT16_INLINE void AddTo(double* total, __m512 sum) {
  const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(sum));
  const __m512d high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(sum, 1));
  _mm512_storeu_pd(total, _mm512_add_pd(_mm512_loadu_pd(total), low));
  _mm512_storeu_pd(total + 8, _mm512_add_pd(_mm512_loadu_pd(total + 8), high));
}

BFLOAT16_INLINE void AddTo(double* total, Pair sum) {
  AddTo(total, sum.even);
  AddTo(total + kVector / 2, sum.odd);
}

// Rows of a few whole vectors (kVectors of them, unmasked), or of one of which `mask` says what is
// there. Sums and coefficients of a strip stay in registers.
struct Strip {
  int64_t column;  // of its first value
  int64_t at;      // that of the first row among all values
  int64_t rows;
  __mmask32 mask;
};

// Places without a value get that of `rest`.
template <int kVectors>
BFLOAT16_INLINE __m512i Load(const uint16_t* from, const Strip& strip,
                             __m512i rest = _mm512_setzero_si512()) {
  return kVectors == 1 ? _mm512_mask_loadu_epi16(rest, strip.mask, from) : _mm512_loadu_si512(from);
}

template <int kVectors>
BFLOAT16_INLINE void Store(uint16_t* to, __mmask32 mask, __m512i bits) {
  if constexpr (kVectors == 1) {
    _mm512_mask_storeu_epi16(to, mask, bits);
  } else {
    _mm512_storeu_si512(to, bits);
  }
}

template <int kVectors>
BFLOAT16_TARGET void MomentsStrip(const Strip& strip, const Rows& rows, const Scratch& scratch,
                                  int64_t part, const uint16_t* x) {
  Pair pivot[kVectors], sum[kVectors], square[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    pivot[v] = LoadPair(scratch.coefficient(kPivot) + strip.column + v * kVector);
    sum[v] = square[v] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  }
  const uint16_t* from = x + strip.at;
  for (int64_t row = 0; row < strip.rows; ++row, from += rows.width) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const Pair d = Split(Load<kVectors>(from + v * kVector, strip, Joined(pivot[v])));
      const __m512 even = _mm512_sub_ps(d.even, pivot[v].even);
      const __m512 odd = _mm512_sub_ps(d.odd, pivot[v].odd);
      sum[v].even = _mm512_add_ps(sum[v].even, even);
      sum[v].odd = _mm512_add_ps(sum[v].odd, odd);
      square[v].even = _mm512_fmadd_ps(even, even, square[v].even);
      square[v].odd = _mm512_fmadd_ps(odd, odd, square[v].odd);
    }
  }
  double* const totals = scratch.totals(part) + strip.column;
  for (int v = 0; v < kVectors; ++v) {
    AddTo(totals + v * kVector, sum[v]);
    AddTo(totals + scratch.width + v * kVector, square[v]);
  }
}

template <int kVectors, bool kAddend, bool kRelu>
BFLOAT16_TARGET void ApplyStrip(const Strip& strip, const Rows& rows, const Scratch& scratch,
                                const NormForward<uint16_t>& norm) {
  Pair factor[kVectors], offset[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    factor[v] = LoadPair(scratch.coefficient(kFactor) + strip.column + v * kVector);
    offset[v] = LoadPair(scratch.coefficient(kOffset) + strip.column + v * kVector);
  }
  const __m512 zero = _mm512_setzero_ps();
  for (int64_t row = 0; row < strip.rows; ++row) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int64_t i = strip.at + row * rows.width + v * kVector;
      const Pair x = Split(Load<kVectors>(norm.x + i, strip));
      Pair y = {_mm512_fmadd_ps(x.even, factor[v].even, offset[v].even),
                _mm512_fmadd_ps(x.odd, factor[v].odd, offset[v].odd)};
      if constexpr (kAddend) {
        const Pair addend = Split(Load<kVectors>(norm.addend + i, strip));
        y = {_mm512_add_ps(y.even, addend.even), _mm512_add_ps(y.odd, addend.odd)};
      }
      // Of two values one of which is NaN, max takes the second.
      if constexpr (kRelu) y = {_mm512_max_ps(zero, y.even), _mm512_max_ps(zero, y.odd)};
      Store<kVectors>(norm.y + i, strip.mask, Joined(y));
    }
  }
}

// Where a derivative before the ReLU comes from.
enum class Relu {
  kNone,
  kFromY,  // passed where y is positive
  kFromX,  // the same, with y computed anew
};

// What it takes to compute y anew.
struct ForwardCoefficients {
  Pair factor, offset;
};

template <int kVectors, bool kOther, Relu kRelu>
BFLOAT16_INLINE Pair Derivative(const NormBackward<uint16_t>& norm, int64_t i, const Strip& strip,
                                Pair x, const ForwardCoefficients& forward) {
  Pair d = Split(Load<kVectors>(norm.dy + i, strip));
  if constexpr (kOther) {
    const Pair other = Split(Load<kVectors>(norm.other_dy + i, strip));
    d = {_mm512_add_ps(d.even, other.even), _mm512_add_ps(d.odd, other.odd)};
  }
  if constexpr (kRelu != Relu::kNone) {
    Pair y;
    if constexpr (kRelu == Relu::kFromY) {
      y = Split(Load<kVectors>(norm.y + i, strip));
    } else {
      y = {_mm512_fmadd_ps(x.even, forward.factor.even, forward.offset.even),
           _mm512_fmadd_ps(x.odd, forward.factor.odd, forward.offset.odd)};
    }
    // Smaller values become 0 when they are rounded to bf16.
    const __m512 least = _mm512_set1_ps(FLT_MIN);
    d = {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(y.even, least, _CMP_GE_OQ), d.even),
         _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(y.odd, least, _CMP_GE_OQ), d.odd)};
  }
  return d;
}

BFLOAT16_INLINE ForwardCoefficients LoadForward(const Scratch& scratch, int64_t column) {
  return {LoadPair(scratch.coefficient(kForwardFactor) + column),
          LoadPair(scratch.coefficient(kForwardOffset) + column)};
}

template <int kVectors, bool kOther, Relu kRelu, bool kKeep>
BFLOAT16_TARGET void ReduceStrip(const Strip& strip, const Rows& rows, const Scratch& scratch,
                                 int64_t part, const NormBackward<uint16_t>& norm) {
  Pair mean[kVectors], sum[kVectors], product[kVectors];
  ForwardCoefficients forward[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    mean[v] = LoadPair(scratch.coefficient(kMean) + strip.column + v * kVector);
    forward[v] = LoadForward(scratch, strip.column + v * kVector);
    sum[v] = product[v] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  }
  for (int64_t row = 0; row < strip.rows; ++row) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int64_t i = strip.at + row * rows.width + v * kVector;
      const Pair x = Split(Load<kVectors>(norm.x + i, strip));
      Pair d = Derivative<kVectors, kOther, kRelu>(norm, i, strip, x, forward[v]);
      if constexpr (kKeep) {
        const __m512i rounded = Joined(d);
        Store<kVectors>(norm.masked + i, strip.mask, rounded);
        if constexpr (kOther) d = Split(rounded);
      }
      sum[v].even = _mm512_add_ps(sum[v].even, d.even);
      sum[v].odd = _mm512_add_ps(sum[v].odd, d.odd);
      const __m512 even = _mm512_sub_ps(x.even, mean[v].even);
      const __m512 odd = _mm512_sub_ps(x.odd, mean[v].odd);
      product[v].even = _mm512_fmadd_ps(d.even, even, product[v].even);
      product[v].odd = _mm512_fmadd_ps(d.odd, odd, product[v].odd);
    }
  }
  double* const totals = scratch.totals(part) + strip.column;
  for (int v = 0; v < kVectors; ++v) {
    AddTo(totals + v * kVector, sum[v]);
    AddTo(totals + scratch.width + v * kVector, product[v]);
  }
}

template <int kVectors, bool kOther, Relu kRelu>
BFLOAT16_TARGET void DifferentiateStrip(const Strip& strip, const Rows& rows,
                                        const Scratch& scratch,
                                        const NormBackward<uint16_t>& norm) {
  ForwardCoefficients forward[kVectors];
  Pair slope[kVectors], constant[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    forward[v] = LoadForward(scratch, strip.column + v * kVector);
    slope[v] = LoadPair(scratch.coefficient(kSlope) + strip.column + v * kVector);
    constant[v] = LoadPair(scratch.coefficient(kConstant) + strip.column + v * kVector);
  }
  for (int64_t row = 0; row < strip.rows; ++row) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int64_t i = strip.at + row * rows.width + v * kVector;
      const Pair x = Split(Load<kVectors>(norm.x + i, strip));
      const Pair d = Derivative<kVectors, kOther, kRelu>(norm, i, strip, x, forward[v]);
      const Pair dx = {_mm512_fmadd_ps(d.even, forward[v].factor.even,
                                       _mm512_fmadd_ps(x.even, slope[v].even, constant[v].even)),
                       _mm512_fmadd_ps(d.odd, forward[v].factor.odd,
                                       _mm512_fmadd_ps(x.odd, slope[v].odd, constant[v].odd))};
      Store<kVectors>(norm.dx + i, strip.mask, Joined(dx));
    }
  }
}

constexpr int64_t kWide = 2;  // vectors of a strip

// Calls narrow(strip) or wide(strip) for the strips of `count` rows of `length` values.
template <typename Narrow, typename Wide>
void ForStripsOf(const Rows& rows, int64_t first, int64_t count, int64_t length,
                 const Narrow& narrow, const Wide& wide) {
  for (int64_t column = 0; column < length;) {
    Strip strip = {column, first * rows.width + column, count, ~__mmask32{0}};
    if (length - column >= kWide * kVector) {
      wide(strip);
      column += kWide * kVector;
    } else {
      if (length - column < kVector) strip.mask = (__mmask32{1} << (length - column)) - 1;
      narrow(strip);
      column += kVector;
    }
  }
}

// The same for all rows of a part, in groups that stay in the first-level cache; `backward` begins
// with the last, which the pass before has left in the caches.
template <typename Narrow, typename Wide>
void ForStrips(const Rows& rows, int64_t part, bool backward, const Narrow& narrow,
               const Wide& wide) {
  constexpr int64_t kGroupValues = 1 << 12;
  const int64_t group = std::clamp<int64_t>(kGroupValues / rows.width, 1, kRowsPerSum);
  const int64_t begin = rows.begin(part), end = rows.end(part);
  const int64_t whole = std::min(end, rows.values / rows.width);
  const auto last = [&] {
    if (whole < end) ForStripsOf(rows, whole, 1, rows.length(whole), narrow, wide);
  };
  if (backward) last();
  const int64_t groups = (whole - begin + group - 1) / group;
  for (int64_t g = 0; g < groups; ++g) {
    const int64_t first = begin + (backward ? groups - 1 - g : g) * group;
    ForStripsOf(rows, first, std::min(group, whole - first), rows.width, narrow, wide);
  }
  if (!backward) last();
}

void ClearTotals(const Scratch& scratch, int64_t part) {
  std::fill_n(scratch.totals(part), 2 * scratch.width, 0.0);
}

void Moments(const Rows& rows, const Scratch& scratch, int64_t part, const uint16_t* x) {
  ClearTotals(scratch, part);
  ForStrips(
      rows, part, /*backward=*/false,
      [&](const Strip& strip) { MomentsStrip<1>(strip, rows, scratch, part, x); },
      [&](const Strip& strip) { MomentsStrip<kWide>(strip, rows, scratch, part, x); });
}

template <bool kAddend, bool kRelu>
void ApplyAs(const Rows& rows, const Scratch& scratch, int64_t part,
             const NormForward<uint16_t>& norm) {
  ForStrips(
      rows, part, /*backward=*/true,
      [&](const Strip& strip) { ApplyStrip<1, kAddend, kRelu>(strip, rows, scratch, norm); },
      [&](const Strip& strip) { ApplyStrip<kWide, kAddend, kRelu>(strip, rows, scratch, norm); });
}

void Apply(const Rows& rows, const Scratch& scratch, int64_t part,
           const NormForward<uint16_t>& norm) {
  if (norm.addend != nullptr) {
    norm.relu ? ApplyAs<true, true>(rows, scratch, part, norm)
              : ApplyAs<true, false>(rows, scratch, part, norm);
  } else {
    norm.relu ? ApplyAs<false, true>(rows, scratch, part, norm)
              : ApplyAs<false, false>(rows, scratch, part, norm);
  }
}

template <bool kOther, Relu kRelu, bool kKeep>
void ReduceAs(const Rows& rows, const Scratch& scratch, int64_t part,
              const NormBackward<uint16_t>& norm) {
  ForStrips(
      rows, part, /*backward=*/false,
      [&](const Strip& strip) {
        ReduceStrip<1, kOther, kRelu, kKeep>(strip, rows, scratch, part, norm);
      },
      [&](const Strip& strip) {
        ReduceStrip<kWide, kOther, kRelu, kKeep>(strip, rows, scratch, part, norm);
      });
}

template <bool kOther, Relu kRelu>
void ReduceAs(const Rows& rows, const Scratch& scratch, int64_t part,
              const NormBackward<uint16_t>& norm) {
  norm.masked != nullptr ? ReduceAs<kOther, kRelu, true>(rows, scratch, part, norm)
                         : ReduceAs<kOther, kRelu, false>(rows, scratch, part, norm);
}

template <bool kOther, Relu kRelu>
void DifferentiateAs(const Rows& rows, const Scratch& scratch, int64_t part,
                     const NormBackward<uint16_t>& norm) {
  ForStrips(
      rows, part, /*backward=*/true,
      [&](const Strip& strip) { DifferentiateStrip<1, kOther, kRelu>(strip, rows, scratch, norm); },
      [&](const Strip& strip) {
        DifferentiateStrip<kWide, kOther, kRelu>(strip, rows, scratch, norm);
      });
}

Relu ReluOf(const NormBackward<uint16_t>& norm) {
  if (!norm.relu) return Relu::kNone;
  return norm.shift != nullptr ? Relu::kFromX : Relu::kFromY;
}

template <bool kOther>
void ReduceAs(const Rows& rows, const Scratch& scratch, int64_t part,
              const NormBackward<uint16_t>& norm) {
  switch (ReluOf(norm)) {
    case Relu::kNone:
      return ReduceAs<kOther, Relu::kNone>(rows, scratch, part, norm);
    case Relu::kFromY:
      return ReduceAs<kOther, Relu::kFromY>(rows, scratch, part, norm);
    case Relu::kFromX:
      return ReduceAs<kOther, Relu::kFromX>(rows, scratch, part, norm);
  }
}

void Reduce(const Rows& rows, const Scratch& scratch, int64_t part,
            const NormBackward<uint16_t>& norm) {
  ClearTotals(scratch, part);
  norm.other_dy != nullptr ? ReduceAs<true>(rows, scratch, part, norm)
                           : ReduceAs<false>(rows, scratch, part, norm);
}

template <bool kOther>
void DifferentiateAs(const Rows& rows, const Scratch& scratch, int64_t part,
                     const NormBackward<uint16_t>& norm) {
  switch (ReluOf(norm)) {
    case Relu::kNone:
      return DifferentiateAs<kOther, Relu::kNone>(rows, scratch, part, norm);
    case Relu::kFromY:
      return DifferentiateAs<kOther, Relu::kFromY>(rows, scratch, part, norm);
    case Relu::kFromX:
      return DifferentiateAs<kOther, Relu::kFromX>(rows, scratch, part, norm);
  }
}

void Differentiate(const Rows& rows, const Scratch& scratch, int64_t part,
                   const NormBackward<uint16_t>& norm) {
  norm.other_dy != nullptr ? DifferentiateAs<true>(rows, scratch, part, norm)
                           : DifferentiateAs<false>(rows, scratch, part, norm);
}

}  // namespace

const Kernels<uint16_t>* VectorKernels() {
  static constexpr Kernels<uint16_t> kernels = {Moments, Apply, Reduce, Differentiate};
  static const bool supported = bfloat16_avx512::CpuHasBfloat16();
  return supported ? &kernels : nullptr;
}

}  // namespace frontier::worker::batch_norm

#else

namespace frontier::worker::batch_norm {

const Kernels<uint16_t>* VectorKernels() { return nullptr; }

}  // namespace frontier::worker::batch_norm

#endif
