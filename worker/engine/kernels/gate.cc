#include "worker/engine/kernels/gate.h"

#include <algorithm>

#include "worker/engine/kernels/parallel.h"
#include "worker/engine/kernels/parallel_rows.h"

namespace frontier::worker {
namespace {

FRONTIER_VECTOR_CLONES
void MultiplyRange(const float* a, const float* b, int64_t count, float* out) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) out[i] = a[i] * b[i];
}

FRONTIER_VECTOR_CLONES
void ScaleRange(const float* x, float factor, int64_t count, float* out) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) out[i] = x[i] * factor;
}

// Sixteen running sums, so that the order does not depend on the vector width.
FRONTIER_VECTOR_CLONES
float DotRange(const float* a, const float* b, int64_t count) {
  constexpr int64_t kLanes = 16;
  float sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t k = 0; k < kLanes; ++k) sums[k] += a[i + k] * b[i + k];
  }
  float sum = 0;
  for (int64_t k = 0; k < kLanes; ++k) sum += sums[k];
  for (; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

FRONTIER_VECTOR_CLONES
void MultiplyAddRange(const float* a, const float* b, int64_t count, float* sum) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) sum[i] += a[i] * b[i];
}

}  // namespace

void Multiply(const float* a, const float* b, int64_t count, float* out) {
  ParallelRanges(count, [&](int64_t begin, int64_t end) {
    MultiplyRange(a + begin, b + begin, end - begin, out + begin);
  });
}

void Gate(const ChannelLayout& layout, const float* x, const float* gate, float* out) {
  ParallelRows(layout, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t b = row % layout.blocks, used = layout.used(b);
      const float* factors = gate + row / layout.blocks * layout.channels + b * layout.block;
      const int64_t at = row * layout.positions * layout.block;
      if (layout.block == 1) {
        ScaleRange(x + at, *factors, layout.positions, out + at);
        continue;
      }
      for (int64_t p = 0; p < layout.positions; ++p) {
        const int64_t from = at + p * layout.block;
        MultiplyRange(x + from, factors, used, out + from);
        std::fill(out + from + used, out + from + layout.block, 0.0f);
      }
    }
  });
}

void GateGradient(const ChannelLayout& layout, const float* x, const float* dy, float* dgate) {
  ParallelRows(layout, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t b = row % layout.blocks, used = layout.used(b);
      float* sums = dgate + row / layout.blocks * layout.channels + b * layout.block;
      const int64_t at = row * layout.positions * layout.block;
      if (layout.block == 1) {
        *sums = DotRange(x + at, dy + at, layout.positions);
        continue;
      }
      std::fill(sums, sums + used, 0.0f);
      for (int64_t p = 0; p < layout.positions; ++p) {
        const int64_t from = at + p * layout.block;
        MultiplyAddRange(x + from, dy + from, used, sums);
      }
    }
  });
}

}  // namespace frontier::worker
