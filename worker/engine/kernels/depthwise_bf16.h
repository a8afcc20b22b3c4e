// Backward passes of depthwise convolutions in bf16, several times as fast as the library's.
//
// Maps are batch x height x width x channels ("channels last", dense), bf16; weights and their
// gradient are f32, channels x kernel_height x kernel_width. Sums are f32.
//
// Calls allocate nothing, and their results depend on the arguments alone, `threads` among them,
// bit for bit. `scratch` is aligned to 64 bytes and shared with no other call of that time; what it
// holds before and after has no meaning. Maps need the alignment of their elements only.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_DEPTHWISE_BF16_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_DEPTHWISE_BF16_H_

#include <cstddef>
#include <cstdint>

#include "worker/engine/kernels/convolution_axis.h"

namespace frontier::worker {

struct DepthwiseBf16Shape {
  int64_t batch = 0;
  int64_t channels = 0;
  ConvolutionAxis height, width;
};

// True if the functions below can be called: no dimension is below 1, the kernel is at most 7 wide,
// and this CPU has the instructions (AVX-512 with its bf16 part).
bool DepthwiseBf16Supported(const DepthwiseBf16Shape& shape);

// Bytes of scratch memory for either function; `threads` >= 1.
size_t DepthwiseBf16ScratchBytes(const DepthwiseBf16Shape& shape, int threads);

// dx: the derivative by x, given dy, that by y.
void DepthwiseBf16BackwardData(const DepthwiseBf16Shape& shape, int threads, const uint16_t* dy,
                               const float* weights, void* scratch, uint16_t* dx);

// dweights: the derivative by the weights.
void DepthwiseBf16BackwardWeights(const DepthwiseBf16Shape& shape, int threads, const uint16_t* x,
                                  const uint16_t* dy, void* scratch, float* dweights);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_DEPTHWISE_BF16_H_
