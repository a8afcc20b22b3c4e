#include "coordinator/space/mobile_lowering.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/space/choices.h"

namespace frontier::coordinator {

int MultiplyWidth(int width, double multiplier) {
  if (multiplier == 1) return width;
  constexpr int kMultiple = 8;
  const double exact = width * multiplier;
  int rounded =
      std::max(kMultiple, static_cast<int>(exact + kMultiple / 2.0) / kMultiple * kMultiple);
  if (rounded < 0.9 * exact) rounded += kMultiple;
  return rounded;
}

absl::StatusOr<v1::Architecture> LowerMobile(const MobileChoice& choice, const v1::Shape& input,
                                             int classes) {
  BlockBuilder b(input, classes);
  int x = b.AddReduction("resolution", b.input(), choice.reduction);
  RETURN_IF_ERROR(CheckStride("stem", choice.stem_stride, b.shape(x)));
  x = b.ConvolutionNormActivation("stem", x, b.Square(choice.stem_width, 3, choice.stem_stride),
                                  choice.activation);
  int number = 0;
  for (const std::vector<InvertedBottleneck>& unit : choice.units) {
    const std::string name = absl::StrCat("unit", ++number);
    RETURN_IF_ERROR(CheckStride(name, unit.front().stride, b.shape(x)));
    int block = 0;
    for (const InvertedBottleneck& each : unit) {
      x = b.AddInvertedBottleneck(absl::StrCat(name, ".block", block++), x, each);
    }
  }
  if (choice.head_width > 0) {
    x = b.ConvolutionNormActivation("head", x, b.Square(choice.head_width, 1), choice.activation);
  }
  x = b.GlobalAveragePool("pool", x);
  if (choice.dropout > 0) x = b.Dropout("dropout", x, static_cast<float>(choice.dropout));
  b.Linear("classifier", x, classes);
  return b.Build();
}

}  // namespace frontier::coordinator
