#include "common/rpc/grpc_status.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace frontier {
namespace {

constexpr size_t kMaxFieldBytes = 256;

// The start of `text`, not cut within a UTF-8 sequence.
std::string Shorten(absl::string_view text, size_t limit) {
  if (text.size() <= limit) return std::string(text);
  size_t end = limit - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return absl::StrCat(text.substr(0, end), "...");
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  std::string details;
  if (std::optional<v1::ErrorDetail> detail = GetErrorDetail(status); detail.has_value()) {
    detail->set_field(Shorten(detail->field(), kMaxFieldBytes));
    details = detail->SerializeAsString();
  }
  // The codes of both are the same numbers.
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      Shorten(status.message(), kMaxStatusMessageBytes), details);
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  v1::ErrorDetail detail;
  if (!status.error_details().empty() && detail.ParseFromString(status.error_details()) &&
      detail.reason() != v1::ERROR_REASON_UNSPECIFIED) {
    return ErrorWithDetail(code, status.error_message(), detail);
  }
  return absl::Status(code, status.error_message());
}

}  // namespace frontier
