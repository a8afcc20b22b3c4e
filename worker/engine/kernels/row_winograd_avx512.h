// Internal to row_winograd: its vector code, for an element type E:
//   Storage, kStep (elements of the reduction in one multiplication),
//   Load/Store of 16 elements as f32, StoreTwo (32), Rounded (what Load gives after Store),
//   StoreSteps (kStep vectors, interleaved), Multiply (acc + products with broadcast elements).
// A file that includes this defines ROW_WINOGRAD_TARGET, the attribute of functions that may use
// E's instructions, and must name its element type in an unnamed namespace or uniquely.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_ROW_WINOGRAD_AVX512_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_ROW_WINOGRAD_AVX512_H_

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 warns of its own intrinsics (GCC bug 105593), wherever they are inlined.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "worker/engine/kernels/row_winograd_kernels.h"

#define ROW_WINOGRAD_INLINE static inline __attribute__((always_inline)) ROW_WINOGRAD_TARGET

#if defined(__clang__)
#define ROW_WINOGRAD_UNROLL _Pragma("unroll")
#else
#define ROW_WINOGRAD_UNROLL _Pragma("GCC unroll 16")
#endif

namespace frontier::worker::row_winograd {

constexpr int64_t kFilter = 9;      // 3 x 3
constexpr int64_t kGradientIn = 8;  // input channels of a block of the weights' gradient

// B^T of six points; six columns of the map to six points.
ROW_WINOGRAD_INLINE void TransformInput(const __m512* d, __m512* out) {
  const __m512 two = _mm512_set1_ps(2), four = _mm512_set1_ps(4), five = _mm512_set1_ps(5);
  const __m512 even1 = _mm512_fnmadd_ps(four, d[2], d[4]);
  const __m512 odd1 = _mm512_fnmadd_ps(four, d[1], d[3]);
  const __m512 even2 = _mm512_sub_ps(d[4], d[2]);
  const __m512 odd2 = _mm512_mul_ps(two, _mm512_sub_ps(d[3], d[1]));
  out[0] = _mm512_fmadd_ps(four, d[0], _mm512_fnmadd_ps(five, d[2], d[4]));
  out[1] = _mm512_add_ps(even1, odd1);
  out[2] = _mm512_sub_ps(even1, odd1);
  out[3] = _mm512_add_ps(even2, odd2);
  out[4] = _mm512_sub_ps(even2, odd2);
  out[5] = _mm512_fmadd_ps(four, d[1], _mm512_fnmadd_ps(five, d[3], d[5]));
}

// A^T of F(4,3).
ROW_WINOGRAD_INLINE void TransformOutput(const __m512* m, __m512* out) {
  const __m512 two = _mm512_set1_ps(2), four = _mm512_set1_ps(4), eight = _mm512_set1_ps(8);
  const __m512 sum1 = _mm512_add_ps(m[1], m[2]), difference1 = _mm512_sub_ps(m[1], m[2]);
  const __m512 sum2 = _mm512_add_ps(m[3], m[4]), difference2 = _mm512_sub_ps(m[3], m[4]);
  out[0] = _mm512_add_ps(m[0], _mm512_add_ps(sum1, sum2));
  out[1] = _mm512_fmadd_ps(two, difference2, difference1);
  out[2] = _mm512_fmadd_ps(four, sum2, sum1);
  out[3] = _mm512_fmadd_ps(eight, difference2, _mm512_add_ps(difference1, m[5]));
}

// G of F(4,3).
ROW_WINOGRAD_INLINE void TransformFilter(__m512 g0, __m512 g1, __m512 g2, __m512* out) {
  const __m512 sixth = _mm512_set1_ps(-1.0f / 6), twentyfourth = _mm512_set1_ps(1.0f / 24);
  const __m512 even1 = _mm512_add_ps(g0, g2);
  const __m512 even2 = _mm512_fmadd_ps(_mm512_set1_ps(4), g2, g0);
  const __m512 odd2 = _mm512_add_ps(g1, g1);
  out[0] = _mm512_mul_ps(_mm512_set1_ps(0.25f), g0);
  out[1] = _mm512_mul_ps(sixth, _mm512_add_ps(even1, g1));
  out[2] = _mm512_mul_ps(sixth, _mm512_sub_ps(even1, g1));
  out[3] = _mm512_mul_ps(twentyfourth, _mm512_add_ps(even2, odd2));
  out[4] = _mm512_mul_ps(twentyfourth, _mm512_sub_ps(even2, odd2));
  out[5] = g2;
}

// G of F(3,4) without its factors 1/4, -1/6, 1/24, which TransformGradient has.
ROW_WINOGRAD_INLINE void TransformOutputGradient(const __m512* e, __m512* out) {
  const __m512 four = _mm512_set1_ps(4);
  const __m512 even1 = _mm512_add_ps(e[0], e[2]), odd1 = _mm512_add_ps(e[1], e[3]);
  const __m512 even2 = _mm512_fmadd_ps(four, e[2], e[0]);
  const __m512 half_odd2 = _mm512_fmadd_ps(four, e[3], e[1]);
  const __m512 odd2 = _mm512_add_ps(half_odd2, half_odd2);
  out[0] = e[0];
  out[1] = _mm512_add_ps(even1, odd1);
  out[2] = _mm512_sub_ps(even1, odd1);
  out[3] = _mm512_add_ps(even2, odd2);
  out[4] = _mm512_sub_ps(even2, odd2);
  out[5] = e[3];
}

// A^T of F(3,4), with the factors of G.
ROW_WINOGRAD_INLINE void TransformGradient(const __m512* m, __m512* out) {
  const __m512 six = _mm512_set1_ps(6), four = _mm512_set1_ps(4);
  const __m512 sum1 = _mm512_div_ps(_mm512_add_ps(m[1], m[2]), six);
  const __m512 difference1 = _mm512_div_ps(_mm512_sub_ps(m[1], m[2]), six);
  const __m512 sum2 = _mm512_div_ps(_mm512_add_ps(m[3], m[4]), _mm512_set1_ps(24));
  const __m512 difference2 = _mm512_div_ps(_mm512_sub_ps(m[3], m[4]), _mm512_set1_ps(12));
  const __m512 zero = _mm512_mul_ps(_mm512_set1_ps(0.25f), m[0]);
  out[0] = _mm512_sub_ps(_mm512_add_ps(zero, sum2), sum1);
  out[1] = _mm512_sub_ps(difference2, difference1);
  out[2] = _mm512_sub_ps(_mm512_fmadd_ps(four, sum2, m[5]), sum1);
}

// rows[i][j] <-> rows[j][i].
ROW_WINOGRAD_INLINE void Transpose(__m512* rows) {
  __m512 pairs[16];
  ROW_WINOGRAD_UNROLL for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
  }
  __m512 fours[16];  // fours[4 k + j]: column j of each 4 x 4 block of rows 4 k to 4 k + 3
  ROW_WINOGRAD_UNROLL for (int k = 0; k < 16; k += 4) {
    ROW_WINOGRAD_UNROLL for (int j = 0; j < 2; ++j) {
      const __m512d a = _mm512_castps_pd(pairs[k + j]), b = _mm512_castps_pd(pairs[k + 2 + j]);
      fours[k + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
      fours[k + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
    }
  }
  ROW_WINOGRAD_UNROLL for (int j = 0; j < 4; ++j) {
    const __m512 low0 = _mm512_shuffle_f32x4(fours[j], fours[4 + j], 0x44);
    const __m512 high0 = _mm512_shuffle_f32x4(fours[j], fours[4 + j], 0xee);
    const __m512 low1 = _mm512_shuffle_f32x4(fours[8 + j], fours[12 + j], 0x44);
    const __m512 high1 = _mm512_shuffle_f32x4(fours[8 + j], fours[12 + j], 0xee);
    rows[j] = _mm512_shuffle_f32x4(low0, low1, 0x88);
    rows[4 + j] = _mm512_shuffle_f32x4(low0, low1, 0xdd);
    rows[8 + j] = _mm512_shuffle_f32x4(high0, high1, 0x88);
    rows[12 + j] = _mm512_shuffle_f32x4(high0, high1, 0xdd);
  }
}

// 16 x 16 filters at `weights`, rows `stride` floats apart, to taps[tap][in][out] or, flipped,
// taps[8 - tap][out][in].
ROW_WINOGRAD_INLINE void LoadFilters(const float* weights, int64_t stride, bool flipped,
                                     float* taps) {
  __m512 rows[16];
  for (int64_t q = 0; q < kFilter; ++q) {
    for (int i = 0; i < 16; ++i) rows[i] = _mm512_loadu_ps(weights + i * stride + q * 16);
    Transpose(rows);
    for (int j = 0; j < 16; ++j) {
      const int64_t flat = q * 16 + j, tap = flat % kFilter, in = flat / kFilter;
      _mm512_store_ps(taps + ((flipped ? kFilter - 1 - tap : tap) * 16 + in) * 16, rows[j]);
    }
  }
  if (!flipped) return;
  for (int64_t tap = 0; tap < kFilter; ++tap) {
    for (int i = 0; i < 16; ++i) rows[i] = _mm512_load_ps(taps + (tap * 16 + i) * 16);
    Transpose(rows);
    for (int i = 0; i < 16; ++i) _mm512_store_ps(taps + (tap * 16 + i) * 16, rows[i]);
  }
}

template <typename E>
ROW_WINOGRAD_TARGET void TransformWeights(const float* weights, int64_t out_channels,
                                          int64_t in_channels, bool flipped, int64_t begin,
                                          int64_t end, void* transformed) {
  constexpr int64_t kStep = E::kStep;
  alignas(64) float taps[kFilter * 16 * 16];
  const int64_t reduced = flipped ? out_channels : in_channels;
  const int64_t stride = in_channels * kFilter;
  const int64_t height_stride = reduced * kPoints * kLanes;
  for (int64_t lanes = begin; lanes < end; ++lanes) {
    auto* out = static_cast<typename E::Storage*>(transformed) + lanes * 3 * height_stride;
    for (int64_t r = 0; r < reduced; r += 16) {
      const int64_t o = flipped ? r : lanes * kLanes, i = flipped ? lanes * kLanes : r;
      LoadFilters(weights + o * stride + i * kFilter, stride, flipped, taps);
      for (int64_t kh = 0; kh < 3; ++kh) {
        const float* row = taps + kh * 3 * 256;
        for (int64_t k = 0; k < 16; k += kStep) {
          __m512 u[kStep][kPoints];
          ROW_WINOGRAD_UNROLL for (int64_t s = 0; s < kStep; ++s) {
            const float* g = row + (k + s) * 16;
            TransformFilter(_mm512_load_ps(g), _mm512_load_ps(g + 256), _mm512_load_ps(g + 512),
                            u[s]);
          }
          auto* place = out + kh * height_stride + (r + k) * kPoints * kLanes;
          ROW_WINOGRAD_UNROLL for (int64_t p = 0; p < kPoints; ++p) {
            const __m512 steps[2] = {u[0][p], u[kStep - 1][p]};
            E::StoreSteps(place + p * kLanes * kStep, steps);
          }
        }
      }
    }
  }
}

// Columns x + 1 to x + 4 of a row of 16 channels; zeros beyond its end.
template <typename E>
ROW_WINOGRAD_INLINE void LoadColumns(const typename E::Storage* row, int64_t x, int64_t width,
                                     int64_t channels, __m512* out) {
  const typename E::Storage* place = row + (x + 1) * channels;
  if (x + 4 < width) {
    ROW_WINOGRAD_UNROLL for (int64_t j = 0; j < 4; ++j) out[j] = E::Load(place + j * channels);
  } else {
    ROW_WINOGRAD_UNROLL for (int64_t j = 0; j < 4; ++j) {
      out[j] = x + 1 + j < width ? E::Load(place + j * channels) : _mm512_setzero_ps();
    }
  }
}

// Rows [begin - 1, end + 1) of an image, zeros outside of it, to [row][tile][channels / 16][point]
// [16].
template <typename E>
ROW_WINOGRAD_TARGET void TransformRows(const Convolution& convolution,
                                       const typename E::Storage* image, int64_t begin, int64_t end,
                                       typename E::Storage* out) {
  const int64_t channels = convolution.in_channels, width = convolution.width;
  const int64_t tile_stride = channels * kPoints, row_stride = convolution.tiles * tile_stride;
  for (int64_t y = begin - 1; y < end + 1; ++y, out += row_stride) {
    if (y < 0 || y >= convolution.height) {
      std::memset(out, 0, static_cast<size_t>(row_stride) * sizeof(*out));
      continue;
    }
    for (int64_t c = 0; c < channels; c += kLanes) {
      const typename E::Storage* row = image + y * width * channels + c;
      typename E::Storage* place = out + c * kPoints;
      __m512 d[6], points[kPoints];
      d[0] = _mm512_setzero_ps();
      d[1] = E::Load(row);
      for (int64_t t = 0; t < convolution.tiles; ++t, place += tile_stride) {
        LoadColumns<E>(row, t * kTile, width, channels, d + 2);
        TransformInput(d, points);
        ROW_WINOGRAD_UNROLL for (int64_t p = 0; p < kPoints; p += 2) {
          E::StoreTwo(place + p * kLanes, points[p], points[p + 1]);
        }
        d[0] = d[4];
        d[1] = d[5];
      }
    }
  }
}

ROW_WINOGRAD_INLINE void AddToDoubles(__m512 values, double* sums) {
  const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(values));
  const __m512d high =
      _mm512_cvtps_pd(_mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(values), 1)));
  _mm512_storeu_pd(sums, _mm512_add_pd(_mm512_loadu_pd(sums), low));
  _mm512_storeu_pd(sums + 8, _mm512_add_pd(_mm512_loadu_pd(sums + 8), high));
}

// A tile: its transformed columns in the row above (see TransformRows), where its outputs go, and
// how many of its four columns there are.
template <typename Storage>
struct Tile {
  const Storage* points;
  Storage* out;
  int64_t columns;
};

// kTiles tiles, 16 output channels.
template <typename E, int kTiles>
ROW_WINOGRAD_TARGET void ConvolveTiles(const Convolution& convolution,
                                       const Tile<typename E::Storage>* tiles,
                                       const typename E::Storage* u, double* sums) {
  constexpr int64_t kStep = E::kStep;
  const int64_t channels = convolution.in_channels, out_channels = convolution.out_channels;
  const int64_t row_stride = convolution.tiles * channels * kPoints;
  __m512 acc[kTiles][kPoints];
  const typename E::Storage* v[kTiles];
  ROW_WINOGRAD_UNROLL for (int r = 0; r < kTiles; ++r) {
    v[r] = tiles[r].points;
    ROW_WINOGRAD_UNROLL for (int p = 0; p < kPoints; ++p) acc[r][p] = _mm512_setzero_ps();
  }
  const int64_t skip = row_stride - channels * kPoints;  // from the end of a tile to the next row
  for (int kh = 0; kh < 3; ++kh) {
    for (int64_t c = 0; c < channels; c += kLanes) {
      ROW_WINOGRAD_UNROLL for (int64_t k = 0; k < kLanes; k += kStep) {
        typename E::Vector w[kPoints];
        ROW_WINOGRAD_UNROLL for (int p = 0; p < kPoints; ++p) {
          w[p] = E::LoadVector(u + (k * kPoints + p * kStep) * kLanes);
        }
        ROW_WINOGRAD_UNROLL for (int r = 0; r < kTiles; ++r) {
          ROW_WINOGRAD_UNROLL for (int p = 0; p < kPoints; ++p) {
            acc[r][p] = E::Multiply(acc[r][p], v[r] + k + p * kLanes, w[p]);
          }
        }
      }
      u += kPoints * kLanes * kLanes;
      ROW_WINOGRAD_UNROLL for (int r = 0; r < kTiles; ++r) v[r] += kPoints * kLanes;
    }
    ROW_WINOGRAD_UNROLL for (int r = 0; r < kTiles; ++r) v[r] += skip;
  }
  __m512 sum = _mm512_setzero_ps(), squares = _mm512_setzero_ps();
  ROW_WINOGRAD_UNROLL for (int r = 0; r < kTiles; ++r) {
    __m512 out[kTile];
    TransformOutput(acc[r], out);
    ROW_WINOGRAD_UNROLL for (int j = 0; j < kTile; ++j) {
      if (j >= tiles[r].columns) break;
      E::Store(tiles[r].out + j * out_channels, out[j]);
      if (sums == nullptr) continue;
      const __m512 stored = E::Rounded(out[j]);
      sum = _mm512_add_ps(sum, stored);
      squares = _mm512_fmadd_ps(stored, stored, squares);
    }
  }
  if (sums == nullptr) return;
  AddToDoubles(sum, sums);
  AddToDoubles(squares, sums + out_channels);
}

template <typename E>
ROW_WINOGRAD_TARGET void Convolve(const Convolution& convolution, const Rows& rows, const void* x,
                                  const void* transformed, void* rows_scratch, void* y,
                                  double* sums) {
  using Storage = typename E::Storage;
  const int64_t in_channels = convolution.in_channels, out_channels = convolution.out_channels;
  const int64_t pixels = convolution.height * convolution.width;
  const int64_t tile_stride = in_channels * kPoints;
  const int64_t image_stride = (rows.end - rows.begin + 2) * convolution.tiles * tile_stride;
  auto* v = static_cast<Storage*>(rows_scratch);
  for (int64_t image = rows.first; image < rows.last; ++image) {
    TransformRows<E>(convolution, static_cast<const Storage*>(x) + image * pixels * in_channels,
                     rows.begin, rows.end, v + (image - rows.first) * image_stride);
  }
  for (int64_t o = 0; o < out_channels; o += kLanes) {
    const Storage* u = static_cast<const Storage*>(transformed) + o * 3 * tile_stride;
    double* block_sums = sums == nullptr ? nullptr : sums + o;
    Tile<Storage> tiles[4];
    int64_t waiting = 0;
    for (int64_t image = rows.first; image < rows.last; ++image) {
      const Storage* points = v + (image - rows.first) * image_stride;
      Storage* out = static_cast<Storage*>(y) +
                     (image * pixels + rows.begin * convolution.width) * out_channels + o;
      for (int64_t row = rows.begin; row < rows.end; ++row) {
        for (int64_t column = 0; column < convolution.width; column += kTile) {
          const int64_t columns = std::min(kTile, convolution.width - column);
          tiles[waiting++] = {points, out, columns};
          points += tile_stride;
          out += columns * out_channels;
          if (waiting < 4) continue;
          ConvolveTiles<E, 4>(convolution, tiles, u, block_sums);
          waiting = 0;
        }
      }
    }
    if (waiting == 3) {
      ConvolveTiles<E, 3>(convolution, tiles, u, block_sums);
    } else if (waiting == 2) {
      ConvolveTiles<E, 2>(convolution, tiles, u, block_sums);
    } else if (waiting == 1) {
      ConvolveTiles<E, 1>(convolution, tiles, u, block_sums);
    }
  }
}

}  // namespace frontier::worker::row_winograd

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_ROW_WINOGRAD_AVX512_H_
