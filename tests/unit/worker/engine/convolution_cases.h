// Shapes and numbers for the tests of kernels of convolutions in bf16.
#ifndef FRONTIER_TESTS_UNIT_WORKER_ENGINE_CONVOLUTION_CASES_H_
#define FRONTIER_TESTS_UNIT_WORKER_ENGINE_CONVOLUTION_CASES_H_

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "worker/engine/kernels/bfloat16.h"
#include "worker/engine/kernels/convolution_axis.h"

namespace frontier::worker {

inline ConvolutionAxis Axis(int64_t in, int64_t kernel, int64_t stride, int64_t dilation,
                            int64_t padding) {
  return {in,       (in + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1,
          kernel,   stride,
          dilation, padding};
}

inline ConvolutionAxis RandomAxis(Rng* rng) {
  const auto draw = [&](uint64_t most) { return static_cast<int64_t>(1 + rng->Uniform(most)); };
  const int64_t kernel = draw(5), dilation = draw(2), padding = draw(4) - 1;
  const int64_t least = std::max<int64_t>(1, dilation * (kernel - 1) + 1 - 2 * padding);
  return Axis(least + draw(12) - 1, kernel, draw(3), dilation, padding);
}

inline std::string Text(const ConvolutionAxis& a) {
  return absl::StrCat(a.in, "->", a.out, " kernel ", a.kernel, " stride ", a.stride, " dilation ",
                      a.dilation, " padding ", a.padding);
}

// bf16 numbers, whole ones from -2 to 2 or normal ones. Of exactly their size, so that
// AddressSanitizer guards them.
inline std::vector<uint16_t> Bfloat16Values(int64_t count, Rng* rng, bool whole) {
  std::vector<uint16_t> values(static_cast<size_t>(count));
  for (uint16_t& v : values) {
    v = Bfloat16FromFloat(whole ? static_cast<float>(rng->Uniform(5)) - 2
                                : static_cast<float>(rng->Normal()));
  }
  return values;
}

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};

// Full of NaNs: what scratch memory holds must not matter.
inline std::unique_ptr<void, FreeMemory> ScratchOfNans(size_t bytes) {
  std::unique_ptr<void, FreeMemory> scratch(std::aligned_alloc(64, bytes));
  std::memset(scratch.get(), 0xff, bytes);
  return scratch;
}

}  // namespace frontier::worker

#endif  // FRONTIER_TESTS_UNIT_WORKER_ENGINE_CONVOLUTION_CASES_H_
