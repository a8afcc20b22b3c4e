// Max pooling of bf16 maps with channels last.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_MAX_POOL_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_MAX_POOL_H_

#include <cstdint>

namespace frontier::worker {

// Each window meets the map: padding is smaller than the kernel.
struct MaxPoolShape {
  int64_t batch = 0, channels = 0;
  int64_t height = 0, width = 0;
  int64_t out_height = 0, out_width = 0;
  int64_t kernel_height = 1, kernel_width = 1;
  int64_t stride_height = 1, stride_width = 1;
  int64_t padding_height = 0, padding_width = 0;
  int threads = 1;
  bool portable = false;  // without code that is for some CPUs alone
};

// Places of a window that a byte can tell apart.
constexpr int64_t kMaxPoolPlaces = 256;

// y = the greatest of each window, `places` (as many) = where it was, row by row; the first of
// equals. A positive NaN is greater than all else, a negative one smaller.
void MaxPool(const MaxPoolShape& shape, const uint16_t* x, uint16_t* y, uint8_t* places);

// dx = the sums of those dy of which it was the greatest, added in f32. dx is none of the others.
void MaxPoolBackward(const MaxPoolShape& shape, const uint16_t* dy, const uint8_t* places,
                     uint16_t* dx);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_MAX_POOL_H_
