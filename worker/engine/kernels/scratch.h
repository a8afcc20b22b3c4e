// Sizes of scratch memory.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_SCRATCH_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_SCRATCH_H_

#include <cstdint>

namespace frontier::worker {

inline int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

// `bytes`, rounded up so that what comes next is aligned to 64 bytes.
inline int64_t AlignedBytes(int64_t bytes) { return CeilDivide(bytes, 64) * 64; }

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_SCRATCH_H_
