#include "worker/engine/kernels/max_pool.h"

#include <algorithm>
#include <bit>

#include "worker/engine/kernels/bfloat16.h"
#include "worker/engine/kernels/max_pool_kernels.h"
#include "worker/engine/kernels/parallel.h"

namespace frontier::worker {
namespace {

using max_pool::Axis;
using max_pool::Kernels;
using max_pool::Range;

constexpr int64_t kBlock = 64;  // channels at a time

// Integers in the order of the numbers, with both zeros as 0; its own inverse.
inline int16_t Key(uint16_t bits) {
  return static_cast<int16_t>((bits & 0x8000) != 0 ? 0x8000 - bits : bits);
}

FRONTIER_VECTOR_CLONES void Forward(const MaxPoolShape& s, int64_t begin, int64_t end,
                                    const uint16_t* x, uint16_t* y, uint8_t* places) {
  const Axis vertical = max_pool::Vertical(s), horizontal = max_pool::Horizontal(s);
  for (int64_t row = begin; row < end; ++row) {
    const int64_t n = row / s.out_height, oh = row % s.out_height;
    const Range rows = vertical.Places(oh);
    for (int64_t ow = 0; ow < s.out_width; ++ow) {
      const Range columns = horizontal.Places(ow);
      const int64_t h0 = oh * s.stride_height - s.padding_height;
      const int64_t w0 = ow * s.stride_width - s.padding_width;
      for (int64_t c = 0; c < s.channels; c += kBlock) {
        const int64_t length = std::min(kBlock, s.channels - c);
        int16_t best[kBlock];
        uint16_t place[kBlock];
        bool first = true;
        for (int64_t kh = rows.begin; kh < rows.end; ++kh) {
          for (int64_t kw = columns.begin; kw < columns.end; ++kw) {
            const uint16_t* const from =
                x + ((n * s.height + h0 + kh) * s.width + w0 + kw) * s.channels + c;
            const auto at = static_cast<uint16_t>(kh * s.kernel_width + kw);
            if (first) {
              for (int64_t i = 0; i < length; ++i) best[i] = Key(from[i]), place[i] = at;
              first = false;
              continue;
            }
            for (int64_t i = 0; i < length; ++i) {
              const int16_t key = Key(from[i]);
              place[i] = key > best[i] ? at : place[i];
              best[i] = std::max(best[i], key);
            }
          }
        }
        const int64_t to = (row * s.out_width + ow) * s.channels + c;
        for (int64_t i = 0; i < length; ++i) {
          y[to + i] = static_cast<uint16_t>(Key(static_cast<uint16_t>(best[i])));
          places[to + i] = static_cast<uint8_t>(place[i]);
        }
      }
    }
  }
}

FRONTIER_VECTOR_CLONES void Backward(const MaxPoolShape& s, int64_t begin, int64_t end,
                                     const uint16_t* dy, const uint8_t* places, uint16_t* dx) {
  const Axis vertical = max_pool::Vertical(s), horizontal = max_pool::Horizontal(s);
  for (int64_t row = begin; row < end; ++row) {
    const int64_t n = row / s.height, h = row % s.height;
    const Range rows = vertical.Windows(h);
    for (int64_t w = 0; w < s.width; ++w) {
      const Range columns = horizontal.Windows(w);
      for (int64_t c = 0; c < s.channels; c += kBlock) {
        const int64_t length = std::min(kBlock, s.channels - c);
        float sum[kBlock] = {};
        for (int64_t oh = rows.begin; oh < rows.end; ++oh) {
          for (int64_t ow = columns.begin; ow < columns.end; ++ow) {
            const int64_t from = ((n * s.out_height + oh) * s.out_width + ow) * s.channels + c;
            const auto here = static_cast<uint8_t>(vertical.Place(h, oh) * s.kernel_width +
                                                   horizontal.Place(w, ow));
            for (int64_t i = 0; i < length; ++i) {
              const uint32_t mask = places[from + i] == here ? ~uint32_t{0} : uint32_t{0};
              sum[i] += std::bit_cast<float>((uint32_t{dy[from + i]} << 16) & mask);
            }
          }
        }
        uint16_t* const to = dx + (row * s.width + w) * s.channels + c;
        for (int64_t i = 0; i < length; ++i) to[i] = Bfloat16FromFloat(sum[i]);
      }
    }
  }
}

const Kernels& KernelsFor(const MaxPoolShape& shape) {
  static constexpr Kernels portable = {Forward, Backward};
  const Kernels* const vector = shape.portable ? nullptr : max_pool::VectorKernels();
  return vector != nullptr ? *vector : portable;
}

}  // namespace

void MaxPool(const MaxPoolShape& shape, const uint16_t* x, uint16_t* y, uint8_t* places) {
  const Kernels& kernels = KernelsFor(shape);
  const int64_t rows = shape.batch * shape.out_height;
  ParallelParts(rows, std::min<int64_t>(rows, shape.threads),
                [&](int64_t, int64_t begin, int64_t end) {
                  kernels.forward(shape, begin, end, x, y, places);
                });
}

void MaxPoolBackward(const MaxPoolShape& shape, const uint16_t* dy, const uint8_t* places,
                     uint16_t* dx) {
  const Kernels& kernels = KernelsFor(shape);
  const int64_t rows = shape.batch * shape.height;
  ParallelParts(rows, std::min<int64_t>(rows, shape.threads),
                [&](int64_t, int64_t begin, int64_t end) {
                  kernels.backward(shape, begin, end, dy, places, dx);
                });
}

}  // namespace frontier::worker
