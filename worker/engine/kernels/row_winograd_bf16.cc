#include "worker/engine/kernels/row_winograd_kernels.h"

#if defined(__x86_64__)

#define ROW_WINOGRAD_TARGET \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")))

#include "worker/engine/kernels/bfloat16_avx512.h"
#include "worker/engine/kernels/row_winograd_gradient_avx512.h"

namespace frontier::worker::row_winograd {
namespace {

struct Bfloat16 {
  using Storage = uint16_t;
  using Vector = __m512bh;
  static constexpr int64_t kStep = 2;

  ROW_WINOGRAD_INLINE __m512 Load(const uint16_t* from) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
  ROW_WINOGRAD_INLINE void Store(uint16_t* to, __m512 value) {
    const __m256bh bits = _mm512_cvtneps_pbh(value);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(bits));
  }
  ROW_WINOGRAD_INLINE __m512 Rounded(__m512 value) {
    const __m256i bits = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(value));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
  ROW_WINOGRAD_INLINE __m512bh LoadVector(const uint16_t* from) {
    return reinterpret_cast<__m512bh>(_mm512_loadu_si512(from));
  }
  ROW_WINOGRAD_INLINE void StoreTwo(uint16_t* to, __m512 first, __m512 second) {
    _mm512_storeu_si512(to, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first)));
  }
  ROW_WINOGRAD_INLINE void StoreSteps(uint16_t* to, const __m512* steps) {
    const __m512i order =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                         21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    const __m512bh both = _mm512_cvtne2ps_pbh(steps[1], steps[0]);
    _mm512_storeu_si512(to, _mm512_permutexvar_epi16(order, reinterpret_cast<__m512i>(both)));
  }
  ROW_WINOGRAD_INLINE __m512 Multiply(__m512 sum, const uint16_t* pair, __m512bh vector) {
    int bits;
    std::memcpy(&bits, pair, sizeof(bits));
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(_mm512_set1_epi32(bits)), vector);
  }
};

}  // namespace

const Kernels* Bfloat16Kernels() {
  static const Kernels kernels = AllKernels<Bfloat16>();
  static const bool supported = bfloat16_avx512::CpuHasBfloat16();
  return supported ? &kernels : nullptr;
}

}  // namespace frontier::worker::row_winograd

#else

namespace frontier::worker::row_winograd {

const Kernels* Bfloat16Kernels() { return nullptr; }

}  // namespace frontier::worker::row_winograd

#endif
