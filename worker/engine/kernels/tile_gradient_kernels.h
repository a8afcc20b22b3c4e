// Internal to tile_gradient: the single-threaded pieces.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_TILE_GRADIENT_KERNELS_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_TILE_GRADIENT_KERNELS_H_

#include <cstdint>

#include "worker/engine/kernels/tile_gradient.h"

namespace frontier::worker::tile_gradient {

constexpr int64_t kTile = 16;   // rows of a tile, and f32 columns of a result
constexpr int64_t kDepth = 32;  // bf16 numbers that one multiplication adds up

struct Kernels {
  // Sets the units up for this thread, and gives them back.
  void (*begin)();
  void (*end)();

  // 16 channels from `channel` on of the pixels that `places` names (-1: zeros), as 16 rows of
  // `count` numbers, `pitch` numbers apart. `count` is a multiple of 32. Channels past the last
  // are zeros.
  void (*transpose)(const uint16_t* map, int64_t channels, int64_t channel, const int32_t* places,
                    int64_t count, int64_t pitch, uint16_t* rows);
  // The same as pairs of pixels: [count / 2][16 channels][2].
  void (*pair)(const uint16_t* map, int64_t channels, int64_t channel, const int32_t* places,
               int64_t count, uint16_t* pairs);

  // Adds to rows x columns tiles of 16 x 16 sums, or writes them if not `add`: the products of the
  // 16 x 32 `depth` numbers at lefts[r] (rows `pitch` numbers apart) and the pairs at rights[c].
  // Sums of the tile (r, c) are at sums + r * row_step + c * 256. rows * columns <= 4, and one of
  // them is 1 or both are 2.
  void (*multiply)(int64_t rows, int64_t columns, const uint16_t* const* lefts, int64_t pitch,
                   const uint16_t* const* rights, int64_t depth, bool add, float* sums,
                   int64_t row_step);
};

// Null if this CPU, operating system or build has not the instructions.
const Kernels* AmxKernels();

// TileGradient by these pieces, on any CPU.
void Run(const Kernels& kernels, const TileGradientShape& shape, int threads, const uint16_t* x,
         const uint16_t* dy, void* scratch, float* dweights);

}  // namespace frontier::worker::tile_gradient

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_TILE_GRADIENT_KERNELS_H_
