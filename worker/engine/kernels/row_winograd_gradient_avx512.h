// Internal to row_winograd: backward weights; see row_winograd_avx512.h.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_ROW_WINOGRAD_GRADIENT_AVX512_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_ROW_WINOGRAD_GRADIENT_AVX512_H_

#include "worker/engine/kernels/row_winograd_avx512.h"

namespace frontier::worker::row_winograd {

// The images [first, last) of a map, in groups of kStep; those beyond `last` are zeros.
template <typename E>
struct Group {
  const typename E::Storage* rows[2];  // of each image, or null
};

template <typename E>
ROW_WINOGRAD_INLINE Group<E> GroupAt(const void* map, int64_t image, int64_t last, int64_t offset,
                                     int64_t image_stride) {
  Group<E> group = {};
  for (int64_t s = 0; s < E::kStep && image + s < last; ++s) {
    group.rows[s] =
        static_cast<const typename E::Storage*>(map) + (image + s) * image_stride + offset;
  }
  return group;
}

// x of a group of images, rows [begin - 1, end + 1), zeros outside of the image, to
// [point][in / 16][group][row][tile][16][step].
template <typename E>
ROW_WINOGRAD_TARGET void TransformGradientInput(const Convolution& convolution, const void* x,
                                                int64_t first, int64_t last, int64_t begin,
                                                int64_t end, typename E::Storage* out) {
  constexpr int64_t kStep = E::kStep, kBlock = kLanes * kStep;
  const int64_t channels = convolution.in_channels, width = convolution.width;
  const int64_t groups = (last - first + kStep - 1) / kStep;
  const int64_t row_stride = convolution.tiles * kBlock;
  const int64_t group_stride = (end - begin + 2) * row_stride;
  const int64_t block_stride = groups * group_stride;
  const int64_t point_stride = channels / kLanes * block_stride;
  for (int64_t g = 0; g < groups; ++g) {
    for (int64_t y = begin - 1; y < end + 1; ++y) {
      for (int64_t c = 0; c < channels; c += kLanes) {
        typename E::Storage* place =
            out + c / kLanes * block_stride + g * group_stride + (y - begin + 1) * row_stride;
        if (y < 0 || y >= convolution.height) {
          for (int64_t p = 0; p < kPoints; ++p) {
            std::memset(place + p * point_stride, 0,
                        static_cast<size_t>(row_stride) * sizeof(*out));
          }
          continue;
        }
        const Group<E> group = GroupAt<E>(x, first + g * kStep, last, y * width * channels + c,
                                          convolution.height * width * channels);
        __m512 d[kStep][6], points[kStep][kPoints];
        ROW_WINOGRAD_UNROLL for (int64_t s = 0; s < kStep; ++s) {
          ROW_WINOGRAD_UNROLL for (int64_t j = 0; j < 6; ++j) d[s][j] = _mm512_setzero_ps();
          if (group.rows[s] != nullptr) d[s][1] = E::Load(group.rows[s]);
        }
        for (int64_t t = 0; t < convolution.tiles; ++t, place += kBlock) {
          ROW_WINOGRAD_UNROLL for (int64_t s = 0; s < kStep; ++s) {
            if (group.rows[s] != nullptr) {
              LoadColumns<E>(group.rows[s], t * kTile, width, channels, d[s] + 2);
            }
            TransformInput(d[s], points[s]);
            d[s][0] = d[s][4];
            d[s][1] = d[s][5];
          }
          ROW_WINOGRAD_UNROLL for (int64_t p = 0; p < kPoints; ++p) {
            const __m512 steps[2] = {points[0][p], points[kStep - 1][p]};
            E::StoreSteps(place + p * point_stride, steps);
          }
        }
      }
    }
  }
}

// dy of a group of images, rows [begin, end), to [point][out / 16][group][row][tile][16][step].
template <typename E>
ROW_WINOGRAD_TARGET void TransformGradientOutput(const Convolution& convolution, const void* dy,
                                                 int64_t first, int64_t last, int64_t begin,
                                                 int64_t end, typename E::Storage* out) {
  constexpr int64_t kStep = E::kStep, kBlock = kLanes * kStep;
  const int64_t channels = convolution.out_channels, width = convolution.width;
  const int64_t groups = (last - first + kStep - 1) / kStep;
  const int64_t row_stride = convolution.tiles * kBlock;
  const int64_t group_stride = (end - begin) * row_stride;
  const int64_t block_stride = groups * group_stride;
  const int64_t point_stride = channels / kLanes * block_stride;
  for (int64_t g = 0; g < groups; ++g) {
    for (int64_t y = begin; y < end; ++y) {
      for (int64_t c = 0; c < channels; c += kLanes) {
        typename E::Storage* place =
            out + c / kLanes * block_stride + g * group_stride + (y - begin) * row_stride;
        const Group<E> group = GroupAt<E>(dy, first + g * kStep, last, y * width * channels + c,
                                          convolution.height * width * channels);
        __m512 e[kStep][4], points[kStep][kPoints];
        ROW_WINOGRAD_UNROLL for (int64_t s = 0; s < kStep; ++s) {
          ROW_WINOGRAD_UNROLL for (int64_t j = 0; j < 4; ++j) e[s][j] = _mm512_setzero_ps();
        }
        for (int64_t t = 0; t < convolution.tiles; ++t, place += kBlock) {
          ROW_WINOGRAD_UNROLL for (int64_t s = 0; s < kStep; ++s) {
            if (group.rows[s] != nullptr) {
              LoadColumns<E>(group.rows[s], t * kTile - 1, width, channels, e[s]);
            }
            TransformOutputGradient(e[s], points[s]);
          }
          ROW_WINOGRAD_UNROLL for (int64_t p = 0; p < kPoints; ++p) {
            const __m512 steps[2] = {points[0][p], points[kStep - 1][p]};
            E::StoreSteps(place + p * point_stride, steps);
          }
        }
      }
    }
  }
}

// 3 x 8 x 16 products of one point: `groups` times `count` steps of the reduction.
template <typename E>
ROW_WINOGRAD_TARGET void MultiplyGradientBlock(const typename E::Storage* v, int64_t v_group_stride,
                                               int64_t v_row_stride, const typename E::Storage* d,
                                               int64_t groups, int64_t count, bool add,
                                               float* products) {
  constexpr int64_t kStep = E::kStep;
  __m512 acc[3][kGradientIn];
  ROW_WINOGRAD_UNROLL for (int kh = 0; kh < 3; ++kh) {
    ROW_WINOGRAD_UNROLL for (int c = 0; c < kGradientIn; ++c) acc[kh][c] = _mm512_setzero_ps();
  }
  for (int64_t g = 0; g < groups; ++g, v += v_group_stride) {
    const typename E::Storage* place = v;
    for (int64_t i = 0; i < count; ++i, place += kLanes * kStep, d += kLanes * kStep) {
      const typename E::Vector w = E::LoadVector(d);
      ROW_WINOGRAD_UNROLL for (int kh = 0; kh < 3; ++kh) {
        ROW_WINOGRAD_UNROLL for (int c = 0; c < kGradientIn; ++c) {
          acc[kh][c] = E::Multiply(acc[kh][c], place + kh * v_row_stride + c * kStep, w);
        }
      }
    }
  }
  ROW_WINOGRAD_UNROLL for (int kh = 0; kh < 3; ++kh) {
    ROW_WINOGRAD_UNROLL for (int c = 0; c < kGradientIn; ++c) {
      float* out = products + (kh * kGradientIn + c) * kLanes;
      _mm512_store_ps(out, add ? _mm512_add_ps(_mm512_load_ps(out), acc[kh][c]) : acc[kh][c]);
    }
  }
}

template <typename E>
ROW_WINOGRAD_TARGET void MultiplyGradient(const Convolution& convolution, int64_t first,
                                          int64_t last, int64_t begin, int64_t end, const void* x,
                                          const void* dy, void* x_scratch, void* dy_scratch,
                                          bool add, float* products) {
  using Storage = typename E::Storage;
  auto* v = static_cast<Storage*>(x_scratch);
  auto* d = static_cast<Storage*>(dy_scratch);
  TransformGradientInput<E>(convolution, x, first, last, begin, end, v);
  TransformGradientOutput<E>(convolution, dy, first, last, begin, end, d);
  const int64_t groups = (last - first + E::kStep - 1) / E::kStep;
  const int64_t count = (end - begin) * convolution.tiles;
  const int64_t row_stride = convolution.tiles * kLanes * E::kStep;
  const int64_t group_stride = (end - begin + 2) * row_stride;
  for (int64_t p = 0; p < kPoints; ++p) {
    const Storage* v_point = v + p * convolution.in_channels / kLanes * groups * group_stride;
    const Storage* d_point = d + p * convolution.out_channels * groups * count * E::kStep;
    for (int64_t o = 0; o < convolution.out_channels / kLanes; ++o) {
      for (int64_t c = 0; c < convolution.in_channels; c += kGradientIn) {
        const Storage* v_block =
            v_point + c / kLanes * groups * group_stride + c % kLanes * E::kStep;
        MultiplyGradientBlock<E>(v_block, group_stride, row_stride,
                                 d_point + o * kLanes * groups * count * E::kStep, groups, count,
                                 add, products);
        products += 3 * kGradientIn * kLanes;
      }
    }
  }
}

template <typename E>
ROW_WINOGRAD_TARGET void FinishGradient(int64_t out_channels, int64_t in_channels,
                                        const float* products, int64_t parts, int64_t stride,
                                        int64_t begin, int64_t end, float* dweights) {
  const int64_t in_blocks = in_channels / kLanes;
  const int64_t point_stride = 3 * in_channels * out_channels;
  alignas(64) float taps[kFilter * 16 * 16];  // [in][tap][out]
  for (int64_t block = begin; block < end; ++block) {
    const int64_t o = block / in_blocks, i = block % in_blocks;
    const float* from = products + block * 3 * kLanes * kLanes;
    for (int64_t in = 0; in < kLanes; ++in) {
      for (int64_t kh = 0; kh < 3; ++kh) {
        const int64_t place =
            ((in / kGradientIn * 3 + kh) * kGradientIn + in % kGradientIn) * kLanes;
        __m512 m[kPoints], out[3];
        for (int64_t p = 0; p < kPoints; ++p) {
          m[p] = _mm512_load_ps(from + place + p * point_stride);
          for (int64_t part = 1; part < parts; ++part) {
            m[p] = _mm512_add_ps(m[p],
                                 _mm512_load_ps(from + place + p * point_stride + part * stride));
          }
        }
        TransformGradient(m, out);
        for (int64_t kw = 0; kw < 3; ++kw) {
          _mm512_store_ps(taps + (in * kFilter + kh * 3 + kw) * kLanes, out[kw]);
        }
      }
    }
    for (int64_t q = 0; q < kFilter; ++q) {
      __m512 rows[16];
      for (int64_t j = 0; j < 16; ++j) rows[j] = _mm512_load_ps(taps + (q * 16 + j) * kLanes);
      Transpose(rows);
      for (int64_t j = 0; j < 16; ++j) {
        _mm512_storeu_ps(
            dweights + ((o * kLanes + j) * in_channels + i * kLanes) * kFilter + q * 16, rows[j]);
      }
    }
  }
}

template <typename E>
Kernels AllKernels() {
  Kernels kernels;
  kernels.traits = {E::kStep, sizeof(typename E::Storage)};
  kernels.transform_weights = TransformWeights<E>;
  kernels.convolve = Convolve<E>;
  kernels.multiply_gradient = MultiplyGradient<E>;
  kernels.finish_gradient = FinishGradient<E>;
  return kernels;
}

}  // namespace frontier::worker::row_winograd

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_ROW_WINOGRAD_GRADIENT_AVX512_H_
