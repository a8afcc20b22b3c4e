#include "coordinator/space/samples.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/architecture/graph.h"
#include "common/base/status.h"
#include "coordinator/space/choices.h"

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

int LongerSide(const v1::Shape& input) { return std::max(input.height(), input.width()); }

absl::Status CheckResolutions(absl::string_view field, absl::Span<const int32_t> resolutions,
                              const v1::Shape& input) {
  const int longer = LongerSide(input);
  const int shorter = input.height() == 1 ? longer : std::min(input.height(), input.width());
  RETURN_IF_ERROR(CheckChoices(field, resolutions, 1, longer));
  for (size_t i = 0; i < resolutions.size(); ++i) {
    const int resolution = resolutions[i];
    const int reduction = longer / resolution;
    if (longer / reduction == resolution && reduction <= shorter) continue;
    std::vector<int> possible;
    for (int each = 1; each <= std::min(shorter, 8); ++each) possible.push_back(longer / each);
    return InvalidField(absl::StrCat(field, "[", i, "]"),
                        absl::StrCat("is ", resolution, ", samples of ", input.height(), " x ",
                                     input.width(), " can be averaged down to ",
                                     absl::StrJoin(possible, ", "), shorter > 8 ? ", ..." : ""));
  }
  return absl::OkStatus();
}

}  // namespace frontier::coordinator
