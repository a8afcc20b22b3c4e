#include "worker/engine/kernels/optimizer.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>

#include "worker/engine/kernels/parallel.h"

namespace frontier::worker {
namespace {

// All bits of the exponent are set in what is infinite or NaN. Integers, since a sum of floats
// would bind the compiler to one order.
inline uint32_t Broken(float w) {
  constexpr uint32_t kExponent = 0x7f800000;
  return (std::bit_cast<uint32_t>(w) & kExponent) == kExponent ? 1u : 0u;
}

// These return whether a new weight is not finite.
FRONTIER_VECTOR_CLONES
bool NesterovRange(float* weight, const float* gradient, float* velocity, int64_t count,
                   float learning_rate, float momentum, float decay) {
  uint32_t broken = 0;
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] + decay * weight[i];
    const float v = momentum * velocity[i] + g;
    velocity[i] = v;
    const float w = weight[i] - learning_rate * (g + momentum * v);
    weight[i] = w;
    broken |= Broken(w);
  }
  return broken != 0;
}

FRONTIER_VECTOR_CLONES
bool SgdRange(float* weight, const float* gradient, float* velocity, int64_t count,
              float learning_rate, float momentum, float decay) {
  uint32_t broken = 0;
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float v = momentum * velocity[i] + (gradient[i] + decay * weight[i]);
    velocity[i] = v;
    const float w = weight[i] - learning_rate * v;
    weight[i] = w;
    broken |= Broken(w);
  }
  return broken != 0;
}

struct AdamFactors {
  float keep = 1;  // 1 - learning_rate * decay
  float rate = 0;  // learning_rate / (1 - b1^t)
  float beta1 = 0, rest1 = 1;
  float beta2 = 0, rest2 = 1;
  float root = 1;  // 1 / sqrt(1 - b2^t)
  float epsilon = 0;
};

FRONTIER_VECTOR_CLONES
bool AdamRange(float* weight, const float* gradient, float* first, float* second, int64_t count,
               const AdamFactors& factors) {
  const AdamFactors f = factors;
  uint32_t broken = 0;
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradient[i];
    const float m = f.beta1 * first[i] + f.rest1 * g;
    const float v = f.beta2 * second[i] + f.rest2 * (g * g);
    first[i] = m;
    second[i] = v;
    const float w = f.keep * weight[i] - f.rate * m / (std::sqrt(v) * f.root + f.epsilon);
    weight[i] = w;
    broken |= Broken(w);
  }
  return broken != 0;
}

FRONTIER_VECTOR_CLONES
double SquaresOf(const float* x, int64_t count) {
  constexpr int64_t kLanes = 16;
  double lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) {
      const double v = x[i + l];
      lanes[l] += v * v;
    }
  }
  for (int64_t l = 0; i < count; ++i, ++l) lanes[l] += static_cast<double>(x[i]) * x[i];
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

FRONTIER_VECTOR_CLONES
void ScaleRange(float* x, int64_t count, float factor) {
  for (int64_t i = 0; i < count; ++i) x[i] *= factor;
}

FRONTIER_VECTOR_CLONES
void AverageRange(const float* weight, int64_t count, float decay, float* average) {
  const float rest = 1 - decay;
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) average[i] = decay * average[i] + rest * weight[i];
}

}  // namespace

bool SgdStep(absl::Span<const OptimizedParameter> parameters, const OptimizerSettings& settings) {
  std::atomic<bool> finite{true};
  const auto update = settings.kind == OptimizerKind::kSgd ? SgdRange : NesterovRange;
  for (const OptimizedParameter& p : parameters) {
    const float decay = p.decayed ? settings.weight_decay : 0;
    ParallelRanges(p.count, [&](int64_t begin, int64_t end) {
      if (update(p.weight + begin, p.gradient + begin, p.velocity + begin, end - begin,
                 settings.learning_rate, settings.momentum, decay)) {
        finite.store(false, std::memory_order_relaxed);
      }
    });
  }
  return finite.load();
}

bool AdamWStep(absl::Span<const OptimizedParameter> parameters, const OptimizerSettings& settings,
               int64_t step) {
  const double rate = settings.learning_rate, beta1 = settings.momentum, beta2 = settings.beta2;
  const double t = static_cast<double>(step);
  AdamFactors factors;
  factors.rate = static_cast<float>(rate / (1 - std::pow(beta1, t)));
  factors.beta1 = settings.momentum;
  factors.rest1 = static_cast<float>(1 - beta1);
  factors.beta2 = settings.beta2;
  factors.rest2 = static_cast<float>(1 - beta2);
  factors.root = static_cast<float>(1 / std::sqrt(1 - std::pow(beta2, t)));
  factors.epsilon = settings.epsilon;
  std::atomic<bool> finite{true};
  for (const OptimizedParameter& p : parameters) {
    factors.keep = p.decayed ? static_cast<float>(1 - rate * settings.weight_decay) : 1.0f;
    ParallelRanges(p.count, [&](int64_t begin, int64_t end) {
      if (AdamRange(p.weight + begin, p.gradient + begin, p.velocity + begin,
                    p.second_moment + begin, end - begin, factors)) {
        finite.store(false, std::memory_order_relaxed);
      }
    });
  }
  return finite.load();
}

double ClipGradients(absl::Span<const OptimizedParameter> parameters, double limit) {
  double squares = 0;
  for (const OptimizedParameter& p : parameters) squares += SquaresOf(p.gradient, p.count);
  const double norm = std::sqrt(squares);
  const double factor = limit / (norm + 1e-6);
  if (!std::isfinite(norm) || factor >= 1) return norm;
  for (const OptimizedParameter& p : parameters) {
    ParallelRanges(p.count, [&](int64_t begin, int64_t end) {
      ScaleRange(p.gradient + begin, end - begin, static_cast<float>(factor));
    });
  }
  return norm;
}

void UpdateAverage(const float* weight, int64_t count, float decay, float* average) {
  ParallelRanges(count, [&](int64_t begin, int64_t end) {
    AverageRange(weight + begin, end - begin, decay, average + begin);
  });
}

float AverageDecay(float decay, int64_t step) {
  const double t = static_cast<double>(step);
  return std::min(decay, static_cast<float>((1 + t) / (10 + t)));
}

}  // namespace frontier::worker
