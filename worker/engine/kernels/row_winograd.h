// 3x3 convolutions (stride 1, padding 1, dilation 1, one group) with half the multiplications:
// Winograd's minimal filtering along the width (Lavin and Gray 2016, "Fast Algorithms for
// Convolutional Neural Networks", section 4.1; Winograd 1980), plain sums over the height and the
// channels. Forward and backward data are F(4,3), backward weights F(3,4), all with the points
// 0, 1, -1, 2, -2 and infinity.
//
// Maps are batch x height x width x channels ("channels last", dense), f32 or bf16; weights and
// their gradients are f32, out_channels x in_channels x 3 x 3. Sums are f32. bf16 rounds the
// transformed maps and weights once more than a plain convolution does: expect an error of 0.4
// to 0.9 % of the root mean square of the results, against 0.2 % (of weight gradients far less).
//
// A NaN or an infinity of an input makes all outputs NaN or infinite that a plain convolution
// would; and also others of the same four columns of a row.
//
// Calls allocate nothing, and their results depend on the arguments alone, `threads` among them,
// bit for bit. `scratch` is aligned to 64 bytes and shared with no other call of that time; what it
// holds before and after has no meaning. Maps need the alignment of their elements only.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_ROW_WINOGRAD_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_ROW_WINOGRAD_H_

#include <cstddef>
#include <cstdint>

namespace frontier::worker {

enum class RowWinogradElement { kFloat32, kBfloat16 };  // of the maps; bf16 is a uint16_t
enum class RowWinogradPass { kForward, kBackwardData, kBackwardWeights };

struct RowWinogradShape {
  RowWinogradElement element = RowWinogradElement::kFloat32;
  int64_t batch = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t in_channels = 0;
  int64_t out_channels = 0;
};

// Sums over batch, height and width of the outputs as stored (so of rounded ones), for each output
// channel. Short f32 sums are added in double, so that a variance can be taken from them. Both
// pointers or none are null.
struct RowWinogradSums {
  double* sum = nullptr;      // out_channels
  double* squares = nullptr;  // out_channels
};

// True if the functions below can be called: both channel counts are multiples of 16, no dimension
// is below 1, and this CPU has the instructions (AVX-512, with its bf16 part for bf16).
bool RowWinogradSupported(const RowWinogradShape& shape);

// Bytes of scratch memory for that pass; `threads` >= 1.
size_t RowWinogradScratchBytes(const RowWinogradShape& shape, RowWinogradPass pass, int threads);

// y = x * weights.
void RowWinogradForward(const RowWinogradShape& shape, int threads, const void* x,
                        const float* weights, void* scratch, void* y,
                        const RowWinogradSums& sums = {});

// dx: the derivative by x, given dy, that by y.
void RowWinogradBackwardData(const RowWinogradShape& shape, int threads, const void* dy,
                             const float* weights, void* scratch, void* dx);

// dweights: the derivative by the weights.
void RowWinogradBackwardWeights(const RowWinogradShape& shape, int threads, const void* x,
                                const void* dy, void* scratch, float* dweights);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_ROW_WINOGRAD_H_
