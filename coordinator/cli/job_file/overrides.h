// Values from the command line put into a document's tree.
#ifndef FRONTIER_COORDINATOR_CLI_JOB_FILE_OVERRIDES_H_
#define FRONTIER_COORDINATOR_CLI_JOB_FILE_OVERRIDES_H_

#include <vector>

#include "coordinator/cli/job_file/document.h"
#include "coordinator/cli/job_file/job_file.h"
#include "google/protobuf/descriptor.h"

namespace frontier::cli {

// Puts `change` into `root`, the tree of a message of `type`: maps on the way are made where they
// are missing, the other choices of a oneof make way. False, with a problem, if there is no such
// path or the value is not YAML.
bool ApplyOverride(const google::protobuf::Descriptor& type, const Override& change, Node* root,
                   std::vector<Problem>* problems);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_JOB_FILE_OVERRIDES_H_
