// Failures as they are reported.
#ifndef FRONTIER_WORKER_AGENT_FAILURE_H_
#define FRONTIER_WORKER_AGENT_FAILURE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::worker {

inline constexpr size_t kMaxFailureMessageBytes = 4096;

// The message is made printable and cut to the limit.
v1::Failure MakeFailure(v1::FailureCause cause, absl::string_view message);

// Printable ASCII as it is, line ends and tabs as spaces, anything else as '?'; at most
// `max_bytes`.
std::string PrintableText(absl::string_view text, size_t max_bytes);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_FAILURE_H_
