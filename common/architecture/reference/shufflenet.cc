// Ma et al. 2018, "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design".
#include <string>

#include "absl/strings/str_cat.h"
#include "common/architecture/reference/networks.h"

namespace frontier::reference {
namespace {

// 1 x 1, depthwise 3 x 3, 1 x 1 to `width` channels.
int AddBranch(const std::string& name, int x, int width, int stride, ArchitectureBuilder* b) {
  x = b->ConvolutionNormRelu(absl::StrCat(name, ".conv1"), x, SquareConvolution(width, 1));
  x = b->ConvolutionNorm(absl::StrCat(name, ".depthwise"), x,
                         SquareConvolution(width, 3, stride, /*groups=*/0));
  return b->ConvolutionNormRelu(absl::StrCat(name, ".conv2"), x, SquareConvolution(width, 1));
}

// Figure 3 (d): both branches see all channels, and each gives half of the output's.
int AddFirstUnit(const std::string& name, int x, int width, int stride, ArchitectureBuilder* b) {
  const int in_channels = b->shape(x).channels();
  int left = b->ConvolutionNorm(absl::StrCat(name, ".left.depthwise"), x,
                                SquareConvolution(in_channels, 3, stride, /*groups=*/0));
  left = b->ConvolutionNormRelu(absl::StrCat(name, ".left.conv"), left,
                                SquareConvolution(width / 2, 1));
  const int right = AddBranch(absl::StrCat(name, ".right"), x, width / 2, stride, b);
  return b->Concat(absl::StrCat(name, ".concat"), {left, right});
}

// Figure 3 (c): half of the channels pass unchanged.
int AddUnit(const std::string& name, int x, int width, ArchitectureBuilder* b) {
  const int left = b->ChannelSlice(absl::StrCat(name, ".left"), x, 0, width / 2);
  const int right = b->ChannelSlice(absl::StrCat(name, ".right"), x, width / 2, width / 2);
  return b->Concat(absl::StrCat(name, ".concat"),
                   {left, AddBranch(absl::StrCat(name, ".right"), right, width / 2, 1, b)});
}

}  // namespace

void BuildShuffleNetV2(ArchitectureBuilder* b) {
  Halvings halvings(b->shape(b->input()), 5);
  int x = b->ConvolutionNormRelu("stem", b->input(), SquareConvolution(24, 3, halvings.Next()));
  if (halvings.Next() == 2) x = b->MaxPool("stem.pool", x, SquarePool(3, 2));
  struct Stage {
    int width, units;
  };
  int number = 1;  // the paper's first stage is the stem
  for (const Stage& stage : {Stage{116, 4}, Stage{232, 8}, Stage{464, 4}}) {
    ++number;
    for (int unit = 0; unit < stage.units; ++unit) {
      const std::string name = absl::StrCat("stage", number, ".unit", unit);
      x = unit == 0 ? AddFirstUnit(name, x, stage.width, halvings.Next(), b)
                    : AddUnit(name, x, stage.width, b);
      x = b->ChannelShuffle(absl::StrCat(name, ".shuffle"), x, 2);
    }
  }
  b->Classifier(b->ConvolutionNormRelu("head", x, SquareConvolution(1024, 1)));
}

}  // namespace frontier::reference
