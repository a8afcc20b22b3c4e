// Internal to norm: how values are divided, where sums lie, and the vector code of a CPU.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_NORM_KERNELS_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_NORM_KERNELS_H_

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "worker/engine/kernels/norm.h"

namespace frontier::worker::batch_norm {

constexpr int64_t kRowsPerSum = 128;  // added in f32 before they go to a double
constexpr int64_t kVector = 32;       // bf16 values of a vector

// The values as rows of whole pixels; the last row may be shorter.
struct Rows {
  explicit Rows(const NormShape& shape)
      : channels(shape.channels),
        width(Width(channels)),
        padded((width + kVector - 1) / kVector * kVector),
        values(shape.pixels * channels),
        count((values + width - 1) / width),
        parts(std::max<int64_t>(1, std::min<int64_t>(shape.threads, count / kRowsPerSum))) {}
  int64_t length(int64_t row) const { return std::min(width, values - row * width); }
  int64_t begin(int64_t part) const { return count * part / parts; }
  int64_t end(int64_t part) const { return count * (part + 1) / parts; }

  // Few channels are repeated until loops over a row are worth it and, if that is not too long, end
  // with a whole vector.
  static int64_t Width(int64_t channels) {
    constexpr int64_t kShortest = 64, kLongest = 1024;
    int64_t width = std::lcm(channels, kVector);
    if (width > kLongest) width = channels;
    return width * std::max<int64_t>(1, kShortest / width);
  }

  int64_t channels, width, padded, values, count, parts;
};

// By place in a row: two f32 sums and two double sums a part, then up to five coefficients.
constexpr int64_t kFloatsPerPart = 6;
constexpr int64_t kCoefficients = 5;

struct Scratch {
  Scratch(const Rows& rows, float* memory) : width(rows.padded), parts(rows.parts), base(memory) {}
  float* sums(int64_t part) const { return base + part * kFloatsPerPart * width; }
  double* totals(int64_t part) const { return reinterpret_cast<double*>(sums(part) + 2 * width); }
  float* coefficient(int64_t i) const { return base + (parts * kFloatsPerPart + i) * width; }

  int64_t width, parts;
  float* base;
};

// Which of the coefficients is which.
enum ForwardCoefficient { kPivot, kFactor, kOffset };
enum BackwardCoefficient { kMean, kForwardFactor, kForwardOffset, kSlope, kConstant };

// The passes over one part. Hand-written code takes other coefficients, given in brackets.
template <typename T>
struct Kernels {
  // Totals of x - pivot and its square.
  void (*moments)(const Rows&, const Scratch&, int64_t part, const T* x);
  // y = (x - pivot) factor + offset [y = x factor + offset], and what follows.
  void (*apply)(const Rows&, const Scratch&, int64_t part, const NormForward<T>&);
  // Totals of d and d (x - mean), d being the derivative before the ReLU; `masked`, unless null.
  void (*reduce)(const Rows&, const Scratch&, int64_t part, const NormBackward<T>&);
  // dx = factor (d - constant - (x - mean) slope) [dx = d factor + x slope + constant].
  void (*differentiate)(const Rows&, const Scratch&, int64_t part, const NormBackward<T>&);
};

// Hand-written code for bf16; null if the CPU cannot run it.
const Kernels<uint16_t>* VectorKernels();

// Where it has totals and coefficients of place i: even ones of a vector come before odd ones.
inline int64_t VectorPlace(int64_t i) {
  return i / kVector * kVector + i % 2 * (kVector / 2) + i % kVector / 2;
}

}  // namespace frontier::worker::batch_norm

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_NORM_KERNELS_H_
