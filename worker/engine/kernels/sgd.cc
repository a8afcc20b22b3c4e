#include "worker/engine/kernels/sgd.h"

#include <atomic>
#include <bit>

#include "worker/engine/kernels/parallel.h"

namespace frontier::worker {
namespace {

// Returns whether a new weight is infinite or NaN: all bits of its exponent are set. Integers,
// since a sum of floats would bind the compiler to one order.
FRONTIER_VECTOR_CLONES
bool UpdateRange(float* weight, const float* gradient, float* velocity, int64_t count,
                 float learning_rate, float momentum, float decay) {
  constexpr uint32_t kExponent = 0x7f800000;
  uint32_t broken = 0;
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] + decay * weight[i];
    const float v = momentum * velocity[i] + g;
    velocity[i] = v;
    const float w = weight[i] - learning_rate * (g + momentum * v);
    weight[i] = w;
    broken |= (std::bit_cast<uint32_t>(w) & kExponent) == kExponent ? 1u : 0u;
  }
  return broken != 0;
}

}  // namespace

bool SgdStep(absl::Span<const SgdParameter> parameters, const SgdSettings& settings) {
  std::atomic<bool> finite{true};
  for (const SgdParameter& p : parameters) {
    const float decay = p.decayed ? settings.weight_decay : 0;
    ParallelRanges(p.count, [&](int64_t begin, int64_t end) {
      if (UpdateRange(p.weight + begin, p.gradient + begin, p.velocity + begin, end - begin,
                      settings.learning_rate, settings.momentum, decay)) {
        finite.store(false, std::memory_order_relaxed);
      }
    });
  }
  return finite.load();
}

}  // namespace frontier::worker
