#include "worker/engine/kernels/sgd.h"

#include "worker/engine/kernels/parallel.h"

namespace frontier::worker {
namespace {

FRONTIER_VECTOR_CLONES
void UpdateRange(float* weight, const float* gradient, float* velocity, int64_t count,
                 float learning_rate, float momentum, float decay) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] + decay * weight[i];
    const float v = momentum * velocity[i] + g;
    velocity[i] = v;
    weight[i] -= learning_rate * (g + momentum * v);
  }
}

}  // namespace

void SgdStep(absl::Span<const SgdParameter> parameters, const SgdSettings& settings) {
  for (const SgdParameter& p : parameters) {
    const float decay = p.decayed ? settings.weight_decay : 0;
    ParallelRanges(p.count, [&](int64_t begin, int64_t end) {
      UpdateRange(p.weight + begin, p.gradient + begin, p.velocity + begin, end - begin,
                  settings.learning_rate, settings.momentum, decay);
    });
  }
}

}  // namespace frontier::worker
