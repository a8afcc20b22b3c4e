// Loops over threads with a fixed division of the work, and code for the CPU at hand.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_PARALLEL_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_PARALLEL_H_

#include <omp.h>

#include <algorithm>
#include <cstdint>

// Compiles a function once for each of these instruction sets; the loader takes the best one. Not
// under sanitizers, whose runtime is not yet there when the loader asks.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FRONTIER_VECTOR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FRONTIER_VECTOR_CLONES
#endif

namespace frontier::worker {

// Calls `body(begin, end)` for parts of [0, count), which depend on `count` and the number of
// threads alone.
template <typename Body>
void ParallelRanges(int64_t count, const Body& body) {
  constexpr int64_t kSmallest = 1 << 14;  // elements worth a thread
  constexpr int64_t kUnit = 16;           // parts begin at whole cache lines of floats
  const int64_t parts =
      std::min<int64_t>(omp_get_max_threads(), (count + kSmallest - 1) / kSmallest);
  if (parts <= 1) {
    body(int64_t{0}, count);
    return;
  }
  const int64_t units = (count + kUnit - 1) / kUnit;
#pragma omp parallel for num_threads(static_cast <int>(parts)) schedule(static, 1)
  for (int64_t p = 0; p < parts; ++p) {
    const int64_t begin = units * p / parts * kUnit;
    const int64_t end = std::min(count, units * (p + 1) / parts * kUnit);
    body(begin, end);
  }
}

// Calls body(part, begin, end) for `parts` parts of [0, count), each on a thread.
template <typename Body>
void ParallelParts(int64_t count, int64_t parts, const Body& body) {
  if (parts == 1) {
    body(int64_t{0}, int64_t{0}, count);
    return;
  }
#pragma omp parallel for num_threads(static_cast <int>(parts)) schedule(static, 1)
  for (int64_t p = 0; p < parts; ++p) body(p, count * p / parts, count * (p + 1) / parts);
}

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_PARALLEL_H_
