// Jobs as the protocol's own JSON has them, which `--json` prints.
#ifndef FRONTIER_COORDINATOR_CLI_JOB_FILE_PROTOCOL_JSON_H_
#define FRONTIER_COORDINATOR_CLI_JOB_FILE_PROTOCOL_JSON_H_

#include "absl/strings/string_view.h"
#include "coordinator/cli/job_file/document.h"
#include "google/protobuf/descriptor.h"

namespace frontier::cli {

// Whether a document is a JSON object, or a map written like one.
bool IsJson(absl::string_view text);

// Rewrites the tree of such a document, of a message of `type`: what stands in an answer about a
// job, {"job": {"spec": ...}}, is taken out of it, and fields with their default value are left out
// where they need not be given, which in this form means the same.
void ReadAsProtocolJson(const google::protobuf::Descriptor& type, Node* root);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_JOB_FILE_PROTOCOL_JSON_H_
