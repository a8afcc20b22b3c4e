// What the protocol's own description of a job does not say, as tables: names and units for people,
// ranges, what is required, and short forms.
#ifndef FRONTIER_COORDINATOR_CLI_JOB_FILE_SCHEMA_H_
#define FRONTIER_COORDINATOR_CLI_JOB_FILE_SCHEMA_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "coordinator/cli/job_file/document.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace frontier::cli {

enum class Unit {
  kNone,
  kDuration,  // "90s", "4m", "2h30m" for seconds
  kBytes,     // "512MiB", "2GB" for bytes
};

struct FieldRule {
  const char* field;            // full name in the protocol
  const char* short_name = "";  // another name for it in files, read with `unit`
  Unit unit = Unit::kNone;      // of the value under `short_name`
  bool required = false;
  const char* range = "";  // "[2, 65536]", "(0, 1)"; "" = any; of each element of a list
  bool distinct = false;   // no value twice in a list
  bool odd = false;        // each element is odd
};

// The rule of a field; a rule without demands if there is none.
const FieldRule& RuleFor(const google::protobuf::FieldDescriptor& field);

// A field under a name it has in files.
struct FieldName {
  const google::protobuf::FieldDescriptor* field = nullptr;
  Unit unit = Unit::kNone;
};
FieldName FindField(const google::protobuf::Descriptor& type, absl::string_view name);

// The name for people: the short one where there is one.
std::string FileName(const google::protobuf::FieldDescriptor& field);

// Names of all fields, for people.
std::vector<std::string> FileNames(const google::protobuf::Descriptor& type);

// Whether `value` lies in `range` (as in FieldRule).
bool InRange(absl::string_view range, double value);

// Rewrites a short form of a message of `type` ("random", [1, 28, 28], {accuracy: maximize},
// "latency_ms <= 2") as the map it stands for; other nodes stay. A short form that is broken in
// itself is a problem about `path`; false then.
bool ExpandShortForm(const google::protobuf::Descriptor& type, const std::string& path, Node* node,
                     std::vector<Problem>* problems);

// How a value of `type` is best written ("[channels, height, width]"); "a map" for most.
std::string ExpectedForm(const google::protobuf::Descriptor& type);

// The short form of `message`, if its type has one and it is complete.
std::optional<std::string> WriteShortForm(const google::protobuf::Message& message);

// What is wrong with a whole message beyond its fields: an empty budget, a metric used twice. Gives
// fields, not positions.
void CheckMessage(const google::protobuf::Message& message, const std::string& path,
                  std::vector<Problem>* problems);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_JOB_FILE_SCHEMA_H_
