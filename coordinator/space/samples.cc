#include "coordinator/space/samples.h"

#include "absl/strings/str_cat.h"
#include "common/architecture/graph.h"

namespace frontier::coordinator {

absl::Status CheckDataShape(const v1::Shape& input, int classes) {
  if (input.channels() < 1 || input.height() < 1 || input.width() < 1) {
    return absl::InvalidArgumentError(absl::StrCat("search space: samples of ", ShapeText(input)));
  }
  if (classes < 1) {
    return absl::InvalidArgumentError(absl::StrCat("search space: ", classes, " classes"));
  }
  return absl::OkStatus();
}

}  // namespace frontier::coordinator
