// Internal to max_pool: windows, and the vector code of a CPU.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_MAX_POOL_KERNELS_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_MAX_POOL_KERNELS_H_

#include <algorithm>
#include <cstdint>

#include "worker/engine/kernels/max_pool.h"

namespace frontier::worker::max_pool {

struct Range {
  int64_t begin, end;
};

// One direction of a pool.
struct Axis {
  int64_t size, out_size, kernel, stride, padding;

  // Places of window `out` that lie in the map.
  Range Places(int64_t out) const {
    const int64_t first = out * stride - padding;
    return {std::max<int64_t>(0, -first), std::min(kernel, size - first)};
  }
  // Windows that `in` lies in.
  Range Windows(int64_t in) const {
    const int64_t at = in + padding;
    return {at < kernel ? 0 : (at - kernel) / stride + 1, std::min(out_size, at / stride + 1)};
  }
  // The place of `in` in window `out`.
  int64_t Place(int64_t in, int64_t out) const { return in + padding - out * stride; }
};

inline Axis Vertical(const MaxPoolShape& s) {
  return {s.height, s.out_height, s.kernel_height, s.stride_height, s.padding_height};
}
inline Axis Horizontal(const MaxPoolShape& s) {
  return {s.width, s.out_width, s.kernel_width, s.stride_width, s.padding_width};
}

// Rows [begin, end) of all images: of y forward, of dx backward.
struct Kernels {
  void (*forward)(const MaxPoolShape&, int64_t begin, int64_t end, const uint16_t* x, uint16_t* y,
                  uint8_t* places);
  void (*backward)(const MaxPoolShape&, int64_t begin, int64_t end, const uint16_t* dy,
                   const uint8_t* places, uint16_t* dx);
};

// Hand-written code; null if the CPU cannot run it.
const Kernels* VectorKernels();

}  // namespace frontier::worker::max_pool

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_MAX_POOL_KERNELS_H_
