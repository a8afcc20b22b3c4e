#include "worker/engine/kernels/dropout.h"

#include <algorithm>

#include "common/base/random.h"
#include "worker/engine/kernels/parallel.h"
#include "worker/engine/kernels/parallel_rows.h"

namespace frontier::worker {
namespace {

// `count` values whose places are `stride` apart.
FRONTIER_VECTOR_CLONES
void DropRun(const DropoutMask& mask, uint32_t index, uint32_t stride, const float* x,
             int64_t count, float* out) {
  const DropoutMask keys = mask;
  const float scale = keys.scale();
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float scaled = x[i] * scale;  // always, so that the loop has no branch
    out[i] = keys.Keeps(index + static_cast<uint32_t>(i) * stride) ? scaled : 0.0f;
  }
}

}  // namespace

DropoutMask::DropoutMask(uint64_t seed, int64_t step, int node, float rate)
    : threshold_(static_cast<uint32_t>(static_cast<double>(rate) * 4294967296.0)),
      scale_(static_cast<float>(1.0 / (1.0 - static_cast<double>(rate)))) {
  Rng steps(seed, static_cast<uint64_t>(node));
  Rng keys(steps.NextUint64(), static_cast<uint64_t>(step));
  const uint64_t key = keys.NextUint64();
  first_key_ = static_cast<uint32_t>(key);
  second_key_ = static_cast<uint32_t>(key >> 32);
}

void Dropout(const DropoutMask& mask, const ChannelLayout& layout, const float* x, float* out) {
  const int64_t block = layout.block, positions = layout.positions;
  const auto place = [&](int64_t row) {  // of the first channel of a row's block
    const int64_t n = row / layout.blocks, b = row % layout.blocks;
    return static_cast<uint32_t>((n * layout.channels + b * block) * positions);
  };
  ParallelRows(layout, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t at = row * positions * block;
      const uint32_t first = place(row);
      if (block == 1) {
        DropRun(mask, first, 1, x + at, positions, out + at);
        continue;
      }
      const int64_t used = layout.used(row % layout.blocks);
      for (int64_t p = 0; p < positions; ++p) {
        const int64_t from = at + p * block;
        DropRun(mask, first + static_cast<uint32_t>(p), static_cast<uint32_t>(positions), x + from,
                used, out + from);
        std::fill(out + from + used, out + from + block, 0.0f);
      }
    }
  });
}

}  // namespace frontier::worker
