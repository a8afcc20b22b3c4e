// Simonyan and Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image
// Recognition", and plain networks like it.
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/architecture/reference/networks.h"

namespace frontier::reference {
namespace {

// A larger map is averaged down to about this before the first linear layer.
constexpr int kHeadExtent = 7;  // pixels

// Window and stride that leave at most kHeadExtent of `extent` pixels.
int HeadWindow(int extent) { return (extent - 1) / kHeadExtent + 1; }

}  // namespace

void BuildVgg16(ArchitectureBuilder* b) {
  struct Stage {
    int width, layers;
  };
  int x = b->input();
  int number = 0;
  // Table 1, column D.
  for (const Stage& stage :
       {Stage{64, 2}, Stage{128, 2}, Stage{256, 3}, Stage{512, 3}, Stage{512, 3}}) {
    ++number;
    for (int layer = 1; layer <= stage.layers; ++layer) {
      x = b->ConvolutionRelu(absl::StrCat("stage", number, ".conv", layer), x,
                             SquareConvolution(stage.width, 3));
    }
    const v1::Shape& shape = b->shape(x);
    if (std::max(shape.height(), shape.width()) >= 2) {
      x = b->MaxPool(absl::StrCat("pool", number), x, HalvingPool(shape));
    }
  }
  v1::Pool head;
  head.set_kernel_height(HeadWindow(b->shape(x).height()));
  head.set_stride_height(head.kernel_height());
  head.set_kernel_width(HeadWindow(b->shape(x).width()));
  head.set_stride_width(head.kernel_width());
  if (head.kernel_height() > 1 || head.kernel_width() > 1) x = b->AveragePool("pool", x, head);
  for (const char* name : {"fc1", "fc2"}) {
    x = b->Relu(absl::StrCat(name, ".relu"), b->Linear(name, x, 4096));
    x = b->Dropout(absl::StrCat(name, ".dropout"), x, 0.5f);
  }
  b->Linear("classifier", x, b->classes());
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

void BuildSmallCnn(ArchitectureBuilder* b) {
  int x = b->ConvolutionNormRelu("conv1", b->input(), SquareConvolution(32, 3));
  // Padded 3 x 3 pools halve any extent, one pixel included.
  x = b->MaxPool("pool1", x, SquarePool(3, 2));
  x = b->ConvolutionNormRelu("conv2", x, SquareConvolution(64, 3));
  x = b->MaxPool("pool2", x, SquarePool(3, 2));
  x = b->ConvolutionNormRelu("conv3", x, SquareConvolution(128, 3));
  b->Classifier(x);
}

}  // namespace frontier::reference
