// Which values dropout keeps.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_DROPOUT_MASK_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_DROPOUT_MASK_H_

#include <cstdint>

namespace frontier::worker {

// The mask of one layer in one step: a function of its key and of the place of a value in batch x C
// x H x W alone, so that it depends neither on memory formats nor on threads and need not be kept
// for the backward pass.
class DropoutMask {
 public:
  // `rate` in [0, 1). Layers, steps and seeds have independent masks.
  DropoutMask(uint64_t seed, int64_t step, int node, float rate);

  // `index` is the row-major place, below 2^32.
  bool Keeps(uint32_t index) const {
    return Mix(Mix(index ^ first_key_) + second_key_) >= threshold_;
  }
  // What a kept value is multiplied by: 1 / (1 - rate).
  float scale() const { return scale_; }

 private:
  // Every bit of the input moves about half of the bits of the result. Multipliers: Wellons,
  // "Prospecting for Hash Functions" (2018).
  static uint32_t Mix(uint32_t x) {
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
  }

  uint32_t first_key_;
  uint32_t second_key_;
  uint32_t threshold_;
  float scale_;
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_DROPOUT_MASK_H_
