// How a batch of maps lies in memory, for kernels that must know the channel of a value.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_CHANNEL_LAYOUT_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_CHANNEL_LAYOUT_H_

#include <algorithm>
#include <cstdint>

#include "worker/engine/kernels/parallel.h"

namespace frontier::worker {

// batch x blocks x positions x block, row-major; channel = number of the block * block + place in
// it. A block of 1 is the plain format, one of all channels puts channels last. The last block is
// padded with zeros if the channels do not fill it.
struct ChannelLayout {
  int64_t batch = 0;
  int64_t channels = 0;
  int64_t positions = 0;  // height x width
  int64_t block = 1;
  int64_t blocks = 0;  // channels / block, rounded up

  int64_t rows() const { return batch * blocks; }
  // Channels of block `b` that are not padding.
  int64_t used(int64_t b) const { return std::min(block, channels - b * block); }
};

// Calls `body(begin, end)` for parts of the rows (one block of one sample each), which depend on
// the layout and the number of threads alone.
template <typename Body>
void ParallelRows(const ChannelLayout& layout, const Body& body) {
  constexpr int64_t kSmallest = 1 << 14;  // elements worth a thread
  const int64_t rows = layout.rows();
  const int64_t elements = rows * layout.positions * layout.block;
  const int64_t parts =
      std::min<int64_t>({omp_get_max_threads(), rows, (elements + kSmallest - 1) / kSmallest});
  if (parts <= 1) {
    body(int64_t{0}, rows);
    return;
  }
#pragma omp parallel for num_threads(static_cast <int>(parts)) schedule(static, 1)
  for (int64_t p = 0; p < parts; ++p) body(rows * p / parts, rows * (p + 1) / parts);
}

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_CHANNEL_LAYOUT_H_
