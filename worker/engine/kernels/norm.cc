#include "worker/engine/kernels/norm.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <type_traits>

#include "worker/engine/kernels/bfloat16.h"
#include "worker/engine/kernels/norm_kernels.h"
#include "worker/engine/kernels/parallel.h"

#define FRONTIER_INLINE inline __attribute__((always_inline))

namespace frontier::worker {
namespace {

using batch_norm::kCoefficients;
using batch_norm::Kernels;
using batch_norm::kFloatsPerPart;
using batch_norm::kRowsPerSum;
using batch_norm::Rows;
using batch_norm::Scratch;

FRONTIER_INLINE float Load(const float* p) { return *p; }
FRONTIER_INLINE float Load(const uint16_t* p) { return FloatFromBfloat16(*p); }
FRONTIER_INLINE void Put(float value, float* p) { *p = value; }
FRONTIER_INLINE void Put(float value, uint16_t* p) { *p = Bfloat16FromFloat(value); }

// Calls `add(row)` for the rows of a part, whose sums go to its totals.
template <typename Add>
FRONTIER_INLINE void SumRows(const Rows& rows, const Scratch& scratch, int64_t part,
                             const Add& add) {
  float* const sums = scratch.sums(part);
  double* const totals = scratch.totals(part);
  std::fill(sums, sums + 2 * rows.padded, 0.0f);
  std::fill(totals, totals + 2 * rows.padded, 0.0);
  const int64_t end = rows.end(part);
  for (int64_t row = rows.begin(part); row < end;) {
    const int64_t stop = std::min(end, row + kRowsPerSum);
    for (; row < stop; ++row) add(row);
    for (int64_t i = 0; i < 2 * rows.padded; ++i) {
      totals[i] += sums[i];
      sums[i] = 0;
    }
  }
}

template <typename Body>
void ForParts(const Rows& rows, const Body& body) {
  if (rows.parts == 1) return body(int64_t{0});
#pragma omp parallel for num_threads(static_cast <int>(rows.parts)) schedule(static, 1)
  for (int64_t p = 0; p < rows.parts; ++p) body(p);
}

// Sums of x - pivot and its square: a pivot among the values keeps the variance from cancelling.
template <typename T>
FRONTIER_INLINE void Moments(const Rows& rows, const Scratch& scratch, int64_t part, const T* x) {
  const float* const pivot = scratch.coefficient(batch_norm::kPivot);
  float* const sum = scratch.sums(part);
  float* const square = sum + rows.padded;
  SumRows(rows, scratch, part, [&](int64_t row) {
    const T* const from = x + row * rows.width;
    const int64_t length = rows.length(row);
#pragma GCC ivdep
    for (int64_t i = 0; i < length; ++i) {
      const float d = Load(from + i) - pivot[i];
      sum[i] += d;
      square[i] += d * d;
    }
  });
}

template <typename T, bool kAddend, bool kRelu>
FRONTIER_INLINE void Apply(const Rows& rows, const Scratch& scratch, int64_t part,
                           const NormForward<T>& norm) {
  const float* const mean = scratch.coefficient(batch_norm::kPivot);
  const float* const factor = scratch.coefficient(batch_norm::kFactor);
  const float* const shift = scratch.coefficient(batch_norm::kOffset);
  const int64_t end = rows.end(part);
  for (int64_t row = rows.begin(part); row < end; ++row) {
    const T* const x = norm.x + row * rows.width;
    const T* const addend = kAddend ? norm.addend + row * rows.width : nullptr;
    T* const y = norm.y + row * rows.width;
    const int64_t length = rows.length(row);
#pragma GCC ivdep
    for (int64_t i = 0; i < length; ++i) {
      float v = (Load(x + i) - mean[i]) * factor[i] + shift[i];
      if constexpr (kAddend) v += Load(addend + i);
      if constexpr (kRelu) v = v < 0 ? 0 : v;
      Put(v, y + i);
    }
  }
}

// Value i of the derivative before the ReLU.
template <typename T, bool kOther, bool kRelu>
FRONTIER_INLINE float Derivative(const NormBackward<T>& norm, int64_t i) {
  float d = Load(norm.dy + i);
  if constexpr (kOther) d += Load(norm.other_dy + i);
  if constexpr (kRelu) {
    // A mask, not a choice, which the compiler would make a branch around the loads.
    const uint32_t mask = Load(norm.y + i) > 0 ? ~uint32_t{0} : uint32_t{0};
    d = std::bit_cast<float>(std::bit_cast<uint32_t>(d) & mask);
  }
  return d;
}

// Sums of d and d (x - mean), d being the derivative before the ReLU.
template <typename T, bool kOther, bool kRelu, bool kKeep>
FRONTIER_INLINE void Reduce(const Rows& rows, const Scratch& scratch, int64_t part,
                            const NormBackward<T>& norm) {
  const float* const mean = scratch.coefficient(batch_norm::kMean);
  float* const sum = scratch.sums(part);
  float* const product = sum + rows.padded;
  SumRows(rows, scratch, part, [&](int64_t row) {
    const int64_t at = row * rows.width, length = rows.length(row);
#pragma GCC ivdep
    for (int64_t i = 0; i < length; ++i) {
      float d = Derivative<T, kOther, kRelu>(norm, at + i);
      if constexpr (kKeep) {
        T kept;  // rounded
        Put(d, &kept);
        norm.masked[at + i] = kept;
        d = Load(&kept);
      }
      sum[i] += d;
      product[i] += d * (Load(norm.x + at + i) - mean[i]);
    }
  });
}

// dx = factor (d - mean of d - (x - mean) slope).
template <typename T, bool kOther, bool kRelu>
FRONTIER_INLINE void Differentiate(const Rows& rows, const Scratch& scratch, int64_t part,
                                   const NormBackward<T>& norm) {
  const float* const mean = scratch.coefficient(batch_norm::kMean);
  const float* const factor = scratch.coefficient(batch_norm::kForwardFactor);
  const float* const slope = scratch.coefficient(batch_norm::kSlope);
  const float* const constant = scratch.coefficient(batch_norm::kConstant);
  const int64_t end = rows.end(part);
  for (int64_t row = rows.begin(part); row < end; ++row) {
    const int64_t at = row * rows.width, length = rows.length(row);
#pragma GCC ivdep
    for (int64_t i = 0; i < length; ++i) {
      const float d = Derivative<T, kOther, kRelu>(norm, at + i);
      const float centred = Load(norm.x + at + i) - mean[i];
      Put(factor[i] * (d - constant[i] - centred * slope[i]), norm.dx + at + i);
    }
  }
}

template <typename T, bool kOther, bool kRelu>
FRONTIER_INLINE void Reduce(const Rows& rows, const Scratch& scratch, int64_t part,
                            const NormBackward<T>& norm) {
  norm.masked != nullptr ? Reduce<T, kOther, kRelu, true>(rows, scratch, part, norm)
                         : Reduce<T, kOther, kRelu, false>(rows, scratch, part, norm);
}

// Clones cannot be templates: one name for each element type.
#define FRONTIER_NORM_CLONES(T, Suffix)                                                          \
  FRONTIER_VECTOR_CLONES void Moments##Suffix(const Rows& rows, const Scratch& scratch,          \
                                              int64_t part, const T* x) {                        \
    Moments(rows, scratch, part, x);                                                             \
  }                                                                                              \
  FRONTIER_VECTOR_CLONES void Apply##Suffix(const Rows& rows, const Scratch& scratch,            \
                                            int64_t part, const NormForward<T>& norm) {          \
    if (norm.addend != nullptr) {                                                                \
      norm.relu ? Apply<T, true, true>(rows, scratch, part, norm)                                \
                : Apply<T, true, false>(rows, scratch, part, norm);                              \
    } else {                                                                                     \
      norm.relu ? Apply<T, false, true>(rows, scratch, part, norm)                               \
                : Apply<T, false, false>(rows, scratch, part, norm);                             \
    }                                                                                            \
  }                                                                                              \
  FRONTIER_VECTOR_CLONES void Reduce##Suffix(const Rows& rows, const Scratch& scratch,           \
                                             int64_t part, const NormBackward<T>& norm) {        \
    if (norm.other_dy != nullptr) {                                                              \
      norm.relu ? Reduce<T, true, true>(rows, scratch, part, norm)                               \
                : Reduce<T, true, false>(rows, scratch, part, norm);                             \
    } else {                                                                                     \
      norm.relu ? Reduce<T, false, true>(rows, scratch, part, norm)                              \
                : Reduce<T, false, false>(rows, scratch, part, norm);                            \
    }                                                                                            \
  }                                                                                              \
  FRONTIER_VECTOR_CLONES void Differentiate##Suffix(const Rows& rows, const Scratch& scratch,    \
                                                    int64_t part, const NormBackward<T>& norm) { \
    if (norm.other_dy != nullptr) {                                                              \
      norm.relu ? Differentiate<T, true, true>(rows, scratch, part, norm)                        \
                : Differentiate<T, true, false>(rows, scratch, part, norm);                      \
    } else {                                                                                     \
      norm.relu ? Differentiate<T, false, true>(rows, scratch, part, norm)                       \
                : Differentiate<T, false, false>(rows, scratch, part, norm);                     \
    }                                                                                            \
  }                                                                                              \
  constexpr Kernels<T> k##Suffix = {Moments##Suffix, Apply##Suffix, Reduce##Suffix,              \
                                    Differentiate##Suffix};

FRONTIER_NORM_CLONES(float, F32)
FRONTIER_NORM_CLONES(uint16_t, Bf16)

// The code for this CPU, and where it has the coefficients and totals of a place in a row.
template <typename T>
struct Choice {
  Kernels<T> kernels;
  bool vector;  // hand-written

  int64_t place(int64_t i) const { return vector ? batch_norm::VectorPlace(i) : i; }
};

template <typename T>
Choice<T> Choose([[maybe_unused]] const NormShape& shape) {
  if constexpr (std::is_same_v<T, float>) {
    return {kF32, /*vector=*/false};
  } else {
    const Kernels<T>* const vector = shape.portable ? nullptr : batch_norm::VectorKernels();
    return {vector != nullptr ? *vector : kBf16, vector != nullptr};
  }
}

// Total `which` of a channel over all parts.
template <typename T>
double Total(const Choice<T>& choice, const Rows& rows, const Scratch& scratch, int which,
             int64_t channel) {
  double sum = 0;
  for (int64_t p = 0; p < rows.parts; ++p) {
    const double* const t = scratch.totals(p) + which * rows.padded;
    for (int64_t i = channel; i < rows.width; i += rows.channels) sum += t[choice.place(i)];
  }
  return sum;
}

// The same number in both passes, so that they agree on where y is positive.
float Factor(float scale, float variance, float epsilon) {
  return scale / std::sqrt(variance + epsilon);
}

// So that y = x factor + offset, which is precise enough for an x of 8 bits: a deviation far
// smaller than the mean is lost in x already.
float Offset(float shift, float mean, float factor) {
  return static_cast<float>(double{shift} - double{mean} * double{factor});
}

}  // namespace

int64_t NormScratch(const NormShape& shape) {
  const Rows rows(shape);
  return (rows.parts * kFloatsPerPart + kCoefficients) * rows.padded;
}

template <typename T>
void RunNormForward(const NormShape& shape, const NormForward<T>& norm) {
  const Rows rows(shape);
  const Scratch scratch(rows, norm.scratch);
  const Choice<T> choice = Choose<T>(shape);
  float* const pivot = scratch.coefficient(batch_norm::kPivot);
  for (int64_t i = 0; i < rows.width; ++i) {
    pivot[choice.place(i)] = Load(norm.x + i % rows.channels);
  }
  ForParts(rows, [&](int64_t part) { choice.kernels.moments(rows, scratch, part, norm.x); });

  const double count = static_cast<double>(shape.pixels);
  for (int64_t c = 0; c < rows.channels; ++c) {
    const double mean = Total(choice, rows, scratch, 0, c) / count;
    const double square = Total(choice, rows, scratch, 1, c) / count;
    // Not std::max, which would hide a NaN.
    const double variance = square - mean * mean < 0 ? 0 : square - mean * mean;
    norm.mean[c] = static_cast<float>(double{Load(norm.x + c)} + mean);
    norm.variance[c] = static_cast<float>(variance);
  }
  for (int64_t i = 0; i < rows.width; ++i) {
    const int64_t c = i % rows.channels, at = choice.place(i);
    const float factor = Factor(norm.scale[c], norm.variance[c], norm.epsilon);
    pivot[at] = norm.mean[c];
    scratch.coefficient(batch_norm::kFactor)[at] = factor;
    scratch.coefficient(batch_norm::kOffset)[at] =
        choice.vector ? Offset(norm.shift[c], norm.mean[c], factor) : norm.shift[c];
  }
  ForParts(rows, [&](int64_t part) { choice.kernels.apply(rows, scratch, part, norm); });
}

template <typename T>
void RunNormBackward(const NormShape& shape, const NormBackward<T>& norm) {
  const Rows rows(shape);
  const Scratch scratch(rows, norm.scratch);
  const Choice<T> choice = Choose<T>(shape);
  for (int64_t i = 0; i < rows.width; ++i) {
    const int64_t c = i % rows.channels, at = choice.place(i);
    const float factor = Factor(norm.scale[c], norm.variance[c], norm.epsilon);
    scratch.coefficient(batch_norm::kMean)[at] = norm.mean[c];
    scratch.coefficient(batch_norm::kForwardFactor)[at] = factor;
    scratch.coefficient(batch_norm::kForwardOffset)[at] =
        norm.shift != nullptr ? Offset(norm.shift[c], norm.mean[c], factor) : 0;
  }
  ForParts(rows, [&](int64_t part) { choice.kernels.reduce(rows, scratch, part, norm); });

  const double count = static_cast<double>(shape.pixels);
  for (int64_t c = 0; c < rows.channels; ++c) {
    const double sum = Total(choice, rows, scratch, 0, c);
    const double product = Total(choice, rows, scratch, 1, c);
    const double variance = double{norm.variance[c]} + double{norm.epsilon};
    norm.dshift[c] = static_cast<float>(sum);
    norm.dscale[c] = static_cast<float>(product / std::sqrt(variance));
    double slope = product / variance / count, constant = sum / count;
    if (choice.vector) {  // dx = d factor + x slope + constant
      const double factor{Factor(norm.scale[c], norm.variance[c], norm.epsilon)};
      constant = factor * (slope * double{norm.mean[c]} - constant);
      slope *= -factor;
    }
    for (int64_t i = c; i < rows.width; i += rows.channels) {
      scratch.coefficient(batch_norm::kSlope)[choice.place(i)] = static_cast<float>(slope);
      scratch.coefficient(batch_norm::kConstant)[choice.place(i)] = static_cast<float>(constant);
    }
  }
  NormBackward<T> rest = norm;
  if (norm.masked != nullptr) {
    rest.dy = norm.masked;
    rest.other_dy = nullptr;
    rest.relu = false;
  }
  ForParts(rows, [&](int64_t part) { choice.kernels.differentiate(rows, scratch, part, rest); });
}

template void RunNormForward<float>(const NormShape&, const NormForward<float>&);
template void RunNormForward<uint16_t>(const NormShape&, const NormForward<uint16_t>&);
template void RunNormBackward<float>(const NormShape&, const NormBackward<float>&);
template void RunNormBackward<uint16_t>(const NormShape&, const NormBackward<uint16_t>&);

}  // namespace frontier::worker
