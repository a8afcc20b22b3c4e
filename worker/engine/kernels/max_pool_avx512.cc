#include "worker/engine/kernels/max_pool_kernels.h"

#if defined(__x86_64__)

#include "worker/engine/kernels/bfloat16_avx512.h"

namespace frontier::worker::max_pool {
namespace {

using bfloat16_avx512::Joined;
using bfloat16_avx512::MaskOf;
using bfloat16_avx512::Pair;
using bfloat16_avx512::Split;

constexpr int64_t kVector = 32;  // channels of a vector

// Integers in the order of the numbers, with both zeros as 0; its own inverse.
BFLOAT16_INLINE __m512i Key(__m512i bits) {
  return _mm512_mask_sub_epi16(bits, _mm512_movepi16_mask(bits), _mm512_set1_epi16(-0x8000), bits);
}

BFLOAT16_TARGET void Forward(const MaxPoolShape& s, int64_t begin, int64_t end, const uint16_t* x,
                             uint16_t* y, uint8_t* places) {
  const Axis vertical = Vertical(s), horizontal = Horizontal(s);
  for (int64_t row = begin; row < end; ++row) {
    const int64_t n = row / s.out_height, oh = row % s.out_height;
    const Range rows = vertical.Places(oh);
    const int64_t first_row = n * s.height + oh * s.stride_height - s.padding_height;
    for (int64_t ow = 0; ow < s.out_width; ++ow) {
      const Range columns = horizontal.Places(ow);
      const int64_t first_column = ow * s.stride_width - s.padding_width;
      for (int64_t c = 0; c < s.channels; c += kVector) {
        const __mmask32 mask = MaskOf(s.channels - c);
        __m512i best = _mm512_set1_epi16(-0x8000), place = _mm512_setzero_si512();
        for (int64_t kh = rows.begin; kh < rows.end; ++kh) {
          const uint16_t* const from =
              x + ((first_row + kh) * s.width + first_column) * s.channels + c;
          for (int64_t kw = columns.begin; kw < columns.end; ++kw) {
            const __m512i key = Key(_mm512_maskz_loadu_epi16(mask, from + kw * s.channels));
            const auto at = static_cast<int16_t>(kh * s.kernel_width + kw);
            const __mmask32 greater = _mm512_cmpgt_epi16_mask(key, best);
            place = _mm512_mask_mov_epi16(place, greater, _mm512_set1_epi16(at));
            best = _mm512_max_epi16(best, key);
          }
        }
        const int64_t to = (row * s.out_width + ow) * s.channels + c;
        _mm512_mask_storeu_epi16(y + to, mask, Key(best));
        _mm256_mask_storeu_epi8(places + to, mask, _mm512_cvtepi16_epi8(place));
      }
    }
  }
}

BFLOAT16_TARGET void Backward(const MaxPoolShape& s, int64_t begin, int64_t end, const uint16_t* dy,
                              const uint8_t* places, uint16_t* dx) {
  const Axis vertical = Vertical(s), horizontal = Horizontal(s);
  for (int64_t row = begin; row < end; ++row) {
    const int64_t n = row / s.height, h = row % s.height;
    const Range rows = vertical.Windows(h);
    for (int64_t w = 0; w < s.width; ++w) {
      const Range columns = horizontal.Windows(w);
      for (int64_t c = 0; c < s.channels; c += kVector) {
        const __mmask32 mask = MaskOf(s.channels - c);
        Pair sum = {_mm512_setzero_ps(), _mm512_setzero_ps()};
        for (int64_t oh = rows.begin; oh < rows.end; ++oh) {
          for (int64_t ow = columns.begin; ow < columns.end; ++ow) {
            const int64_t from = ((n * s.out_height + oh) * s.out_width + ow) * s.channels + c;
            const auto here =
                static_cast<char>(vertical.Place(h, oh) * s.kernel_width + horizontal.Place(w, ow));
            const __mmask32 chosen = _mm256_mask_cmpeq_epi8_mask(
                mask, _mm256_maskz_loadu_epi8(mask, places + from), _mm256_set1_epi8(here));
            const Pair d = Split(_mm512_maskz_loadu_epi16(chosen, dy + from));
            sum = {_mm512_add_ps(sum.even, d.even), _mm512_add_ps(sum.odd, d.odd)};
          }
        }
        _mm512_mask_storeu_epi16(dx + (row * s.width + w) * s.channels + c, mask, Joined(sum));
      }
    }
  }
}

}  // namespace

const Kernels* VectorKernels() {
  static constexpr Kernels kernels = {Forward, Backward};
  static const bool supported = bfloat16_avx512::CpuHasBfloat16();
  return supported ? &kernels : nullptr;
}

}  // namespace frontier::worker::max_pool

#else

namespace frontier::worker::max_pool {

const Kernels* VectorKernels() { return nullptr; }

}  // namespace frontier::worker::max_pool

#endif
