// The geometry of a convolution in one direction.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_CONVOLUTION_AXIS_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_CONVOLUTION_AXIS_H_

#include <cstdint>

namespace frontier::worker {

// Height or width: element o of the output looks at the elements
// o * stride + k * dilation - padding of the input, 0 <= k < kernel.
struct ConvolutionAxis {
  int64_t in = 0;   // size of the input
  int64_t out = 0;  // size of the output
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t padding = 0;  // before the first element

  bool IsValid() const {
    return in > 0 && out > 0 && kernel > 0 && stride > 0 && dilation > 0 && padding >= 0;
  }
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_CONVOLUTION_AXIS_H_
