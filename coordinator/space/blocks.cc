#include "coordinator/space/blocks.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace frontier::coordinator {

bool SameShape(const v1::Shape& a, const v1::Shape& b) {
  return a.channels() == b.channels() && a.height() == b.height() && a.width() == b.width();
}

v1::Convolution BlockBuilder::Square(int width, int kernel, int stride, int groups) const {
  v1::Convolution attributes = SquareConvolution(width, kernel, stride, groups);
  if (signal_) {
    attributes.set_kernel_height(1);
    attributes.set_stride_height(1);
    attributes.set_padding_height(0);
  }
  return attributes;
}

v1::Pool BlockBuilder::Pool(int kernel, int stride) const {
  v1::Pool attributes = SquarePool(kernel, stride);
  if (signal_) {
    attributes.set_kernel_height(1);
    attributes.set_stride_height(1);
    attributes.set_padding_height(0);
  }
  return attributes;
}

int BlockBuilder::Activate(absl::string_view name, int x, v1::Activation activation) {
  switch (activation) {
    case v1::ACTIVATION_RELU6:
      return Relu6(absl::StrCat(name, ".relu6"), x);
    case v1::ACTIVATION_HARD_SWISH:
      return HardSwish(absl::StrCat(name, ".hard_swish"), x);
    case v1::ACTIVATION_SILU:
      return Silu(absl::StrCat(name, ".silu"), x);
    case v1::ACTIVATION_GELU:
      return Gelu(absl::StrCat(name, ".gelu"), x);
    default:
      return Relu(absl::StrCat(name, ".relu"), x);
  }
}

int BlockBuilder::ConvolutionNormActivation(absl::string_view name, int x,
                                            const v1::Convolution& attributes,
                                            v1::Activation activation) {
  return Activate(name, ConvolutionNorm(name, x, attributes), activation);
}

int BlockBuilder::ConvolutionActivation(absl::string_view name, int x, v1::Convolution attributes,
                                        v1::Activation activation) {
  attributes.set_bias(true);
  return Activate(name, Convolution(name, x, attributes), activation);
}

int BlockBuilder::AddReduction(absl::string_view name, int x, int reduction) {
  if (reduction == 1) return x;
  v1::Pool pool = Pool(reduction, reduction);
  pool.set_padding_height(0);
  pool.set_padding_width(0);
  return AveragePool(name, x, pool);
}

int BlockBuilder::AddSqueezeExcite(absl::string_view name, int x, int reduction) {
  if (reduction == 0) return x;
  const int channels = shape(x).channels();
  const int hidden = std::max(1, channels / reduction);
  int gate = GlobalAveragePool(absl::StrCat(name, ".se.pool"), x);
  gate = ConvolutionActivation(absl::StrCat(name, ".se.squeeze"), gate,
                               SquareConvolution(hidden, 1), v1::ACTIVATION_RELU);
  v1::Convolution excite = SquareConvolution(channels, 1);
  excite.set_bias(true);
  gate = Convolution(absl::StrCat(name, ".se.excite"), gate, excite);
  gate = Sigmoid(absl::StrCat(name, ".se.gate"), gate);
  return Multiply(absl::StrCat(name, ".se.scale"), x, gate);
}

int BlockBuilder::AddInvertedBottleneck(absl::string_view name, int x,
                                        const InvertedBottleneck& block) {
  const int hidden = shape(x).channels() * block.expansion;
  int y = x;
  if (block.expansion != 1) {
    y = ConvolutionNormActivation(absl::StrCat(name, ".expand"), y, Square(hidden, 1),
                                  block.activation);
  }
  y = ConvolutionNormActivation(absl::StrCat(name, ".depthwise"), y,
                                Square(hidden, block.kernel, block.stride, /*groups=*/0),
                                block.activation);
  y = AddSqueezeExcite(name, y, block.squeeze_excite);
  y = ConvolutionNorm(absl::StrCat(name, ".project"), y, Square(block.width, 1));
  if (!SameShape(shape(x), shape(y))) return y;
  return Add(absl::StrCat(name, ".add"), {x, y});
}

int BlockBuilder::AddShortcut(absl::string_view name, int x, int branch, const Residual& block) {
  branch = AddSqueezeExcite(name, branch, block.squeeze_excite);
  if (!SameShape(shape(x), shape(branch))) {
    x = ConvolutionNorm(absl::StrCat(name, ".shortcut"), x,
                        Square(shape(branch).channels(), 1, block.stride));
  }
  return Activate(name, Add(absl::StrCat(name, ".add"), {x, branch}), block.activation);
}

int BlockBuilder::AddBasicResidual(absl::string_view name, int x, const Residual& block) {
  int y =
      ConvolutionNormActivation(absl::StrCat(name, ".conv1"), x,
                                Square(block.width, block.kernel, block.stride), block.activation);
  y = ConvolutionNorm(absl::StrCat(name, ".conv2"), y, Square(block.width, block.kernel));
  return AddShortcut(name, x, y, block);
}

int BlockBuilder::AddBottleneckResidual(absl::string_view name, int x, const Residual& block,
                                        int expansion) {
  int y = ConvolutionNormActivation(absl::StrCat(name, ".conv1"), x, Square(block.width, 1),
                                    block.activation);
  y = ConvolutionNormActivation(absl::StrCat(name, ".conv2"), y,
                                Square(block.width, block.kernel, block.stride), block.activation);
  y = ConvolutionNorm(absl::StrCat(name, ".conv3"), y, Square(block.width * expansion, 1));
  return AddShortcut(name, x, y, block);
}

int BlockBuilder::AddFire(absl::string_view name, int x, const Fire& block) {
  const auto convolve = [&](absl::string_view part, int from, const v1::Convolution& attributes) {
    const std::string node = absl::StrCat(name, part);
    return block.norm ? ConvolutionNormActivation(node, from, attributes, block.activation)
                      : ConvolutionActivation(node, from, attributes, block.activation);
  };
  x = convolve(".squeeze", x, Square(block.squeeze, 1));
  const int wide = convolve(".expand_wide", x, Square(block.wide, block.kernel, block.stride));
  if (block.narrow == 0) return wide;
  const int narrow = convolve(".expand", x, Square(block.narrow, 1, block.stride));
  return Concat(absl::StrCat(name, ".concat"), {narrow, wide});
}

}  // namespace frontier::coordinator
