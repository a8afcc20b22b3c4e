// Blocks of which the networks of several spaces are made.
#ifndef FRONTIER_COORDINATOR_SPACE_BLOCKS_H_
#define FRONTIER_COORDINATOR_SPACE_BLOCKS_H_

#include "absl/strings/string_view.h"
#include "common/architecture/builder.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// Whether all three extents agree.
bool SameShape(const v1::Shape& a, const v1::Shape& b);

// Sandler et al. 2018, "MobileNetV2", section 3.
struct InvertedBottleneck {
  int width = 0;           // output channels
  int kernel = 3;          // of the depthwise convolution
  int expansion = 1;       // hidden channels for each of the input; 1 = no expanding convolution
  int stride = 1;          // of the depthwise convolution
  int squeeze_excite = 0;  // as AddSqueezeExcite, of the hidden channels; 0 = none
  v1::Activation activation = v1::ACTIVATION_RELU;
};

// He et al. 2016, "Deep Residual Learning for Image Recognition", figure 5.
struct Residual {
  int width = 0;  // output channels; of a bottleneck, those inside
  int kernel = 3;
  int stride = 1;
  int squeeze_excite = 0;  // as AddSqueezeExcite, on the branch; 0 = none
  v1::Activation activation = v1::ACTIVATION_RELU;
};

// Iandola et al. 2016, "SqueezeNet", section 3.1.
struct Fire {
  int squeeze = 0;  // channels of the squeezing 1 x 1
  int narrow = 0;   // channels of the expanding 1 x 1; 0 = without it
  int wide = 0;     // channels of the expanding kernel x kernel
  int kernel = 3;
  int stride = 1;  // of both expanding convolutions
  bool norm = true;
  v1::Activation activation = v1::ACTIVATION_RELU;
};

// An ArchitectureBuilder that knows blocks. Convolutions are padded to keep height and width at
// stride 1; for samples of height 1 kernels, strides and padding are 1-D.
class BlockBuilder : public ArchitectureBuilder {
 public:
  BlockBuilder(const v1::Shape& input, int classes)
      : ArchitectureBuilder(input, classes), signal_(input.height() == 1) {}

  // `groups` as in SquareConvolution.
  v1::Convolution Square(int width, int kernel, int stride = 1, int groups = 1) const;
  v1::Pool Pool(int kernel, int stride) const;

  // Node "name.relu", or as the activation is called.
  int Activate(absl::string_view name, int x, v1::Activation activation);
  // Convolution `name`, "name.norm" and the activation.
  int ConvolutionNormActivation(absl::string_view name, int x, const v1::Convolution& attributes,
                                v1::Activation activation);
  // The same without norm; the convolution has a bias.
  int ConvolutionActivation(absl::string_view name, int x, v1::Convolution attributes,
                            v1::Activation activation);

  // Average pooling with window and stride `reduction`; no node for 1.
  int AddReduction(absl::string_view name, int x, int reduction);

  // Hu et al. 2018, "Squeeze-and-Excitation Networks", section 3: each channel of `x` times a gate
  // that global average pooling and two 1 x 1 convolutions make, the hidden one with 1 / reduction
  // of the channels, rounded down, at least 1. No node for a reduction of 0.
  int AddSqueezeExcite(absl::string_view name, int x, int reduction);

  // Added to its input if the shapes agree.
  int AddInvertedBottleneck(absl::string_view name, int x, const InvertedBottleneck& block);
  // Two convolutions; the shortcut is projected if the shapes differ.
  int AddBasicResidual(absl::string_view name, int x, const Residual& block);
  // 1 x 1, kernel x kernel with the stride, 1 x 1 to `expansion` times the width; likewise.
  int AddBottleneckResidual(absl::string_view name, int x, const Residual& block,
                            int expansion = 4);
  int AddFire(absl::string_view name, int x, const Fire& block);

 private:
  int AddShortcut(absl::string_view name, int x, int branch, const Residual& block);

  const bool signal_;  // samples of height 1
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_BLOCKS_H_
