#include "coordinator/core/request_log.h"

#include "common/base/sha256.h"
#include "common/base/status.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace frontier::coordinator {
namespace {

constexpr size_t kMaxIdLength = 128;

}  // namespace

std::string DigestOf(const google::protobuf::MessageLite& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializePartialToCodedStream(&coded);
  }
  return Sha256Hex(bytes);
}

absl::Status CheckRequestId(const std::string& id) {
  if (!id.empty() && id.size() <= kMaxIdLength) return absl::OkStatus();
  return InvalidField(
      "request_id", absl::StrCat("must have 1 to ", kMaxIdLength, " characters, has ", id.size()));
}

absl::Status RequestReused(const RequestKey& key, absl::string_view method) {
  return ErrorWithReason(
      absl::StatusCode::kAlreadyExists, v1::ERROR_REASON_REQUEST_REUSED,
      absl::StrCat("request id '", key.id, "' was used for another ", method, " request"));
}

absl::StatusOr<std::optional<std::string>> FindStoredAnswer(const Journal& journal,
                                                            const RequestKey& key) {
  RETURN_IF_ERROR(CheckRequestId(key.id));
  ASSIGN_OR_RETURN(const std::optional<v1::RequestRecord> record, journal.FindRequest(key.id));
  if (!record.has_value()) return std::nullopt;
  if (record->method() != key.method || record->content_sha256() != key.content_sha256) {
    return RequestReused(key, record->method());
  }
  return record->response();
}

void AddAnswer(const RequestKey& key, const google::protobuf::MessageLite& response, absl::Time now,
               v1::Change* change) {
  v1::RequestRecord* record = change->add_requests();
  record->set_request_id(key.id);
  record->set_method(key.method);
  record->set_content_sha256(key.content_sha256);
  record->set_response(response.SerializeAsString());
  record->set_at_unix_us(absl::ToUnixMicros(now));
}

}  // namespace frontier::coordinator
