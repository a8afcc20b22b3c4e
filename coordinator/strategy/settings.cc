#include "coordinator/strategy/settings.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace frontier::coordinator {

absl::Status CheckCount(absl::string_view field, int value, int least, int most) {
  if (value == 0 || (value >= least && value <= most)) return absl::OkStatus();
  return InvalidField(field, absl::StrCat("is ", value, ", must be ", least, " to ", most,
                                          ", or 0 for the default"));
}

absl::Status CheckRate(absl::string_view field, double value) {
  if (value >= 0 && value <= 1) return absl::OkStatus();  // not so for NaN
  return InvalidField(field, absl::StrCat("is ", value, ", must be 0 to 1"));
}

absl::Status CheckShare(absl::string_view field, double value) {
  if (value >= 0 && value < 1) return absl::OkStatus();
  return InvalidField(field, absl::StrCat("is ", value, ", must be at least 0 and below 1"));
}

}  // namespace frontier::coordinator
