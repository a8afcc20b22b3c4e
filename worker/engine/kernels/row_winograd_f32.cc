#include "worker/engine/kernels/row_winograd_kernels.h"

#if defined(__x86_64__)

#define ROW_WINOGRAD_TARGET __attribute__((target("avx512f,fma")))

#include "worker/engine/kernels/row_winograd_gradient_avx512.h"

namespace frontier::worker::row_winograd {
namespace {

struct Float32 {
  using Storage = float;
  using Vector = __m512;
  static constexpr int64_t kStep = 1;

  ROW_WINOGRAD_INLINE __m512 Load(const float* from) { return _mm512_loadu_ps(from); }
  ROW_WINOGRAD_INLINE void Store(float* to, __m512 value) { _mm512_storeu_ps(to, value); }
  ROW_WINOGRAD_INLINE void StoreTwo(float* to, __m512 first, __m512 second) {
    _mm512_storeu_ps(to, first);
    _mm512_storeu_ps(to + 16, second);
  }
  ROW_WINOGRAD_INLINE __m512 Rounded(__m512 value) { return value; }
  ROW_WINOGRAD_INLINE __m512 LoadVector(const float* from) { return _mm512_loadu_ps(from); }
  ROW_WINOGRAD_INLINE void StoreSteps(float* to, const __m512* steps) {
    _mm512_storeu_ps(to, steps[0]);
  }
  ROW_WINOGRAD_INLINE __m512 Multiply(__m512 sum, const float* factor, __m512 vector) {
    return _mm512_fmadd_ps(_mm512_set1_ps(*factor), vector, sum);
  }
};

}  // namespace

const Kernels* Float32Kernels() {
  static const Kernels kernels = AllKernels<Float32>();
  static const bool supported = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma");
  return supported ? &kernels : nullptr;
}

}  // namespace frontier::worker::row_winograd

#else

namespace frontier::worker::row_winograd {

const Kernels* Float32Kernels() { return nullptr; }

}  // namespace frontier::worker::row_winograd

#endif
