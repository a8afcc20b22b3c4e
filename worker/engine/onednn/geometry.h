// Layers' attributes as oneDNN's dimensions.
#ifndef FRONTIER_WORKER_ENGINE_ONEDNN_GEOMETRY_H_
#define FRONTIER_WORKER_ENGINE_ONEDNN_GEOMETRY_H_

#include <dnnl.hpp>

#include "frontier/v1/architecture.pb.h"
#include "worker/engine/kernels/convolution_axis.h"

namespace frontier::worker::onednn {

using Dims = dnnl::memory::dims;

// {batch, C, H, W}
inline Dims ValueDims(int batch, const v1::Shape& shape) {
  return {batch, shape.channels(), shape.height(), shape.width()};
}

struct ConvolutionGeometry {
  ConvolutionGeometry(const v1::Convolution& c, int in_channels)
      : weights(c.groups() == 1
                    ? Dims{c.out_channels(), in_channels, c.kernel_height(), c.kernel_width()}
                    : Dims{c.groups(), c.out_channels() / c.groups(), in_channels / c.groups(),
                           c.kernel_height(), c.kernel_width()}),
        bias{c.out_channels()},
        strides{c.stride_height(), c.stride_width()},
        dilates{c.dilation_height() - 1, c.dilation_width() - 1},  // oneDNN counts the gaps
        padding{c.padding_height(), c.padding_width()} {}
  // 3 x 3, of which the output is as large as the input.
  bool IsSquare3Same() const {
    return weights[weights.size() - 2] == 3 && weights.back() == 3 && strides == Dims{1, 1} &&
           dilates == Dims{0, 0} && padding == Dims{1, 1};
  }
  Dims weights, bias, strides, dilates, padding;
};

inline ConvolutionAxis HeightAxis(const v1::Convolution& c, const v1::Shape& in,
                                  const v1::Shape& out) {
  return {in.height(),       out.height(),        c.kernel_height(),
          c.stride_height(), c.dilation_height(), c.padding_height()};
}

inline ConvolutionAxis WidthAxis(const v1::Convolution& c, const v1::Shape& in,
                                 const v1::Shape& out) {
  return {in.width(),       out.width(),        c.kernel_width(),
          c.stride_width(), c.dilation_width(), c.padding_width()};
}

struct PoolGeometry {
  explicit PoolGeometry(const v1::Pool& p)
      : kernel{p.kernel_height(), p.kernel_width()},
        strides{p.stride_height(), p.stride_width()},
        padding{p.padding_height(), p.padding_width()} {}
  // A global pool is one window as large as the map.
  explicit PoolGeometry(const v1::Shape& in)
      : kernel{in.height(), in.width()}, strides{1, 1}, padding{0, 0} {}
  Dims kernel, strides, padding;
};

inline constexpr float kBatchNormEpsilon = 1e-5f;
inline constexpr float kBatchNormMomentum = 0.1f;

}  // namespace frontier::worker::onednn

#endif  // FRONTIER_WORKER_ENGINE_ONEDNN_GEOMETRY_H_
