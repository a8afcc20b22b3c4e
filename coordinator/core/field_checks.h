// Checks of single fields that several validations share.
#ifndef FRONTIER_COORDINATOR_CORE_FIELD_CHECKS_H_
#define FRONTIER_COORDINATOR_CORE_FIELD_CHECKS_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status.h"

namespace frontier::coordinator {

// Inclusive on both ends; NaN is in no range. INVALID_ARGUMENT (reason INVALID_FIELD) otherwise.
template <typename T>
absl::Status CheckRange(absl::string_view field, T value, T low, T high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return InvalidField(field, absl::StrCat("must be ", low, " to ", high, ", is ", value));
}

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_FIELD_CHECKS_H_
