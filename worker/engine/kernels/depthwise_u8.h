// Depthwise 3x3 convolutions of bytes (padding 1, dilation 1, stride 1 or 2), some three times as
// fast as the library's on CPUs with AVX-512 VNNI.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_DEPTHWISE_U8_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_DEPTHWISE_U8_H_

#include <cstdint>

#include "absl/types/span.h"

namespace frontier::worker {

struct DepthwiseU8Shape {
  int64_t batch = 1;
  int64_t height = 1;
  int64_t width = 1;
  int64_t channels = 1;
  int stride = 1;  // 1 or 2, in both directions

  // Of the output, with padding 1.
  int64_t out_height() const { return (height - 1) / stride + 1; }
  int64_t out_width() const { return (width - 1) / stride + 1; }
};

// What happens to a sum of products: round(sum * scale[c] + bias[c]), clipped to [low, high] and to
// the type of the output: -128 to 127 if `is_signed`, else 0 to 255.
struct DepthwiseU8Output {
  bool is_signed = false;
  float low = -128;
  float high = 255;
};

// Whether this CPU has the instructions.
bool DepthwiseU8Supported();

// Weights (channels x 3 x 3), scales and biases (by channel) in the order of the kernel, in
// DepthwiseU8PackedBytes of memory aligned to 64 bytes.
int64_t DepthwiseU8PackedBytes(int64_t channels);
void PackDepthwiseU8(absl::Span<const int8_t> weights, absl::Span<const float> scales,
                     absl::Span<const float> biases, void* packed);

// `x` is batch x height x width x channels (channels last), unsigned bytes; `y` likewise of the
// output's size and type. Sums are exact; results do not depend on the number of threads. Only if
// DepthwiseU8Supported().
void DepthwiseU8(const DepthwiseU8Shape& shape, const DepthwiseU8Output& output, const uint8_t* x,
                 const void* packed, void* y);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_DEPTHWISE_U8_H_
