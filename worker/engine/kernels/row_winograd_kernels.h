// Internal to row_winograd: the single-threaded pieces, one set for each element type.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_ROW_WINOGRAD_KERNELS_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_ROW_WINOGRAD_KERNELS_H_

#include <cstddef>
#include <cstdint>

namespace frontier::worker::row_winograd {

constexpr int64_t kPoints = 6;
constexpr int64_t kTile = 4;    // outputs of a tile, along the width
constexpr int64_t kLanes = 16;  // channels of a vector register

// Elements of the reduction that one multiplication takes, and bytes of an element.
struct ElementTraits {
  int64_t step;
  int64_t bytes;
};

// A convolution from `in_channels` to `out_channels`; of backward data these are dy's and dx's.
struct Convolution {
  int64_t height, width, tiles;  // tiles = width / 4, rounded up
  int64_t in_channels, out_channels;
  int64_t strip;   // rows transformed at a time
  int64_t images;  // that are transformed at a time; 1 if the strip is not the whole image
};

// Rows [begin, end) of the images [first, last).
struct Rows {
  int64_t first, last, begin, end;
};

struct Kernels {
  ElementTraits traits;

  // Weights out x in x 3 x 3 (f32) to [out / 16][kh][in / step][point][16][step]; flipped swaps
  // `in` and `out` and turns the filters, for backward data. Does blocks [begin, end) of 16 lanes.
  void (*transform_weights)(const float* weights, int64_t out_channels, int64_t in_channels,
                            bool flipped, int64_t begin, int64_t end, void* transformed);

  // `rows_scratch` holds images x (strip + 2) x tiles x in_channels x 6 elements.
  // sums: null, or 2 x out_channels to which sums and sums of squares are added.
  void (*convolve)(const Convolution& convolution, const Rows& rows, const void* x,
                   const void* transformed, void* rows_scratch, void* y, double* sums);

  // Adds the products of images [first, last), rows [begin, end), to `products`
  // ([point][out / 16][in / 8][kh][8][16], f32), or writes them if not `add`. `x_scratch` holds
  // 6 x in_channels x groups x (end - begin + 2) x tiles x step elements, where a group is `step`
  // images and the last one is filled up with zeros; `dy_scratch` 6 x out_channels x groups x
  // (end - begin) x tiles x step.
  void (*multiply_gradient)(const Convolution& convolution, int64_t first, int64_t last,
                            int64_t begin, int64_t end, const void* x, const void* dy,
                            void* x_scratch, void* dy_scratch, bool add, float* products);

  // Sums `parts` arrays of products, `stride` apart, in order, and transforms the sums to
  // out x in x 3 x 3, for blocks [begin, end) of 16 x 16 channels, the input's fastest.
  void (*finish_gradient)(int64_t out_channels, int64_t in_channels, const float* products,
                          int64_t parts, int64_t stride, int64_t begin, int64_t end,
                          float* dweights);
};

// Null if this CPU (or this build) has not the instructions.
const Kernels* Float32Kernels();
const Kernels* Bfloat16Kernels();

}  // namespace frontier::worker::row_winograd

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_ROW_WINOGRAD_KERNELS_H_
