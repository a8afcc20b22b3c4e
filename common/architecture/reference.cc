#include "common/architecture/reference.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/architecture/builder.h"

namespace frontier {
namespace {

void BuildMobileNetV2Like(ArchitectureBuilder* b) {
  constexpr int kExpansion = 4;
  struct Stage {
    int width, blocks, stride;
  };
  int x = b->ConvolutionNormRelu("stem", b->input(), SquareConvolution(16, 3));
  int number = 0;
  for (const Stage& stage : {Stage{24, 2, 2}, Stage{40, 3, 2}, Stage{80, 2, 1}}) {
    ++number;
    for (int block = 0; block < stage.blocks; ++block) {
      const std::string name = absl::StrCat("stage", number, ".block", block);
      const int stride = block == 0 ? stage.stride : 1;
      const int in_channels = b->shape(x).channels();
      const int hidden = in_channels * kExpansion;
      int y =
          b->ConvolutionNormRelu(absl::StrCat(name, ".expand"), x, SquareConvolution(hidden, 1));
      y = b->ConvolutionNormRelu(absl::StrCat(name, ".depthwise"), y,
                                 SquareConvolution(hidden, 3, stride, /*groups=*/0));
      y = b->ConvolutionNorm(absl::StrCat(name, ".project"), y, SquareConvolution(stage.width, 1));
      const bool shortcut = stride == 1 && in_channels == stage.width;
      x = shortcut ? b->Add(absl::StrCat(name, ".add"), {x, y}) : y;
    }
  }
  b->Classifier(x);
}

void BuildResNet20(ArchitectureBuilder* b) {
  int x = b->ConvolutionNormRelu("stem", b->input(), SquareConvolution(16, 3));
  int number = 0;
  for (int width : {16, 32, 64}) {
    ++number;
    for (int block = 0; block < 3; ++block) {
      const std::string name = absl::StrCat("stage", number, ".block", block);
      const int stride = number > 1 && block == 0 ? 2 : 1;
      int y = b->ConvolutionNormRelu(absl::StrCat(name, ".conv1"), x,
                                     SquareConvolution(width, 3, stride));
      y = b->ConvolutionNorm(absl::StrCat(name, ".conv2"), y, SquareConvolution(width, 3));
      if (stride != 1) {
        x = b->ConvolutionNorm(absl::StrCat(name, ".shortcut"), x,
                               SquareConvolution(width, 1, stride));
      }
      x = b->Relu(absl::StrCat(name, ".relu"), b->Add(absl::StrCat(name, ".add"), {x, y}));
    }
  }
  b->Classifier(x);
}

void BuildSmallCnn(ArchitectureBuilder* b) {
  int x = b->ConvolutionNormRelu("conv1", b->input(), SquareConvolution(32, 3));
  // Padded 3 x 3 pools halve any extent, one pixel included.
  x = b->MaxPool("pool1", x, SquarePool(3, 2));
  x = b->ConvolutionNormRelu("conv2", x, SquareConvolution(64, 3));
  x = b->MaxPool("pool2", x, SquarePool(3, 2));
  x = b->ConvolutionNormRelu("conv3", x, SquareConvolution(128, 3));
  b->Classifier(x);
}

// Iandola et al. 2016, "SqueezeNet", section 3.1, with norms: 1 x 1 to `squeeze` channels, then 1 x
// 1 and 3 x 3 side by side to `expand` each.
int AddFire(ArchitectureBuilder* b, const std::string& name, int x, int squeeze, int expand) {
  x = b->ConvolutionNormRelu(name + ".squeeze", x, SquareConvolution(squeeze, 1));
  const int narrow = b->ConvolutionNormRelu(name + ".narrow", x, SquareConvolution(expand, 1));
  const int wide = b->ConvolutionNormRelu(name + ".wide", x, SquareConvolution(expand, 3));
  return b->Concat(name + ".concat", {narrow, wide});
}

void BuildSqueezeNetLike(ArchitectureBuilder* b) {
  int x = b->ConvolutionNormRelu("stem", b->input(), SquareConvolution(32, 3));
  x = b->MaxPool("pool1", x, SquarePool(2, 2));
  x = AddFire(b, "fire1", x, 16, 32);
  x = AddFire(b, "fire2", x, 16, 32);
  x = b->MaxPool("pool2", x, SquarePool(2, 2));
  x = AddFire(b, "fire3", x, 32, 64);
  x = AddFire(b, "fire4", x, 32, 64);
  b->Classifier(x);
}

void BuildVggLike(ArchitectureBuilder* b) {
  int x = b->input();
  int number = 0;
  for (int width : {32, 64, 128}) {
    ++number;
    for (int layer : {1, 2}) {
      x = b->ConvolutionNormRelu(absl::StrCat("stage", number, ".conv", layer), x,
                                 SquareConvolution(width, 3));
    }
    x = b->MaxPool(absl::StrCat("pool", number), x, SquarePool(2, 2));
  }
  b->Classifier(x);
}

struct Reference {
  const char* name;
  void (*build)(ArchitectureBuilder*);
};

constexpr Reference kReferences[] = {
    {"mobilenetv2-like", BuildMobileNetV2Like},
    {"resnet20", BuildResNet20},
    {"small-cnn", BuildSmallCnn},
    {"squeezenet-like", BuildSqueezeNetLike},
    {"vgg-like", BuildVggLike},
};

}  // namespace

std::vector<std::string> ReferenceNames() {
  std::vector<std::string> names;
  for (const Reference& reference : kReferences) names.emplace_back(reference.name);
  return names;
}

absl::StatusOr<v1::Architecture> ReferenceArchitecture(absl::string_view name,
                                                       const v1::Shape& input, int classes) {
  for (const Reference& reference : kReferences) {
    if (name != reference.name) continue;
    ArchitectureBuilder builder(input, classes);
    reference.build(&builder);
    return builder.Build();
  }
  return absl::NotFoundError(absl::StrCat("reference network '", name, "': known are ",
                                          absl::StrJoin(ReferenceNames(), ", ")));
}

}  // namespace frontier
