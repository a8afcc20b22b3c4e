// Architectures as a person names them on a command line.
#ifndef FRONTIER_COMMON_ARCHITECTURE_ARCHITECTURE_ARGUMENT_H_
#define FRONTIER_COMMON_ARCHITECTURE_ARCHITECTURE_ARGUMENT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier {

// "1x28x28": channels x height x width, each 1 to 65536. INVALID_ARGUMENT otherwise.
absl::StatusOr<v1::Shape> ParseShape(absl::string_view text);

// The architecture in the bytes of a file, which may be
//   - a trained model, as `frontier weights` leaves it,
//   - JSON, of `frontier show JOB TRIAL --json` or of an architecture by itself, or
//   - an architecture in protobuf's text format.
// INVALID_ARGUMENT if it is none of these, and as AnalyzeGraph.
absl::StatusOr<v1::Architecture> ParseArchitecture(const std::string& bytes);

// What a reference network is made for where the person does not say.
struct ArchitectureDefaults {
  absl::string_view input = "1x28x28";
  int classes = 10;
};

// What `argument` names: a reference network, for samples of `input` (empty = the default) and
// `classes` classes (0 = the default), or else a file of ParseArchitecture. A file says its own
// input and classes: INVALID_ARGUMENT if `input` or `classes` differ, and as ParseArchitecture.
// NOT_FOUND, with the names of reference networks, if there is neither network nor file; other
// errors as ReadFile.
absl::StatusOr<v1::Architecture> FindArchitecture(const std::string& argument,
                                                  absl::string_view input, int classes,
                                                  const ArchitectureDefaults& defaults = {});

}  // namespace frontier

#endif  // FRONTIER_COMMON_ARCHITECTURE_ARCHITECTURE_ARGUMENT_H_
