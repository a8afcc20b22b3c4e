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
//   squeezenet-like   3 x 3 stem of 32, four fire modules (Iandola et al. 2016, section 3.1) with
//                     norms: 16 + 32 + 32 twice, 32 + 64 + 64 twice; 2 x 2 max pools before each
//                     pair, so 4 x 4 samples at least
//   vgg-like          two 3 x 3 convolutions (Simonyan and Zisserman 2015) of 32, of 64, of 128,
//                     each pair with a 2 x 2 max pool; 8 x 8 samples at least
// NOT_FOUND lists the names; INVALID_ARGUMENT as AnalyzeGraph, samples too small among them.
absl::StatusOr<v1::Architecture> ReferenceArchitecture(absl::string_view name,
                                                       const v1::Shape& input, int classes);

}  // namespace frontier

#endif  // FRONTIER_COMMON_ARCHITECTURE_REFERENCE_H_
