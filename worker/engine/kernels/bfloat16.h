// The upper half of an f32, stored as uint16_t.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_BFLOAT16_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_BFLOAT16_H_

#include <cstdint>
#include <cstring>

namespace frontier::worker {

inline float FloatFromBfloat16(uint16_t value) {
  const uint32_t bits = static_cast<uint32_t>(value) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

// To the nearest, ties to even; a NaN stays one (a quiet one). Without branches, so that loops over
// it become vector code.
inline uint16_t Bfloat16FromFloat(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  const uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
  const uint32_t quiet = bits | 0x400000u;
  return static_cast<uint16_t>((value == value ? rounded : quiet) >> 16);
}

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_BFLOAT16_H_
