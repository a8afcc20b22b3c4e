// From a document's tree to the job message.
#ifndef FRONTIER_COORDINATOR_CLI_JOB_FILE_CONVERTER_H_
#define FRONTIER_COORDINATOR_CLI_JOB_FILE_CONVERTER_H_

#include <map>
#include <string>
#include <vector>

#include "coordinator/cli/job_file/document.h"
#include "google/protobuf/message.h"

namespace frontier::cli {

// Fills `message` from `root`. Problems are appended; the message then lacks the fields concerned.
void ConvertDocument(const Node& root, google::protobuf::Message* message,
                     std::map<std::string, Position>* positions, std::vector<Problem>* problems);

// "key 'x' is not known here (did you mean y?)"
std::string UnknownKeyMessage(const google::protobuf::Descriptor& type, const std::string& key);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_JOB_FILE_CONVERTER_H_
