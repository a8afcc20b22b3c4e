#include "worker/engine/kernels/tile_gradient_kernels.h"

#if defined(__x86_64__) && defined(__linux__)

// GCC 12 takes undefined operands within its own intrinsics for mistakes (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#define TILE_GRADIENT_TARGET \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,amx-tile,amx-bf16")))
#define TILE_GRADIENT_INLINE TILE_GRADIENT_TARGET inline __attribute__((always_inline))

namespace frontier::worker::tile_gradient {
namespace {

// What the instruction that configures the tiles reads.
struct alignas(64) TileConfiguration {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

TILE_GRADIENT_TARGET void Begin() {
  static const TileConfiguration kConfiguration;
  _tile_loadconfig(&kConfiguration);
}

TILE_GRADIENT_TARGET void End() { _tile_release(); }

// 16 channels of a pixel.
struct Pixels {
  TILE_GRADIENT_INLINE __m256i operator()(int32_t place) const {
    if (place < 0) return _mm256_setzero_si256();
    return _mm256_maskz_loadu_epi16(mask, map + place * channels);
  }
  // That at `first`, then that at `second`.
  TILE_GRADIENT_INLINE __m512i Two(int32_t first, int32_t second) const {
    return _mm512_inserti64x4(_mm512_castsi256_si512((*this)(first)), (*this)(second), 1);
  }

  const uint16_t* map;
  int64_t channels;
  __mmask16 mask;
};

TILE_GRADIENT_INLINE Pixels PixelsOf(const uint16_t* map, int64_t channels, int64_t channel) {
  const int64_t there = std::min(kTile, channels - channel);
  return {map + channel, channels, static_cast<__mmask16>((1u << there) - 1)};
}

TILE_GRADIENT_TARGET void Transpose(const uint16_t* map, int64_t channels, int64_t channel,
                                    const int32_t* places, int64_t count, int64_t pitch,
                                    uint16_t* rows) {
  const Pixels pixels = PixelsOf(map, channels, channel);
  for (int64_t begin = 0; begin < count; begin += kDepth) {
    const int32_t* const p = places + begin;
    // Registers g * 8 + k hold the pixels g * 16 + k and g * 16 + 8 + k.
    __m512i a[16], b[16];
    for (int g = 0; g < 2; ++g) {
      for (int k = 0; k < 8; ++k) a[g * 8 + k] = pixels.Two(p[g * 16 + k], p[g * 16 + 8 + k]);
    }
    // Within 128 bits, single numbers, then twos, then fours are interleaved: eight pixels of a
    // channel come together, the channels c and c + 8 side by side.
    for (int g = 0; g < 16; g += 8) {
      for (int k = 0; k < 4; ++k) {
        b[g + 2 * k] = _mm512_unpacklo_epi16(a[g + 2 * k], a[g + 2 * k + 1]);
        b[g + 2 * k + 1] = _mm512_unpackhi_epi16(a[g + 2 * k], a[g + 2 * k + 1]);
      }
      for (int h = 0; h < 8; h += 4) {
        for (int k = 0; k < 2; ++k) {
          a[g + h + 2 * k] = _mm512_unpacklo_epi32(b[g + h + k], b[g + h + k + 2]);
          a[g + h + 2 * k + 1] = _mm512_unpackhi_epi32(b[g + h + k], b[g + h + k + 2]);
        }
      }
      for (int k = 0; k < 4; ++k) {
        b[g + 2 * k] = _mm512_unpacklo_epi64(a[g + k], a[g + k + 4]);
        b[g + 2 * k + 1] = _mm512_unpackhi_epi64(a[g + k], a[g + k + 4]);
      }
    }
    uint16_t* const to = rows + begin;
    for (int c = 0; c < 8; ++c) {
      _mm512_storeu_si512(to + c * pitch, _mm512_shuffle_i64x2(b[c], b[c + 8], 0x88));
      _mm512_storeu_si512(to + (c + 8) * pitch, _mm512_shuffle_i64x2(b[c], b[c + 8], 0xdd));
    }
  }
}

TILE_GRADIENT_TARGET void Pair(const uint16_t* map, int64_t channels, int64_t channel,
                               const int32_t* places, int64_t count, uint16_t* pairs) {
  const Pixels pixels = PixelsOf(map, channels, channel);
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24,
                                         8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  for (int64_t i = 0; i < count; i += 2) {
    _mm512_storeu_si512(pairs + i * kTile,
                        _mm512_permutexvar_epi16(order, pixels.Two(places[i], places[i + 1])));
  }
}

constexpr int kSumBytes = 64;  // of a row of a tile

// Tiles are named by numbers in the code: 0 to 3 are sums. A sum is not ready for the next addition
// before three others have begun, so that four at a time are best.
template <int kRows, int kColumns>
TILE_GRADIENT_INLINE void MultiplyTiles(const uint16_t* const* lefts, int64_t pitch,
                                        const uint16_t* const* rights, int64_t depth, bool add,
                                        float* sums, int64_t row_step) {
  float* const s0 = sums;
  float* const s1 = kRows == 1                    ? sums + 256
                    : kRows == 2 && kColumns == 2 ? sums + 256
                                                  : sums + row_step;
  float* const s2 = kRows == 1 ? sums + 512 : kColumns == 2 ? sums + row_step : sums + 2 * row_step;
  float* const s3 = kRows == 1      ? sums + 768
                    : kColumns == 2 ? sums + row_step + 256
                                    : sums + 3 * row_step;
  constexpr int kSums = kRows * kColumns;
  if (add) {
    _tile_loadd(0, s0, kSumBytes);
    if constexpr (kSums > 1) _tile_loadd(1, s1, kSumBytes);
    if constexpr (kSums > 2) _tile_loadd(2, s2, kSumBytes);
    if constexpr (kSums > 3) _tile_loadd(3, s3, kSumBytes);
  } else {
    _tile_zero(0);
    if constexpr (kSums > 1) _tile_zero(1);
    if constexpr (kSums > 2) _tile_zero(2);
    if constexpr (kSums > 3) _tile_zero(3);
  }
  const int64_t left_bytes = pitch * static_cast<int64_t>(sizeof(uint16_t));
  for (int64_t k = 0; k < depth; ++k) {
    const int64_t left = k * kDepth, right = k * kDepth * kTile;
    if constexpr (kRows == 2 && kColumns == 2) {
      _tile_loadd(4, lefts[0] + left, left_bytes);
      _tile_loadd(6, rights[0] + right, 64);
      _tile_dpbf16ps(0, 4, 6);
      _tile_loadd(7, rights[1] + right, 64);
      _tile_dpbf16ps(1, 4, 7);
      _tile_loadd(5, lefts[1] + left, left_bytes);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    } else if constexpr (kColumns == 1) {
      _tile_loadd(7, rights[0] + right, 64);
      _tile_loadd(4, lefts[0] + left, left_bytes);
      _tile_dpbf16ps(0, 4, 7);
      if constexpr (kSums > 1) {
        _tile_loadd(5, lefts[1] + left, left_bytes);
        _tile_dpbf16ps(1, 5, 7);
      }
      if constexpr (kSums > 2) {
        _tile_loadd(6, lefts[2] + left, left_bytes);
        _tile_dpbf16ps(2, 6, 7);
      }
      if constexpr (kSums > 3) {
        _tile_loadd(4, lefts[3] + left, left_bytes);
        _tile_dpbf16ps(3, 4, 7);
      }
    } else {
      _tile_loadd(7, lefts[0] + left, left_bytes);
      _tile_loadd(4, rights[0] + right, 64);
      _tile_dpbf16ps(0, 7, 4);
      if constexpr (kSums > 1) {
        _tile_loadd(5, rights[1] + right, 64);
        _tile_dpbf16ps(1, 7, 5);
      }
      if constexpr (kSums > 2) {
        _tile_loadd(6, rights[2] + right, 64);
        _tile_dpbf16ps(2, 7, 6);
      }
      if constexpr (kSums > 3) {
        _tile_loadd(4, rights[3] + right, 64);
        _tile_dpbf16ps(3, 7, 4);
      }
    }
  }
  _tile_stored(0, s0, kSumBytes);
  if constexpr (kSums > 1) _tile_stored(1, s1, kSumBytes);
  if constexpr (kSums > 2) _tile_stored(2, s2, kSumBytes);
  if constexpr (kSums > 3) _tile_stored(3, s3, kSumBytes);
}

TILE_GRADIENT_TARGET void Multiply(int64_t rows, int64_t columns, const uint16_t* const* lefts,
                                   int64_t pitch, const uint16_t* const* rights, int64_t depth,
                                   bool add, float* sums, int64_t row_step) {
  switch (rows * 8 + columns) {
    case 2 * 8 + 2:
      return MultiplyTiles<2, 2>(lefts, pitch, rights, depth, add, sums, row_step);
    case 1 * 8 + 1:
      return MultiplyTiles<1, 1>(lefts, pitch, rights, depth, add, sums, row_step);
    case 2 * 8 + 1:
      return MultiplyTiles<2, 1>(lefts, pitch, rights, depth, add, sums, row_step);
    case 3 * 8 + 1:
      return MultiplyTiles<3, 1>(lefts, pitch, rights, depth, add, sums, row_step);
    case 4 * 8 + 1:
      return MultiplyTiles<4, 1>(lefts, pitch, rights, depth, add, sums, row_step);
    case 1 * 8 + 2:
      return MultiplyTiles<1, 2>(lefts, pitch, rights, depth, add, sums, row_step);
    case 1 * 8 + 3:
      return MultiplyTiles<1, 3>(lefts, pitch, rights, depth, add, sums, row_step);
    default:
      return MultiplyTiles<1, 4>(lefts, pitch, rights, depth, add, sums, row_step);
  }
}

// Linux keeps the tiles of a process only if it has asked for them.
bool AllowedTiles() {
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr int kTileData = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

const Kernels* AmxKernels() {
  static const Kernels kernels = {Begin, End, Transpose, Pair, Multiply};
  static const bool supported =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16") && AllowedTiles();
  return supported ? &kernels : nullptr;
}

}  // namespace frontier::worker::tile_gradient

#else

namespace frontier::worker::tile_gradient {

const Kernels* AmxKernels() { return nullptr; }

}  // namespace frontier::worker::tile_gradient

#endif
