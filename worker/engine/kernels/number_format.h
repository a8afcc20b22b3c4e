// Values in the narrow number formats of inference.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_NUMBER_FORMAT_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_NUMBER_FORMAT_H_

#include <cstdint>

#include "absl/types/span.h"

namespace frontier::worker {

enum class NumberType { kF32, kBf16, kS8, kU8 };

// A stored number q stands for scale * q; the scale of kF32 and kBf16 is 1.
struct NumberFormat {
  NumberType type = NumberType::kF32;
  float scale = 1;

  int64_t bytes() const { return type == NumberType::kF32 ? 4 : type == NumberType::kBf16 ? 2 : 1; }
  bool quantized() const { return type == NumberType::kS8 || type == NumberType::kU8; }
  bool operator==(const NumberFormat& other) const = default;
};

// Largest stored number of a quantized type.
inline constexpr float kS8Limit = 127, kU8Limit = 255;

// One array of a kernel.
struct Numbers {
  NumberFormat format;
  void* data = nullptr;
};

// `count` values from one format to the other; narrow ones are rounded to the nearest, halves to
// even, and clipped (NaN becomes a number of the quantized type). One thread.
void ToFloat(const NumberFormat& format, const void* in, int64_t count, float* out);
void FromFloat(const NumberFormat& format, const float* in, int64_t count, void* out);

// out = in, in the format of `out`. May not overlap unless both have one size of number.
void Convert(const Numbers& in, int64_t count, const Numbers& out);

// out = inputs[0] + inputs[1] + ..., as f32 added from the left; negative sums become 0 if `relu`.
// At least one input. `out` may be one of them if both have one size of number.
void AddNumbers(absl::Span<const Numbers> inputs, int64_t count, bool relu, const Numbers& out);

// out = a * b.
void MultiplyNumbers(const Numbers& a, const Numbers& b, int64_t count, const Numbers& out);

// out = x * gate: x and out have `positions` x `channels` values for each sample, channels last;
// `gate` is f32, batch x channels.
void GateNumbers(const Numbers& x, const float* gate, int64_t batch, int64_t positions,
                 int64_t channels, const Numbers& out);

// Mean over the positions, batch x channels, of maps with channels last.
void AverageNumbers(const Numbers& x, int64_t batch, int64_t positions, int64_t channels,
                    const Numbers& out);

// Puts maps with channels last beside each other: `inputs` have `bytes` bytes at each position and
// the same format as `out`.
struct ConcatPart {
  const void* data = nullptr;
  int64_t bytes = 0;
};
void ConcatChannels(absl::Span<const ConcatPart> inputs, int64_t positions, void* out);

// The opposite: a range of the `whole` bytes at each position.
struct ByteRange {
  int64_t first = 0;
  int64_t bytes = 0;
};
void SliceBytes(const void* x, int64_t positions, int64_t whole, const ByteRange& range, void* out);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_NUMBER_FORMAT_H_
