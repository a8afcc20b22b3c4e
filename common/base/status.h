// Status helpers: early return, and typed reasons as payloads.
//
// Inside, errors are absl::Status; on the wire they are gRPC statuses (common/rpc converts). What a
// caller decides on is the ErrorDetail payload, never the message.
#ifndef FRONTIER_COMMON_BASE_STATUS_H_
#define FRONTIER_COMMON_BASE_STATUS_H_

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "frontier/v1/error.pb.h"

namespace frontier {

// A status of `code` that carries `detail`.
absl::Status ErrorWithDetail(absl::StatusCode code, absl::string_view message,
                             const v1::ErrorDetail& detail);

// A status of `code` with `reason` and no further detail.
absl::Status ErrorWithReason(absl::StatusCode code, v1::ErrorReason reason,
                             absl::string_view message);

// INVALID_ARGUMENT about `field` (a path such as "objectives[0].direction"); the message becomes
// "field: problem".
absl::Status InvalidField(absl::string_view field, absl::string_view problem);

// Puts `prefix` and a dot before the field of an InvalidField status; other statuses unchanged.
absl::Status PrefixField(absl::string_view prefix, const absl::Status& status);

// The detail a status carries, if any.
std::optional<v1::ErrorDetail> GetErrorDetail(const absl::Status& status);

// The reason of the detail, or UNSPECIFIED.
v1::ErrorReason GetErrorReason(const absl::Status& status);

}  // namespace frontier

#define RETURN_IF_ERROR(expression)                    \
  do {                                                 \
    absl::Status frontier_status = (expression);       \
    if (!frontier_status.ok()) return frontier_status; \
  } while (false)

#define FRONTIER_CONCAT_INNER(a, b) a##b
#define FRONTIER_CONCAT(a, b) FRONTIER_CONCAT_INNER(a, b)
// `target` may be a declaration, which takes no parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define FRONTIER_ASSIGN_OR_RETURN(result, target, expression) \
  auto result = (expression);                                 \
  if (!result.ok()) return std::move(result).status();        \
  target = *std::move(result)
// NOLINTEND(bugprone-macro-parentheses)

// ASSIGN_OR_RETURN(auto x, StatusOrExpression());
#define ASSIGN_OR_RETURN(target, expression) \
  FRONTIER_ASSIGN_OR_RETURN(FRONTIER_CONCAT(frontier_result_, __LINE__), target, expression)

#endif  // FRONTIER_COMMON_BASE_STATUS_H_
