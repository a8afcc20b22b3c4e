#include "worker/engine/kernels/norm.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "worker/engine/kernels/bfloat16.h"
#include "worker/engine/kernels/parallel.h"

#define FRONTIER_INLINE inline __attribute__((always_inline))

namespace frontier::worker {
namespace {

// Few channels are repeated until a row is this long, so that loops over a row are worth it.
constexpr int64_t kWidth = 64;
constexpr int64_t kRowsPerSum = 128;  // added in f32 before they go to a double

// The values as rows of whole pixels; the last row may be shorter.
struct Rows {
  explicit Rows(const NormShape& shape)
      : channels(shape.channels),
        width(channels * std::max<int64_t>(1, kWidth / channels)),
        values(shape.pixels * channels),
        count((values + width - 1) / width),
        parts(std::max<int64_t>(1, std::min<int64_t>(shape.threads, count / kRowsPerSum))) {}
  int64_t length(int64_t row) const { return std::min(width, values - row * width); }

  int64_t channels, width, values, count, parts;
};

// By place in a row: two f32 sums and two double sums a part, then up to four coefficients.
constexpr int64_t kFloatsPerPart = 6;
constexpr int64_t kCoefficients = 4;

struct Scratch {
  Scratch(const Rows& rows, float* memory) : width(rows.width), parts(rows.parts), base(memory) {}
  float* sums(int64_t part) const { return base + part * kFloatsPerPart * width; }
  double* totals(int64_t part) const { return reinterpret_cast<double*>(sums(part) + 2 * width); }
  float* coefficient(int64_t i) const { return base + (parts * kFloatsPerPart + i) * width; }
  // Total `which` of a channel over all parts.
  double Total(int which, int64_t channel, int64_t channels) const {
    double sum = 0;
    for (int64_t p = 0; p < parts; ++p) {
      const double* const t = totals(p) + which * width;
      for (int64_t i = channel; i < width; i += channels) sum += t[i];
    }
    return sum;
  }

  int64_t width, parts;
  float* base;
};

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
  std::fill(sums, sums + 2 * rows.width, 0.0f);
  std::fill(totals, totals + 2 * rows.width, 0.0);
  const int64_t end = rows.count * (part + 1) / rows.parts;
  for (int64_t row = rows.count * part / rows.parts; row < end;) {
    const int64_t stop = std::min(end, row + kRowsPerSum);
    for (; row < stop; ++row) add(row);
    for (int64_t i = 0; i < 2 * rows.width; ++i) {
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
  const float* const pivot = scratch.coefficient(0);
  float* const sum = scratch.sums(part);
  float* const square = sum + rows.width;
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
  const float* const mean = scratch.coefficient(0);
  const float* const factor = scratch.coefficient(1);
  const float* const shift = scratch.coefficient(2);
  const int64_t end = rows.count * (part + 1) / rows.parts;
  for (int64_t row = rows.count * part / rows.parts; row < end; ++row) {
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

// Sums of dy and dy (x - mean), dy being the derivative before the ReLU, which is kept.
template <typename T, bool kOther, bool kRelu>
FRONTIER_INLINE void Reduce(const Rows& rows, const Scratch& scratch, int64_t part,
                            const NormBackward<T>& norm) {
  const float* const mean = scratch.coefficient(0);
  float* const sum = scratch.sums(part);
  float* const product = sum + rows.width;
  SumRows(rows, scratch, part, [&](int64_t row) {
    const int64_t at = row * rows.width, length = rows.length(row);
    const T* const x = norm.x + at;
    const T* const dy = norm.dy + at;
    const T* const other = kOther ? norm.other_dy + at : nullptr;
    const T* const y = kRelu ? norm.y + at : nullptr;
    T* const masked = norm.masked + at;
#pragma GCC ivdep
    for (int64_t i = 0; i < length; ++i) {
      float d = Load(dy + i);
      if constexpr (kOther) d += Load(other + i);
      if constexpr (kRelu) {
        // A mask, not a choice, which the compiler would make a branch around the loads.
        const uint32_t mask = Load(y + i) > 0 ? ~uint32_t{0} : uint32_t{0};
        d = std::bit_cast<float>(std::bit_cast<uint32_t>(d) & mask);
      }
      if constexpr (kOther || kRelu) {
        T kept;  // rounded
        Put(d, &kept);
        masked[i] = kept;
        d = Load(&kept);
      }
      sum[i] += d;
      product[i] += d * (Load(x + i) - mean[i]);
    }
  });
}

// dx = factor (dy - mean of dy - (x - mean) * slope).
template <typename T>
FRONTIER_INLINE void Differentiate(const Rows& rows, const Scratch& scratch, int64_t part,
                                   const T* from, const NormBackward<T>& norm) {
  const float* const mean = scratch.coefficient(0);
  const float* const factor = scratch.coefficient(1);
  const float* const offset = scratch.coefficient(2);
  const float* const slope = scratch.coefficient(3);
  const int64_t end = rows.count * (part + 1) / rows.parts;
  for (int64_t row = rows.count * part / rows.parts; row < end; ++row) {
    const int64_t at = row * rows.width, length = rows.length(row);
    const T* const x = norm.x + at;
    const T* const dy = from + at;
    T* const dx = norm.dx + at;
#pragma GCC ivdep
    for (int64_t i = 0; i < length; ++i) {
      Put(factor[i] * (Load(dy + i) - offset[i] - (Load(x + i) - mean[i]) * slope[i]), dx + i);
    }
  }
}

// Clones cannot be templates: one name for each element type.
#define FRONTIER_NORM_CLONES(T, Suffix)                                                       \
  FRONTIER_VECTOR_CLONES void Moments##Suffix(const Rows& rows, const Scratch& scratch,       \
                                              int64_t part, const T* x) {                     \
    Moments(rows, scratch, part, x);                                                          \
  }                                                                                           \
  FRONTIER_VECTOR_CLONES void Apply##Suffix(const Rows& rows, const Scratch& scratch,         \
                                            int64_t part, const NormForward<T>& norm) {       \
    if (norm.addend != nullptr) {                                                             \
      norm.relu ? Apply<T, true, true>(rows, scratch, part, norm)                             \
                : Apply<T, true, false>(rows, scratch, part, norm);                           \
    } else {                                                                                  \
      norm.relu ? Apply<T, false, true>(rows, scratch, part, norm)                            \
                : Apply<T, false, false>(rows, scratch, part, norm);                          \
    }                                                                                         \
  }                                                                                           \
  FRONTIER_VECTOR_CLONES void Reduce##Suffix(const Rows& rows, const Scratch& scratch,        \
                                             int64_t part, const NormBackward<T>& norm) {     \
    if (norm.other_dy != nullptr) {                                                           \
      norm.relu ? Reduce<T, true, true>(rows, scratch, part, norm)                            \
                : Reduce<T, true, false>(rows, scratch, part, norm);                          \
    } else {                                                                                  \
      norm.relu ? Reduce<T, false, true>(rows, scratch, part, norm)                           \
                : Reduce<T, false, false>(rows, scratch, part, norm);                         \
    }                                                                                         \
  }                                                                                           \
  FRONTIER_VECTOR_CLONES void Differentiate##Suffix(const Rows& rows, const Scratch& scratch, \
                                                    int64_t part, const T* from,              \
                                                    const NormBackward<T>& norm) {            \
    Differentiate(rows, scratch, part, from, norm);                                           \
  }                                                                                           \
  void RunMoments(const Rows& r, const Scratch& s, int64_t p, const T* x) {                   \
    Moments##Suffix(r, s, p, x);                                                              \
  }                                                                                           \
  void RunApply(const Rows& r, const Scratch& s, int64_t p, const NormForward<T>& n) {        \
    Apply##Suffix(r, s, p, n);                                                                \
  }                                                                                           \
  void RunReduce(const Rows& r, const Scratch& s, int64_t p, const NormBackward<T>& n) {      \
    Reduce##Suffix(r, s, p, n);                                                               \
  }                                                                                           \
  void RunDifferentiate(const Rows& r, const Scratch& s, int64_t p, const T* from,            \
                        const NormBackward<T>& n) {                                           \
    Differentiate##Suffix(r, s, p, from, n);                                                  \
  }

FRONTIER_NORM_CLONES(float, F32)
FRONTIER_NORM_CLONES(uint16_t, Bf16)

}  // namespace

int64_t NormScratch(const NormShape& shape) {
  const Rows rows(shape);
  return (rows.parts * kFloatsPerPart + kCoefficients) * rows.width;
}

template <typename T>
void RunNormForward(const NormShape& shape, const NormForward<T>& norm) {
  const Rows rows(shape);
  const Scratch scratch(rows, norm.scratch);
  float* const pivot = scratch.coefficient(0);
  for (int64_t i = 0; i < rows.width; ++i) pivot[i] = Load(norm.x + i % rows.channels);
  ForParts(rows, [&](int64_t part) { RunMoments(rows, scratch, part, norm.x); });

  const double count = static_cast<double>(shape.pixels);
  for (int64_t c = 0; c < rows.channels; ++c) {
    const double mean = scratch.Total(0, c, rows.channels) / count;
    const double square = scratch.Total(1, c, rows.channels) / count;
    // Not std::max, which would hide a NaN.
    const double variance = square - mean * mean < 0 ? 0 : square - mean * mean;
    norm.mean[c] = static_cast<float>(pivot[c] + mean);
    norm.variance[c] = static_cast<float>(variance);
  }
  for (int64_t i = 0; i < rows.width; ++i) {
    const int64_t c = i % rows.channels;
    pivot[i] = norm.mean[c];
    scratch.coefficient(1)[i] = norm.scale[c] / std::sqrt(norm.variance[c] + norm.epsilon);
    scratch.coefficient(2)[i] = norm.shift[c];
  }
  ForParts(rows, [&](int64_t part) { RunApply(rows, scratch, part, norm); });
}

template <typename T>
void RunNormBackward(const NormShape& shape, const NormBackward<T>& norm) {
  const Rows rows(shape);
  const Scratch scratch(rows, norm.scratch);
  for (int64_t i = 0; i < rows.width; ++i) {
    scratch.coefficient(0)[i] = norm.mean[i % rows.channels];
  }
  ForParts(rows, [&](int64_t part) { RunReduce(rows, scratch, part, norm); });

  const double count = static_cast<double>(shape.pixels);
  for (int64_t c = 0; c < rows.channels; ++c) {
    const double sum = scratch.Total(0, c, rows.channels);
    const double product = scratch.Total(1, c, rows.channels);
    const double variance = double{norm.variance[c]} + double{norm.epsilon};
    norm.dshift[c] = static_cast<float>(sum);
    norm.dscale[c] = static_cast<float>(product / std::sqrt(variance));
    for (int64_t i = c; i < rows.width; i += rows.channels) {
      scratch.coefficient(1)[i] = static_cast<float>(norm.scale[c] / std::sqrt(variance));
      scratch.coefficient(2)[i] = static_cast<float>(sum / count);
      scratch.coefficient(3)[i] = static_cast<float>(product / variance / count);
    }
  }
  const T* const from = norm.relu || norm.other_dy != nullptr ? norm.masked : norm.dy;
  ForParts(rows, [&](int64_t part) { RunDifferentiate(rows, scratch, part, from, norm); });
}

template void RunNormForward<float>(const NormShape&, const NormForward<float>&);
template void RunNormForward<uint16_t>(const NormShape&, const NormForward<uint16_t>&);
template void RunNormBackward<float>(const NormShape&, const NormBackward<float>&);
template void RunNormBackward<uint16_t>(const NormShape&, const NormBackward<uint16_t>&);

}  // namespace frontier::worker
