#include "coordinator/service/overload.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/status.h"

namespace frontier::coordinator {
namespace {

constexpr absl::Duration kComeBackAfter = absl::Seconds(1);

}  // namespace

absl::Status Overloaded(absl::string_view what) {
  v1::ErrorDetail detail;
  detail.set_reason(v1::ERROR_REASON_OVERLOADED);
  detail.set_retry_after_ms(absl::ToInt64Milliseconds(kComeBackAfter));
  return ErrorWithDetail(absl::StatusCode::kResourceExhausted,
                         absl::StrCat("the coordinator has too much to do: ", what), detail);
}

}  // namespace frontier::coordinator
