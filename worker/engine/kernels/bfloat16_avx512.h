// Internal to kernels: vectors of 32 bf16 values. To be included by files of hand-written code
// alone, whose functions have BFLOAT16_TARGET and run if CpuHasBfloat16.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_BFLOAT16_AVX512_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_BFLOAT16_AVX512_H_

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 warns of its own intrinsics (GCC bug 105593), wherever they are inlined.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include <immintrin.h>

#include <cstdint>

#define BFLOAT16_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")))
#define BFLOAT16_INLINE static inline __attribute__((always_inline)) BFLOAT16_TARGET

namespace frontier::worker::bfloat16_avx512 {

inline bool CpuHasBfloat16() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("fma");
}

// Which values of a vector there are if `left` are left.
inline __mmask32 MaskOf(int64_t left) {
  return left >= 32 ? ~__mmask32{0} : (__mmask32{1} << left) - 1;
}

// 32 values as f32, by place: taking them apart so takes the fewest instructions.
struct Pair {
  __m512 even, odd;
};

BFLOAT16_INLINE Pair Split(__m512i bits) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(bits, 16)),
          _mm512_castsi512_ps(_mm512_and_si512(bits, _mm512_set1_epi32(-0x10000)))};
}

// Rounds to the nearest, ties to even; values too small for a normal number become 0.
BFLOAT16_INLINE __m512i Joined(Pair v) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24,
                                         8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(order,
                                  reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(v.odd, v.even)));
}

}  // namespace frontier::worker::bfloat16_avx512

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_BFLOAT16_AVX512_H_
