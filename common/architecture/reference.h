// Well-known networks, built layer by layer for any input.
#ifndef FRONTIER_COMMON_ARCHITECTURE_REFERENCE_H_
#define FRONTIER_COMMON_ARCHITECTURE_REFERENCE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier {

// Names of the reference networks, sorted.
std::vector<std::string> ReferenceNames();

// The reference network `name` for samples of shape `input` and `classes` classes:
//   mobilenetv2-like  3 x 3 stem of 16, inverted residuals (Sandler et al. 2018, section 3) of
//                     expansion 4 with ReLU: 24 x 2 stride 2, 40 x 3 stride 2, 80 x 2
//   resnet20          He et al. 2016, section 4.2, with 1 x 1 projections on stride 2
//   small-cnn         three 3 x 3 convolutions of 32, 64 and 128, max pooling between them
// NOT_FOUND lists the names; INVALID_ARGUMENT as AnalyzeGraph.
absl::StatusOr<v1::Architecture> ReferenceArchitecture(absl::string_view name,
                                                       const v1::Shape& input, int classes);

}  // namespace frontier

#endif  // FRONTIER_COMMON_ARCHITECTURE_REFERENCE_H_
