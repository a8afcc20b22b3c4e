// Job files: YAML (of which JSON is a subset) to a job's description, with all that is wrong and
// where.
#ifndef FRONTIER_COORDINATOR_CLI_JOB_FILE_JOB_FILE_H_
#define FRONTIER_COORDINATOR_CLI_JOB_FILE_JOB_FILE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "coordinator/cli/job_file/document.h"
#include "frontier/v1/job.pb.h"

namespace frontier::cli {

// A value from the command line that takes the place of the file's.
struct Override {
  std::string path;     // "training.epochs"
  std::string value;    // YAML: "3", "[8, 16]"
  std::string flag;     // for messages: "--epochs"
  bool append = false;  // the elements of a list that are added to the one there
};

struct JobFile {
  v1::JobSpec spec;
  // Where each field stands, by its path in the protocol ("budget.wall_seconds").
  std::map<std::string, Position> positions;
  // In the file's order; empty = the file is fine as far as can be told without the coordinator.
  std::vector<Problem> problems;

  // Of the field or, if it is not there, of the nearest thing around it.
  Position PositionOf(absl::string_view field) const;
};

// What is written as JSON may be what `--json` prints of a job, or of an answer about one: there a
// field with its default value is one that is left out.
// Never fails otherwise than by `problems`; safe on hostile input.
JobFile ParseJobFile(absl::string_view text, absl::Span<const Override> overrides,
                     const DocumentLimits& limits = {});

// The job as a file that ParseJobFile reads back as the same job. Fields with their default value
// are left out.
std::string WriteJobFile(const v1::JobSpec& spec);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_JOB_FILE_JOB_FILE_H_
