// The gradient of a convolution's weights on the CPU's matrix units (Intel AMX, bf16).
//
// Maps are batch x height x width x channels ("channels last", dense), bf16; the gradient is f32,
// out_channels x in_channels x kernel_height x kernel_width. Sums are f32.
//
// The sum over all pixels of x's channels times dy's is a product of matrices, one for each place
// of the kernel. x is transposed once for each image into rows by channel, zeros between the lines
// of the image, so that a place of the kernel is but an offset into these rows; a stride splits the
// lines and columns of x by remainder first.
//
// A NaN or an infinity of an input makes all results NaN or infinite that a plain sum would; and
// perhaps others of the same channel.
//
// Calls allocate nothing, and their results depend on the arguments alone, `threads` among them,
// bit for bit. `scratch` is aligned to 64 bytes and shared with no other call of that time; what it
// holds before and after has no meaning. Maps need the alignment of their elements only.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_TILE_GRADIENT_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_TILE_GRADIENT_H_

#include <cstddef>
#include <cstdint>

#include "worker/engine/kernels/convolution_axis.h"

namespace frontier::worker {

struct TileGradientShape {
  int64_t batch = 0;
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  ConvolutionAxis height, width;
};

// True if the functions below can be called: no dimension is below 1, and CPU and operating system
// offer matrix units.
bool TileGradientSupported(const TileGradientShape& shape);

// Bytes of scratch memory; `threads` >= 1.
size_t TileGradientScratchBytes(const TileGradientShape& shape, int threads);

// dweights: the derivative by the weights, given x and dy, that by y.
void TileGradient(const TileGradientShape& shape, int threads, const uint16_t* x,
                  const uint16_t* dy, void* scratch, float* dweights);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_TILE_GRADIENT_H_
