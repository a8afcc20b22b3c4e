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

// The reference network `name` for samples of shape `input` and `classes` classes. Published ones,
// layer by layer and of their published size for 3 x 224 x 224 samples and 1000 classes:
//   densenet-121         Huang et al. 2017: pre-activation, growth 32
//   mnasnet-b1           Tan et al. 2019, without squeeze-and-excite
//   mobilenetv2          Sandler et al. 2018
//   mobilenetv3-small    Howard et al. 2019: hard-swish, squeeze-and-excite by hard sigmoids
//   proxylessnas-mobile  Cai et al. 2019, the authors' released configuration for phones
//   resnet-18, resnet-50 He et al. 2016; strides of bottlenecks on their 3 x 3
//   shufflenetv2-x1.0    Ma et al. 2018
//   squeezenet-1.0       Iandola et al. 2016, and the smaller one its authors released later, 1.1.
//   squeezenet-1.1       Pools that round up there are padded here where that makes a difference:
//                        the same sizes, windows one pixel further to the top left
//   vgg-16               Simonyan and Zisserman 2015, column D. A last map larger than 7 x 7 is
//                        averaged down to at most that; a smaller one is taken as it is
// They take any input: samples too small for all halvings (strides and pools of 2) leave out the
// first ones, as few as leave 4 pixels or more along the longer side at the end: 97 pixels need
// none of that with five halvings, 28 and 32 leave out two. A 7 x 7 stem that does not halve
// becomes 3 x 3. VGG keeps all pools that have two pixels to halve.
//
// For small images:
//   resnet20             He et al. 2016, section 4.2, with 1 x 1 projections on stride 2
//   mobilenetv2-like     3 x 3 stem of 16, inverted residuals of expansion 4 with ReLU: 24 x 2
//                        stride 2, 40 x 3 stride 2, 80 x 2
//   small-cnn            three 3 x 3 convolutions of 32, 64 and 128, max pooling between them
//   squeezenet-like      3 x 3 stem of 32, four fire modules with norms (16 + 32 + 32 twice,
//                        32 + 64 + 64 twice), a 2 x 2 max pool before each pair; 4 x 4 samples at
//                        least
//   vgg-like             two 3 x 3 convolutions of 32, of 64, of 128, each pair with a 2 x 2 max
//                        pool; 8 x 8 samples at least
// NOT_FOUND lists the names; INVALID_ARGUMENT as AnalyzeGraph, samples too small among them.
absl::StatusOr<v1::Architecture> ReferenceArchitecture(absl::string_view name,
                                                       const v1::Shape& input, int classes);

}  // namespace frontier

#endif  // FRONTIER_COMMON_ARCHITECTURE_REFERENCE_H_
