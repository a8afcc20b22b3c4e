// Random networks and data for tests of the engine.
#ifndef FRONTIER_TESTS_UNIT_WORKER_ENGINE_ENGINE_CASES_H_
#define FRONTIER_TESTS_UNIT_WORKER_ENGINE_ENGINE_CASES_H_

#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "common/architecture/builder.h"
#include "common/base/random.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/model.pb.h"

namespace frontier::worker {

inline v1::Shape MakeShape(int channels, int height, int width) {
  v1::Shape shape;
  shape.set_channels(channels);
  shape.set_height(height);
  shape.set_width(width);
  return shape;
}

inline int Between(Rng* rng, int low, int high) {
  return low + static_cast<int>(rng->Uniform(static_cast<uint64_t>(high - low + 1)));
}

struct Batch {
  std::vector<float> images;
  std::vector<uint8_t> labels;
  std::vector<double> DoubleImages() const { return {images.begin(), images.end()}; }
};

inline Batch RandomBatch(const v1::Shape& shape, int classes, int batch, Rng* rng) {
  Batch result;
  const int64_t count = int64_t{batch} * shape.channels() * shape.height() * shape.width();
  for (int64_t i = 0; i < count; ++i) result.images.push_back(static_cast<float>(rng->Normal()));
  for (int i = 0; i < batch; ++i) {
    result.labels.push_back(static_cast<uint8_t>(rng->Uniform(static_cast<uint64_t>(classes))));
  }
  return result;
}

// The layers a case is made of.
enum class Layer {
  kConvolution,
  kDepthwise,
  kLinear,
  kBatchNorm,
  kRelu,
  kBatchNormRelu,
  kConvolutionRelu,
  kMaxPool,
  kAveragePool,
  kGlobalAveragePool,
  kAdd,
  kAddRelu,
  kConcat,
  kIdentity,
  kRelu6,
  kLeakyRelu,
  kSigmoid,
  kSilu,
  kHardSwish,
  kGelu,
  kConvolutionActivation,
  kLinearActivation,
  kMultiply,
  kGate,
  kChannelShuffle,
  kDropout,
  kZero,
  kHardSigmoid,
  kChannelSlice,
};

inline std::vector<Layer> AllLayers() {
  return {Layer::kConvolution,
          Layer::kDepthwise,
          Layer::kLinear,
          Layer::kBatchNorm,
          Layer::kRelu,
          Layer::kBatchNormRelu,
          Layer::kConvolutionRelu,
          Layer::kMaxPool,
          Layer::kAveragePool,
          Layer::kGlobalAveragePool,
          Layer::kAdd,
          Layer::kAddRelu,
          Layer::kConcat,
          Layer::kIdentity,
          Layer::kRelu6,
          Layer::kLeakyRelu,
          Layer::kSigmoid,
          Layer::kSilu,
          Layer::kHardSwish,
          Layer::kGelu,
          Layer::kConvolutionActivation,
          Layer::kLinearActivation,
          Layer::kMultiply,
          Layer::kGate,
          Layer::kChannelShuffle,
          Layer::kDropout,
          Layer::kZero,
          Layer::kHardSigmoid,
          Layer::kChannelSlice};
}

struct Case {
  v1::Architecture architecture;
  int batch = 1;
  std::string text;  // to reproduce it
};

inline v1::Convolution RandomConvolution(int in_channels, const v1::Shape& in, bool depthwise,
                                         Rng* rng) {
  v1::Convolution c;
  const int group_choices[] = {1, 1, in_channels % 2 == 0 ? 2 : 1, in_channels};
  const int groups = depthwise ? in_channels : group_choices[rng->Uniform(4)];
  c.set_groups(groups);
  c.set_out_channels(depthwise ? in_channels : groups * Between(rng, 1, groups > 2 ? 2 : 20));
  c.set_dilation_height(Between(rng, 1, 2));
  c.set_dilation_width(Between(rng, 1, 2));
  c.set_stride_height(Between(rng, 1, 2));
  c.set_stride_width(Between(rng, 1, 3));
  c.set_bias(rng->Uniform(2) == 0);
  const auto kernel = [rng](int extent, int dilation, int padding) {
    const int most = (extent + 2 * padding - 1) / dilation + 1;
    return Between(rng, 1, std::min(most, 5));
  };
  c.set_padding_height(Between(rng, 0, 2));
  c.set_padding_width(Between(rng, 0, 2));
  c.set_kernel_height(kernel(in.height(), c.dilation_height(), c.padding_height()));
  c.set_kernel_width(kernel(in.width(), c.dilation_width(), c.padding_width()));
  return c;
}

inline v1::Pool RandomPool(const v1::Shape& in, Rng* rng) {
  v1::Pool p;
  p.set_kernel_height(Between(rng, 1, std::min(in.height(), 4)));
  p.set_kernel_width(Between(rng, 1, std::min(in.width(), 4)));
  p.set_stride_height(Between(rng, 1, 3));
  p.set_stride_width(Between(rng, 1, 2));
  p.set_padding_height(Between(rng, 0, p.kernel_height() - 1));
  p.set_padding_width(Between(rng, 0, p.kernel_width() - 1));
  return p;
}

inline int AddActivation(Layer layer, int x, Rng* rng, ArchitectureBuilder* b) {
  switch (layer) {
    case Layer::kRelu6:
      return b->Relu6("activation", x);
    case Layer::kLeakyRelu:
      return b->LeakyRelu("activation", x, static_cast<float>(rng->UniformDouble()) * 0.9f);
    case Layer::kSigmoid:
      return b->Sigmoid("activation", x);
    case Layer::kSilu:
      return b->Silu("activation", x);
    case Layer::kHardSwish:
      return b->HardSwish("activation", x);
    case Layer::kHardSigmoid:
      return b->HardSigmoid("activation", x);
    default:
      return b->Gelu("activation", x);
  }
}

inline Layer RandomActivation(Rng* rng) {
  const Layer layers[] = {Layer::kRelu6,     Layer::kLeakyRelu, Layer::kSigmoid,    Layer::kSilu,
                          Layer::kHardSwish, Layer::kGelu,      Layer::kHardSigmoid};
  return layers[rng->Uniform(std::size(layers))];
}

// Input, a convolution that makes gradients flow through the layer, the layer, a linear layer.
inline Case RandomLayerCase(Layer layer, uint64_t seed) {
  Rng rng(seed, static_cast<uint64_t>(layer));
  Case result;
  result.batch = rng.Uniform(4) == 0 ? 1 : Between(&rng, 2, 5);
  const v1::Shape input = MakeShape(Between(&rng, 1, 4), Between(&rng, 1, 9), Between(&rng, 1, 9));
  const int classes = Between(&rng, 2, 7);
  ArchitectureBuilder b(input, classes);
  // Channels around the width of a vector register, even and odd.
  const int channels = rng.Uniform(2) == 0 ? 16 * Between(&rng, 1, 2) : Between(&rng, 1, 21);
  const int stem = b.Convolution("stem", b.input(), SquareConvolution(channels, 1));
  const int other = b.Convolution("other", b.input(), SquareConvolution(channels, 1));
  int x = stem;
  switch (layer) {
    case Layer::kConvolution:
    case Layer::kDepthwise:
    case Layer::kConvolutionRelu:
      x = b.Convolution("layer", x,
                        RandomConvolution(channels, b.shape(x), layer == Layer::kDepthwise, &rng));
      if (layer == Layer::kConvolutionRelu) x = b.Relu("relu", x);
      break;
    case Layer::kLinear:
      x = b.Linear("layer", x, Between(&rng, 1, 20), rng.Uniform(2) == 0);
      break;
    case Layer::kBatchNorm:
    case Layer::kBatchNormRelu:
      x = b.BatchNorm("layer", x);
      if (layer == Layer::kBatchNormRelu) x = b.Relu("relu", x);
      break;
    case Layer::kRelu:
      x = b.Relu("layer", b.AveragePool("pool", x, SquarePool(1, 1)));
      break;
    case Layer::kMaxPool:
      x = b.MaxPool("layer", x, RandomPool(b.shape(x), &rng));
      break;
    case Layer::kAveragePool:
      x = b.AveragePool("layer", x, RandomPool(b.shape(x), &rng));
      break;
    case Layer::kGlobalAveragePool:
      x = b.GlobalAveragePool("layer", x);
      break;
    case Layer::kAdd:
    case Layer::kAddRelu: {
      std::vector<int> terms = {x, other};
      if (rng.Uniform(2) == 0) terms.push_back(x);
      if (rng.Uniform(2) == 0) terms.push_back(b.Relu("branch", other));
      x = b.Add("layer", terms);
      if (layer == Layer::kAddRelu) x = b.Relu("relu", x);
      break;
    }
    case Layer::kConcat: {
      const int third = b.Convolution("third", b.input(), SquareConvolution(16, 1));
      std::vector<int> parts = {x, third};
      if (rng.Uniform(2) == 0) parts.push_back(other);
      if (rng.Uniform(2) == 0) parts.push_back(x);
      x = b.Concat("layer", parts);
      break;
    }
    case Layer::kIdentity:
      x = b.Identity("again", b.Identity("layer", x));
      break;
    case Layer::kRelu6:
    case Layer::kLeakyRelu:
    case Layer::kSigmoid:
    case Layer::kSilu:
    case Layer::kHardSwish:
    case Layer::kGelu:
    case Layer::kHardSigmoid: {
      // Large enough to meet both bends of those that have two.
      const int wide = b.Add("wide", {x, x, x});
      x = AddActivation(layer, wide, &rng, &b);
      if (rng.Uniform(2) == 0) x = b.Add("both", {x, wide, other});
      break;
    }
    case Layer::kConvolutionActivation: {
      const int y = b.Convolution(
          "layer", x, RandomConvolution(channels, b.shape(x), rng.Uniform(2) == 0, &rng));
      x = y;
      if (rng.Uniform(2) == 0) x = b.BatchNorm("norm", x);
      x = AddActivation(RandomActivation(&rng), x, &rng, &b);
      if (rng.Uniform(3) == 0) x = b.Add("both", {x, y});
      break;
    }
    case Layer::kLinearActivation:
      x = b.Linear("layer", x, Between(&rng, 1, 20), rng.Uniform(2) == 0);
      x = AddActivation(RandomActivation(&rng), x, &rng, &b);
      break;
    case Layer::kMultiply: {
      const int pairs[][2] = {{x, other}, {x, x}, {b.Sigmoid("gate", other), x}};
      const auto& pair = pairs[rng.Uniform(3)];
      x = b.Multiply("layer", pair[0], pair[1]);
      if (rng.Uniform(2) == 0) x = b.Add("both", {x, other});
      break;
    }
    case Layer::kGate: {
      // From the map itself, from another one, or from a linear layer.
      int gate = b.GlobalAveragePool("squeeze", rng.Uniform(2) == 0 ? x : other);
      if (rng.Uniform(2) == 0) {
        gate = b.Linear("excite", gate, channels);
      } else {
        gate = b.Convolution("excite", gate, SquareConvolution(channels, 1));
      }
      if (rng.Uniform(2) == 0) gate = b.Sigmoid("gate", gate);
      x = rng.Uniform(2) == 0 ? b.Multiply("layer", x, gate) : b.Multiply("layer", gate, x);
      if (rng.Uniform(3) == 0) x = b.Multiply("again", x, gate);
      break;
    }
    case Layer::kChannelShuffle: {
      int groups = Between(&rng, 1, channels);
      while (channels % groups != 0) --groups;
      x = b.ChannelShuffle("layer", x, groups);
      break;
    }
    case Layer::kChannelSlice: {
      const auto slice = [&](const char* name) {
        const int first = Between(&rng, 0, channels - 1);
        return b.ChannelSlice(name, x, first, Between(&rng, 1, channels - first));
      };
      const int part = slice("layer");
      x = rng.Uniform(2) == 0 ? part : b.Concat("parts", {slice("other_part"), part, x});
      break;
    }
    case Layer::kDropout: {
      const float rates[] = {0.0f, 0.1f, 0.5f, 0.9f};
      const int y = b.Dropout("layer", x, rates[rng.Uniform(4)]);
      x = rng.Uniform(2) == 0 ? b.Add("both", {x, y}) : b.Dropout("again", y, 0.3f);
      break;
    }
    case Layer::kZero: {
      const int zero = b.Zero("layer", x);
      switch (rng.Uniform(5)) {
        case 0:
          x = b.Add("sum", {zero, x, other});
          break;
        case 1:
          x = b.Add("sum", {zero, x});
          break;
        case 2:
          x = b.Concat("concat", {x, zero});
          break;
        case 3:
          x = b.Multiply("product", b.Add("zeros", {zero, zero}), x);
          break;
        default:
          x = b.BatchNorm("norm", b.Convolution("conv", zero, SquareConvolution(7, 3)));
          break;
      }
      break;
    }
  }
  b.Linear("classifier", x, classes);
  result.architecture = b.Build().value();
  result.text = "seed " + std::to_string(seed) + " batch " + std::to_string(result.batch) + "\n" +
                result.architecture.ShortDebugString();
  return result;
}

}  // namespace frontier::worker

#endif  // FRONTIER_TESTS_UNIT_WORKER_ENGINE_ENGINE_CASES_H_
