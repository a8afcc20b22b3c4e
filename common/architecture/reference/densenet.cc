// Huang et al. 2017, "Densely Connected Convolutional Networks".
#include <string>

#include "absl/strings/str_cat.h"
#include "common/architecture/reference/networks.h"

namespace frontier::reference {
namespace {

// Norm, ReLU and convolution, in this order.
int AddPreActivated(const std::string& name, int x, const v1::Convolution& convolution,
                    ArchitectureBuilder* b) {
  x = b->Relu(absl::StrCat(name, ".relu"), b->BatchNorm(absl::StrCat(name, ".norm"), x));
  return b->Convolution(name, x, convolution);
}

}  // namespace

// Section 3, DenseNet-BC with growth rate 32 and compression 1 / 2; table 1.
void BuildDenseNet121(ArchitectureBuilder* b) {
  constexpr int kGrowth = 32;
  constexpr int kBottleneck = 4 * kGrowth;
  Halvings halvings(b->shape(b->input()), 5);
  int x = AddWideStem(b, &halvings);
  int block = 0;
  for (const int layers : {6, 12, 24, 16}) {
    if (block > 0) {
      const std::string name = absl::StrCat("transition", block);
      x = AddPreActivated(absl::StrCat(name, ".conv"), x,
                          SquareConvolution(b->shape(x).channels() / 2, 1), b);
      if (halvings.Next() == 2) {
        x = b->AveragePool(absl::StrCat(name, ".pool"), x, HalvingPool(b->shape(x)));
      }
    }
    ++block;
    for (int layer = 1; layer <= layers; ++layer) {
      const std::string name = absl::StrCat("block", block, ".layer", layer);
      int y =
          AddPreActivated(absl::StrCat(name, ".conv1"), x, SquareConvolution(kBottleneck, 1), b);
      y = AddPreActivated(absl::StrCat(name, ".conv2"), y, SquareConvolution(kGrowth, 3), b);
      x = b->Concat(absl::StrCat(name, ".concat"), {x, y});
    }
  }
  b->Classifier(b->Relu("relu", b->BatchNorm("norm", x)));
}

}  // namespace frontier::reference
