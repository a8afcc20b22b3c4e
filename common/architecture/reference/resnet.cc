// He et al. 2016, "Deep Residual Learning for Image Recognition".
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/architecture/reference/networks.h"

namespace frontier::reference {
namespace {

// Two 3 x 3 convolutions (figure 5, left). The shortcut is projected where the shape changes.
int AddBasicBlock(ArchitectureBuilder* b, const std::string& name, int x, int width, int stride) {
  int y =
      b->ConvolutionNormRelu(absl::StrCat(name, ".conv1"), x, SquareConvolution(width, 3, stride));
  y = b->ConvolutionNorm(absl::StrCat(name, ".conv2"), y, SquareConvolution(width, 3));
  if (stride != 1 || b->shape(x).channels() != width) {
    x = b->ConvolutionNorm(absl::StrCat(name, ".shortcut"), x, SquareConvolution(width, 1, stride));
  }
  return b->Relu(absl::StrCat(name, ".relu"), b->Add(absl::StrCat(name, ".add"), {x, y}));
}

// 1 x 1, 3 x 3 and 1 x 1 to four times the width (figure 5, right), the stride on the 3 x 3 as in
// most implementations.
int AddBottleneck(ArchitectureBuilder* b, const std::string& name, int x, int width, int stride) {
  constexpr int kExpansion = 4;
  const int out_channels = kExpansion * width;
  int y = b->ConvolutionNormRelu(absl::StrCat(name, ".conv1"), x, SquareConvolution(width, 1));
  y = b->ConvolutionNormRelu(absl::StrCat(name, ".conv2"), y, SquareConvolution(width, 3, stride));
  y = b->ConvolutionNorm(absl::StrCat(name, ".conv3"), y, SquareConvolution(out_channels, 1));
  if (stride != 1 || b->shape(x).channels() != out_channels) {
    x = b->ConvolutionNorm(absl::StrCat(name, ".shortcut"), x,
                           SquareConvolution(out_channels, 1, stride));
  }
  return b->Relu(absl::StrCat(name, ".relu"), b->Add(absl::StrCat(name, ".add"), {x, y}));
}

using AddBlock = int (*)(ArchitectureBuilder* b, const std::string& name, int x, int width,
                         int stride);

// Table 1: stages of 64, 128, 256 and 512.
void BuildForLargeImages(ArchitectureBuilder* b, const std::vector<int>& blocks, AddBlock add) {
  Halvings halvings(b->shape(b->input()), 5);
  int x = AddWideStem(b, &halvings);
  int width = 64;
  for (size_t stage = 0; stage < blocks.size(); ++stage) {
    for (int block = 0; block < blocks[stage]; ++block) {
      const int stride = stage > 0 && block == 0 ? halvings.Next() : 1;
      x = add(b, absl::StrCat("stage", stage + 1, ".block", block), x, width, stride);
    }
    width *= 2;
  }
  b->Classifier(x);
}

}  // namespace

void BuildResNet18(ArchitectureBuilder* b) { BuildForLargeImages(b, {2, 2, 2, 2}, AddBasicBlock); }

void BuildResNet50(ArchitectureBuilder* b) { BuildForLargeImages(b, {3, 4, 6, 3}, AddBottleneck); }

void BuildResNet20(ArchitectureBuilder* b) {
  int x = b->ConvolutionNormRelu("stem", b->input(), SquareConvolution(16, 3));
  int number = 0;
  for (int width : {16, 32, 64}) {
    ++number;
    for (int block = 0; block < 3; ++block) {
      const int stride = number > 1 && block == 0 ? 2 : 1;
      x = AddBasicBlock(b, absl::StrCat("stage", number, ".block", block), x, width, stride);
    }
  }
  b->Classifier(x);
}

}  // namespace frontier::reference
