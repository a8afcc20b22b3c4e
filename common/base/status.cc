#include "common/base/status.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace frontier {
namespace {

const char* PayloadUrl() {
  static const std::string* const url =
      new std::string(absl::StrCat("type.googleapis.com/", v1::ErrorDetail().GetTypeName()));
  return url->c_str();
}

}  // namespace

absl::Status ErrorWithDetail(absl::StatusCode code, absl::string_view message,
                             const v1::ErrorDetail& detail) {
  absl::Status status(code, message);
  status.SetPayload(PayloadUrl(), absl::Cord(detail.SerializeAsString()));
  return status;
}

absl::Status ErrorWithReason(absl::StatusCode code, v1::ErrorReason reason,
                             absl::string_view message) {
  v1::ErrorDetail detail;
  detail.set_reason(reason);
  return ErrorWithDetail(code, message, detail);
}

absl::Status InvalidField(absl::string_view field, absl::string_view problem) {
  v1::ErrorDetail detail;
  detail.set_reason(v1::ERROR_REASON_INVALID_FIELD);
  detail.set_field(std::string(field));
  return ErrorWithDetail(absl::StatusCode::kInvalidArgument, absl::StrCat(field, ": ", problem),
                         detail);
}

absl::Status PrefixField(absl::string_view prefix, const absl::Status& status) {
  std::optional<v1::ErrorDetail> detail = GetErrorDetail(status);
  if (!detail.has_value() || detail->reason() != v1::ERROR_REASON_INVALID_FIELD) return status;
  // A field that starts with an index belongs to the list named by the prefix.
  const char* separator = absl::string_view(detail->field()).substr(0, 1) == "[" ? "" : ".";
  detail->set_field(absl::StrCat(prefix, separator, detail->field()));
  return ErrorWithDetail(status.code(), absl::StrCat(prefix, separator, status.message()), *detail);
}

std::optional<v1::ErrorDetail> GetErrorDetail(const absl::Status& status) {
  absl::optional<absl::Cord> payload = status.GetPayload(PayloadUrl());
  if (!payload.has_value()) return std::nullopt;
  v1::ErrorDetail detail;
  if (!detail.ParseFromString(std::string(*payload))) return std::nullopt;
  return detail;
}

v1::ErrorReason GetErrorReason(const absl::Status& status) {
  std::optional<v1::ErrorDetail> detail = GetErrorDetail(status);
  return detail.has_value() ? detail->reason() : v1::ERROR_REASON_UNSPECIFIED;
}

}  // namespace frontier
