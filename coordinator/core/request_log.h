// Requests that may be repeated: the same id and content get the same answer.
#ifndef FRONTIER_COORDINATOR_CORE_REQUEST_LOG_H_
#define FRONTIER_COORDINATOR_CORE_REQUEST_LOG_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "coordinator/storage/journal.h"
#include "frontier/v1/record.pb.h"
#include "google/protobuf/message_lite.h"

namespace frontier::coordinator {

// What makes two requests the same.
struct RequestKey {
  std::string method;
  std::string id;
  std::string content_sha256;  // without the id
};

// SHA-256 of the serialized message, map order included.
std::string DigestOf(const google::protobuf::MessageLite& message);

template <typename Request>
RequestKey KeyOf(absl::string_view method, Request request) {
  RequestKey key;
  key.method = std::string(method);
  key.id = request.request_id();
  request.clear_request_id();
  key.content_sha256 = DigestOf(request);
  return key;
}

// INVALID_ARGUMENT for an id that is none.
absl::Status CheckRequestId(const std::string& id);

// ALREADY_EXISTS (reason REQUEST_REUSED): the id of `key` was used for a `method` request with
// other content.
absl::Status RequestReused(const RequestKey& key, absl::string_view method);

// The stored answer to a repeated request, serialized, or nothing for a new one. INVALID_ARGUMENT
// for an id that is none; ALREADY_EXISTS (reason REQUEST_REUSED) if the id was used for other
// content; errors of the journal.
absl::StatusOr<std::optional<std::string>> FindStoredAnswer(const Journal& journal,
                                                            const RequestKey& key);

template <typename Response>
absl::StatusOr<std::optional<Response>> FindAnswer(const Journal& journal, const RequestKey& key) {
  absl::StatusOr<std::optional<std::string>> stored = FindStoredAnswer(journal, key);
  if (!stored.ok()) return stored.status();
  if (!stored->has_value()) return std::optional<Response>();
  Response response;
  if (!response.ParseFromString(**stored)) {
    return absl::DataLossError(
        absl::StrCat("stored answer to request '", key.id, "' cannot be read"));
  }
  return std::optional<Response>(std::move(response));
}

// Puts the answer into the change that it answers for.
void AddAnswer(const RequestKey& key, const google::protobuf::MessageLite& response, absl::Time now,
               v1::Change* change);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_REQUEST_LOG_H_
