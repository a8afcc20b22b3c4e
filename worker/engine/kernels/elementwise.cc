#include "worker/engine/kernels/elementwise.h"

#include <limits>

#include "worker/engine/kernels/bfloat16.h"
#include "worker/engine/kernels/parallel.h"

namespace frontier::worker {
namespace {

FRONTIER_VECTOR_CLONES
void AddPair(const float* a, const float* b, int64_t count, float* out) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) out[i] = a[i] + b[i];
}

FRONTIER_VECTOR_CLONES
void AddPairRelu(const float* a, const float* b, int64_t count, float* out) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float sum = a[i] + b[i];
    out[i] = sum < 0 ? 0 : sum;
  }
}

FRONTIER_VECTOR_CLONES
void ReluRange(const float* x, int64_t count, float* out) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) out[i] = x[i] < 0 ? 0 : x[i];
}

FRONTIER_VECTOR_CLONES
void ReluBackwardRange(const float* y, const float* dy, int64_t count, float* dx) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float gradient = dy[i];  // read always, so that the loop has no branch
    dx[i] = y[i] > 0 ? gradient : 0;
  }
}

FRONTIER_VECTOR_CLONES
void Relu6Range(const float* x, int64_t count, float* out) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float positive = x[i] < 0 ? 0 : x[i];
    out[i] = positive > 6 ? 6 : positive;
  }
}

FRONTIER_VECTOR_CLONES
void Relu6BackwardRange(const float* y, const float* dy, int64_t count, float* dx) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float above = y[i] > 0 ? dy[i] : 0;
    dx[i] = y[i] < 6 ? above : 0;
  }
}

FRONTIER_VECTOR_CLONES
void HardSwishRange(const float* x, int64_t count, float* out) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float positive = x[i] < -3 ? 0 : x[i] + 3;
    const float factor = positive > 6 ? 6 : positive;
    out[i] = x[i] * factor * (1.0f / 6);
  }
}

FRONTIER_VECTOR_CLONES
void HardSwishBackwardRange(const float* x, const float* dy, int64_t count, float* dx) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float inner = (2 * x[i] + 3) * (1.0f / 6);
    const float left = x[i] <= -3 ? 0 : inner;
    const float slope = x[i] >= 3 ? 1 : left;
    dx[i] = dy[i] * slope;
  }
}

FRONTIER_VECTOR_CLONES
void HardSigmoidRange(const float* x, int64_t count, float* out) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float positive = x[i] < -3 ? 0 : x[i] + 3;
    out[i] = (positive > 6 ? 6 : positive) * (1.0f / 6);
  }
}

FRONTIER_VECTOR_CLONES
void HardSigmoidBackwardRange(const float* x, const float* dy, int64_t count, float* dx) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float gradient = dy[i] * (1.0f / 6);
    const float above = x[i] > -3 ? gradient : 0;
    dx[i] = x[i] < 3 ? above : 0;
  }
}

FRONTIER_VECTOR_CLONES
void LoadRange(const uint16_t* x, int64_t count, float* out) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) out[i] = FloatFromBfloat16(x[i]);
}

FRONTIER_VECTOR_CLONES
void AccumulateRange(const uint16_t* x, int64_t count, float* sum) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) sum[i] += FloatFromBfloat16(x[i]);
}

FRONTIER_VECTOR_CLONES
void StoreRange(const float* x, int64_t count, bool relu, uint16_t* out) {
  const float least = relu ? 0 : -std::numeric_limits<float>::infinity();
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) out[i] = Bfloat16FromFloat(x[i] < least ? least : x[i]);
}

FRONTIER_VECTOR_CLONES
void ReluBackwardRange16(const uint16_t* y, const uint16_t* dy, int64_t count, uint16_t* dx) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const uint16_t gradient = dy[i];
    dx[i] = FloatFromBfloat16(y[i]) > 0 ? gradient : uint16_t{0};
  }
}

}  // namespace

void Add(absl::Span<const uint16_t* const> inputs, int64_t count, bool relu, uint16_t* out) {
  ParallelRanges(count, [&](int64_t begin, int64_t end) {
    constexpr int64_t kPiece = 1024;
    float sum[kPiece];
    for (int64_t at = begin; at < end; at += kPiece) {
      const int64_t n = std::min(kPiece, end - at);
      LoadRange(inputs[0] + at, n, sum);
      for (size_t k = 1; k < inputs.size(); ++k) AccumulateRange(inputs[k] + at, n, sum);
      StoreRange(sum, n, relu, out + at);
    }
  });
}

void Relu(const uint16_t* x, int64_t count, uint16_t* out) {
  const uint16_t* const inputs[] = {x};
  Add(inputs, count, /*relu=*/true, out);
}

void ReluBackward(const uint16_t* y, const uint16_t* dy, int64_t count, uint16_t* dx) {
  ParallelRanges(count, [&](int64_t begin, int64_t end) {
    ReluBackwardRange16(y + begin, dy + begin, end - begin, dx + begin);
  });
}

void Add(absl::Span<const float* const> inputs, int64_t count, bool relu, float* out) {
  ParallelRanges(count, [&](int64_t begin, int64_t end) {
    // `out` may be any of the inputs, so a sum of more than two goes in pieces.
    constexpr int64_t kPiece = 1024;
    float partial[kPiece];
    for (int64_t at = begin; at < end; at += kPiece) {
      const int64_t n = std::min(kPiece, end - at);
      const float* sum = inputs[0] + at;
      for (size_t k = 1; k < inputs.size(); ++k) {
        const bool final = k + 1 == inputs.size();
        float* to = final ? out + at : partial;
        (final && relu ? AddPairRelu : AddPair)(sum, inputs[k] + at, n, to);
        sum = to;
      }
    }
  });
}

void Relu(const float* x, int64_t count, float* out) {
  ParallelRanges(
      count, [&](int64_t begin, int64_t end) { ReluRange(x + begin, end - begin, out + begin); });
}

void ReluBackward(const float* y, const float* dy, int64_t count, float* dx) {
  ParallelRanges(count, [&](int64_t begin, int64_t end) {
    ReluBackwardRange(y + begin, dy + begin, end - begin, dx + begin);
  });
}

void Relu6(const float* x, int64_t count, float* out) {
  ParallelRanges(
      count, [&](int64_t begin, int64_t end) { Relu6Range(x + begin, end - begin, out + begin); });
}

void Relu6Backward(const float* y, const float* dy, int64_t count, float* dx) {
  ParallelRanges(count, [&](int64_t begin, int64_t end) {
    Relu6BackwardRange(y + begin, dy + begin, end - begin, dx + begin);
  });
}

void HardSwish(const float* x, int64_t count, float* out) {
  ParallelRanges(count, [&](int64_t begin, int64_t end) {
    HardSwishRange(x + begin, end - begin, out + begin);
  });
}

void HardSwishBackward(const float* x, const float* dy, int64_t count, float* dx) {
  ParallelRanges(count, [&](int64_t begin, int64_t end) {
    HardSwishBackwardRange(x + begin, dy + begin, end - begin, dx + begin);
  });
}

void HardSigmoid(const float* x, int64_t count, float* out) {
  ParallelRanges(count, [&](int64_t begin, int64_t end) {
    HardSigmoidRange(x + begin, end - begin, out + begin);
  });
}

void HardSigmoidBackward(const float* x, const float* dy, int64_t count, float* dx) {
  ParallelRanges(count, [&](int64_t begin, int64_t end) {
    HardSigmoidBackwardRange(x + begin, dy + begin, end - begin, dx + begin);
  });
}

void UpdateRunningStatistics(const float* mean, const float* variance, int64_t channels,
                             int64_t samples, float momentum, float* running_mean,
                             float* running_variance) {
  const float unbiased =
      samples > 1
          ? static_cast<float>(static_cast<double>(samples) / static_cast<double>(samples - 1))
          : 1.0f;
  for (int64_t c = 0; c < channels; ++c) {
    running_mean[c] = (1 - momentum) * running_mean[c] + momentum * mean[c];
    running_variance[c] =
        (1 - momentum) * running_variance[c] + momentum * (variance[c] * unbiased);
  }
}

}  // namespace frontier::worker
