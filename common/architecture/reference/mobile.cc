// Networks of inverted residuals.
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/architecture/reference/networks.h"

namespace frontier::reference {
namespace {

enum class Activation { kRelu, kRelu6, kHardSwish };

int AddActivation(const std::string& name, int x, Activation activation, ArchitectureBuilder* b) {
  switch (activation) {
    case Activation::kRelu:
      return b->Relu(absl::StrCat(name, ".relu"), x);
    case Activation::kRelu6:
      return b->Relu6(absl::StrCat(name, ".relu6"), x);
    case Activation::kHardSwish:
      break;
  }
  return b->HardSwish(absl::StrCat(name, ".hard_swish"), x);
}

int AddActivated(const std::string& name, int x, const v1::Convolution& convolution,
                 Activation activation, ArchitectureBuilder* b) {
  return AddActivation(name, b->ConvolutionNorm(name, x, convolution), activation, b);
}

// Hu et al. 2018, "Squeeze-and-Excitation Networks", section 3, as in MobileNetV3: a quarter of the
// channels, rounded to a multiple of 8, and a hard sigmoid.
int AddSqueezeAndExcite(const std::string& name, int x, ArchitectureBuilder* b) {
  const int channels = b->shape(x).channels();
  constexpr int kMultiple = 8;
  int squeezed = std::max(kMultiple, (channels / 4 + kMultiple / 2) / kMultiple * kMultiple);
  if (10 * squeezed < 9 * (channels / 4)) squeezed += kMultiple;
  int gate = b->GlobalAveragePool(absl::StrCat(name, ".pool"), x);
  gate = b->ConvolutionRelu(absl::StrCat(name, ".squeeze"), gate, SquareConvolution(squeezed, 1));
  v1::Convolution excite = SquareConvolution(channels, 1);
  excite.set_bias(true);
  gate = b->Convolution(absl::StrCat(name, ".excite"), gate, excite);
  gate = b->HardSigmoid(absl::StrCat(name, ".gate"), gate);
  return b->Multiply(absl::StrCat(name, ".scale"), x, gate);
}

struct Block {
  int kernel = 3;
  int hidden = 0;  // channels of the depthwise convolution
  int width = 0;
  int stride = 1;
  Activation activation = Activation::kRelu;
  bool squeeze_and_excite = false;
};

// Sandler et al. 2018, "MobileNetV2", section 3: 1 x 1 to more channels (left out if there are as
// many), depthwise, and linear 1 x 1; added to the input where shapes agree.
int AddInvertedResidual(const std::string& name, int x, const Block& block,
                        ArchitectureBuilder* b) {
  const int in_channels = b->shape(x).channels();
  int y = x;
  if (block.hidden != in_channels) {
    y = AddActivated(absl::StrCat(name, ".expand"), y, SquareConvolution(block.hidden, 1),
                     block.activation, b);
  }
  y = AddActivated(absl::StrCat(name, ".depthwise"), y,
                   SquareConvolution(block.hidden, block.kernel, block.stride, /*groups=*/0),
                   block.activation, b);
  if (block.squeeze_and_excite) y = AddSqueezeAndExcite(absl::StrCat(name, ".se"), y, b);
  y = b->ConvolutionNorm(absl::StrCat(name, ".project"), y, SquareConvolution(block.width, 1));
  const bool shortcut = block.stride == 1 && in_channels == block.width;
  return shortcut ? b->Add(absl::StrCat(name, ".add"), {x, y}) : y;
}

struct Stage {
  int expansion, kernel, width, blocks;
  bool halves;
};

// A 3 x 3 stem of 32 that halves, stages, a 1 x 1 convolution to 1280, classifier. Stages are
// numbered from 0, for the first of them is part of the stem in all of these networks.
void BuildMobile(ArchitectureBuilder* b, Activation activation, absl::Span<const Stage> stages,
                 float dropout) {
  Halvings halvings(b->shape(b->input()), 5);
  int x =
      AddActivated("stem", b->input(), SquareConvolution(32, 3, halvings.Next()), activation, b);
  int number = 0;
  for (const Stage& stage : stages) {
    for (int i = 0; i < stage.blocks; ++i) {
      Block block;
      block.kernel = stage.kernel;
      block.hidden = b->shape(x).channels() * stage.expansion;
      block.width = stage.width;
      block.stride = stage.halves && i == 0 ? halvings.Next() : 1;
      block.activation = activation;
      x = AddInvertedResidual(absl::StrCat("stage", number, ".block", i), x, block, b);
    }
    ++number;
  }
  x = AddActivated("head", x, SquareConvolution(1280, 1), activation, b);
  x = b->GlobalAveragePool("pool", x);
  if (dropout > 0) x = b->Dropout("dropout", x, dropout);
  b->Linear("classifier", x, b->classes());
}

}  // namespace

// Sandler et al. 2018, table 2.
void BuildMobileNetV2(ArchitectureBuilder* b) {
  BuildMobile(b, Activation::kRelu6,
              {{1, 3, 16, 1, false},
               {6, 3, 24, 2, true},
               {6, 3, 32, 3, true},
               {6, 3, 64, 4, true},
               {6, 3, 96, 3, false},
               {6, 3, 160, 3, true},
               {6, 3, 320, 1, false}},
              /*dropout=*/0.2f);
}

// Tan et al. 2019, "MnasNet", the variant B1 without squeeze-and-excite.
void BuildMnasNetB1(ArchitectureBuilder* b) {
  BuildMobile(b, Activation::kRelu,
              {{1, 3, 16, 1, false},
               {3, 3, 24, 3, true},
               {3, 5, 40, 3, true},
               {6, 5, 80, 3, true},
               {6, 3, 96, 2, false},
               {6, 5, 192, 4, true},
               {6, 3, 320, 1, false}},
              /*dropout=*/0.2f);
}

// Cai et al. 2019, "ProxylessNAS", figure 4 (mobile): kernel and expansion differ within a stage,
// and two blocks of the second stage were found to be skipped.
void BuildProxylessNasMobile(ArchitectureBuilder* b) {
  BuildMobile(b, Activation::kRelu6,
              {{1, 3, 16, 1, false},
               {3, 5, 32, 1, true},
               {3, 3, 32, 1, false},
               {3, 7, 40, 1, true},
               {3, 3, 40, 1, false},
               {3, 5, 40, 2, false},
               {6, 7, 80, 1, true},
               {3, 5, 80, 3, false},
               {6, 5, 96, 1, false},
               {3, 5, 96, 3, false},
               {6, 7, 192, 2, true},
               {3, 7, 192, 2, false},
               {6, 7, 320, 1, false}},
              /*dropout=*/0);
}

// Howard et al. 2019, "Searching for MobileNetV3", table 2.
void BuildMobileNetV3Small(ArchitectureBuilder* b) {
  struct Row {
    int kernel, hidden, width;
    bool squeeze_and_excite;
    Activation activation;
    bool halves;
  };
  constexpr auto kRelu = Activation::kRelu, kHardSwish = Activation::kHardSwish;
  Halvings halvings(b->shape(b->input()), 5);
  int x =
      AddActivated("stem", b->input(), SquareConvolution(16, 3, halvings.Next()), kHardSwish, b);
  int number = 0;
  for (const Row& row :
       {Row{3, 16, 16, true, kRelu, true}, Row{3, 72, 24, false, kRelu, true},
        Row{3, 88, 24, false, kRelu, false}, Row{5, 96, 40, true, kHardSwish, true},
        Row{5, 240, 40, true, kHardSwish, false}, Row{5, 240, 40, true, kHardSwish, false},
        Row{5, 120, 48, true, kHardSwish, false}, Row{5, 144, 48, true, kHardSwish, false},
        Row{5, 288, 96, true, kHardSwish, true}, Row{5, 576, 96, true, kHardSwish, false},
        Row{5, 576, 96, true, kHardSwish, false}}) {
    Block block;
    block.kernel = row.kernel;
    block.hidden = row.hidden;
    block.width = row.width;
    block.stride = row.halves ? halvings.Next() : 1;
    block.activation = row.activation;
    block.squeeze_and_excite = row.squeeze_and_excite;
    x = AddInvertedResidual(absl::StrCat("block", number++), x, block, b);
  }
  x = AddActivated("head", x, SquareConvolution(576, 1), kHardSwish, b);
  x = b->Linear("hidden", b->GlobalAveragePool("pool", x), 1024);
  x = b->Dropout("dropout", b->HardSwish("hidden.hard_swish", x), 0.2f);
  b->Linear("classifier", x, b->classes());
}

void BuildMobileNetV2Like(ArchitectureBuilder* b) {
  int x = b->ConvolutionNormRelu("stem", b->input(), SquareConvolution(16, 3));
  int number = 0;
  for (const Stage& stage :
       {Stage{4, 3, 24, 2, true}, Stage{4, 3, 40, 3, true}, Stage{4, 3, 80, 2, false}}) {
    ++number;
    for (int i = 0; i < stage.blocks; ++i) {
      Block block;
      block.hidden = b->shape(x).channels() * stage.expansion;
      block.width = stage.width;
      block.stride = stage.halves && i == 0 ? 2 : 1;
      x = AddInvertedResidual(absl::StrCat("stage", number, ".block", i), x, block, b);
    }
  }
  b->Classifier(x);
}

}  // namespace frontier::reference
