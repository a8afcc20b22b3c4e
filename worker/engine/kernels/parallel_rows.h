// Loops over the rows of a layout with a fixed division of the work.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_PARALLEL_ROWS_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_PARALLEL_ROWS_H_

#include <algorithm>
#include <cstdint>

#include "worker/engine/kernels/channel_layout.h"
#include "worker/engine/kernels/parallel.h"

namespace frontier::worker {

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

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_PARALLEL_ROWS_H_
