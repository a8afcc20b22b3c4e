// Architectures as a person names them on a command line.
#ifndef FRONTIER_WORKER_PROFILE_ARCHITECTURE_ARGUMENT_H_
#define FRONTIER_WORKER_PROFILE_ARCHITECTURE_ARGUMENT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier::worker {

// "1x28x28": channels x height x width, each 1 to 65536. INVALID_ARGUMENT otherwise.
absl::StatusOr<v1::Shape> ParseShape(absl::string_view text);
std::string ShapeText(const v1::Shape& shape);

// What `argument` names: a reference network, for samples of `input` (empty = 1x28x28) and
// `classes` classes (0 = 10), or else a file that holds
//   - a trained model, as `frontier weights` leaves it,
//   - JSON, of `frontier show JOB TRIAL --json` or of an architecture by itself, or
//   - an architecture in protobuf's text format.
// A file says its own input and classes: INVALID_ARGUMENT if `input` or `classes` differ, if it
// holds none of these, and as AnalyzeGraph. NOT_FOUND, with the names of reference networks, if
// there is neither network nor file; other errors as ReadFile.
absl::StatusOr<v1::Architecture> FindArchitecture(const std::string& argument,
                                                  absl::string_view input, int classes);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_PROFILE_ARCHITECTURE_ARGUMENT_H_
