// Iandola et al. 2016, "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", and a
// network like it for small images.
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/architecture/reference/networks.h"

namespace frontier::reference {
namespace {

// Section 3.1: 1 x 1 to `squeeze` channels, then 1 x 1 and 3 x 3 side by side to `expand` each.
template <typename Convolve>
int AddFire(const std::string& name, int x, int squeeze, int expand, ArchitectureBuilder* b,
            const Convolve& convolve) {
  x = convolve(name + ".squeeze", x, SquareConvolution(squeeze, 1));
  const int narrow = convolve(name + ".narrow", x, SquareConvolution(expand, 1));
  const int wide = convolve(name + ".wide", x, SquareConvolution(expand, 3));
  return b->Concat(name + ".concat", {narrow, wide});
}

// The published stem has no padding; that is added where a side is smaller than the kernel.
v1::Convolution Stem(const v1::Shape& input, int width, int kernel, int stride) {
  if (stride == 1) return SquareConvolution(width, 3);
  v1::Convolution stem = SquareConvolution(width, kernel, stride);
  if (input.height() >= kernel) stem.set_padding_height(0);
  if (input.width() >= kernel) stem.set_padding_width(0);
  return stem;
}

struct Fire {
  int squeeze, expand;
  bool pool_before;
};

void BuildSqueezeNet(ArchitectureBuilder* b, int stem_width, int stem_kernel,
                     absl::Span<const Fire> fires) {
  const auto convolve = [b](const std::string& name, int x, const v1::Convolution& convolution) {
    return b->ConvolutionRelu(name, x, convolution);
  };
  const v1::Shape input = b->shape(b->input());
  Halvings halvings(input, 4);
  int x = convolve("stem", b->input(), Stem(input, stem_width, stem_kernel, halvings.Next()));
  int pool = 0;
  int number = 1;  // the paper's first fire module is its second layer
  for (const Fire& fire : fires) {
    ++number;
    if (fire.pool_before) {
      ++pool;
      if (halvings.Next() == 2) {
        x = b->MaxPool(absl::StrCat("pool", pool), x, CeilPool(b->shape(x)));
      }
    }
    x = AddFire(absl::StrCat("fire", number), x, fire.squeeze, fire.expand, b, convolve);
  }
  x = b->Dropout("dropout", x, 0.5f);
  x = convolve("classifier", x, SquareConvolution(b->classes(), 1));
  b->GlobalAveragePool("pool", x);
}

}  // namespace

void BuildSqueezeNet10(ArchitectureBuilder* b) {
  BuildSqueezeNet(b, 96, 7,
                  {{16, 64, true},
                   {16, 64, false},
                   {32, 128, false},
                   {32, 128, true},
                   {48, 192, false},
                   {48, 192, false},
                   {64, 256, false},
                   {64, 256, true}});
}

void BuildSqueezeNet11(ArchitectureBuilder* b) {
  BuildSqueezeNet(b, 64, 3,
                  {{16, 64, true},
                   {16, 64, false},
                   {32, 128, true},
                   {32, 128, false},
                   {48, 192, true},
                   {48, 192, false},
                   {64, 256, false},
                   {64, 256, false}});
}

void BuildSqueezeNetLike(ArchitectureBuilder* b) {
  const auto convolve = [b](const std::string& name, int x, const v1::Convolution& convolution) {
    return b->ConvolutionNormRelu(name, x, convolution);
  };
  int x = convolve("stem", b->input(), SquareConvolution(32, 3));
  x = b->MaxPool("pool1", x, SquarePool(2, 2));
  x = AddFire("fire1", x, 16, 32, b, convolve);
  x = AddFire("fire2", x, 16, 32, b, convolve);
  x = b->MaxPool("pool2", x, SquarePool(2, 2));
  x = AddFire("fire3", x, 32, 64, b, convolve);
  x = AddFire("fire4", x, 32, 64, b, convolve);
  b->Classifier(x);
}

}  // namespace frontier::reference
