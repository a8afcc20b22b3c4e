// From the choices of a mobile space to a network.
//
// The sample, averaged down by `reduction`; a 3 x 3 stem, units of inverted bottlenecks, a 1 x 1
// head, global average pooling, dropout, and a linear layer with bias. Convolutions are as in
// blocks.h: padded, without bias, with batch norm and, but for the last of a bottleneck, the
// activation.
#ifndef FRONTIER_COORDINATOR_SPACE_MOBILE_LOWERING_H_
#define FRONTIER_COORDINATOR_SPACE_MOBILE_LOWERING_H_

#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/space/blocks.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier::coordinator {

struct MobileChoice {
  int reduction = 1;  // window and stride of the average pool in front; 1 = none
  int stem_width = 0;
  int stem_stride = 1;
  v1::Activation activation = v1::ACTIVATION_RELU;  // of stem and head
  std::vector<std::vector<InvertedBottleneck>> units;
  int head_width = 0;  // 0 = none
  double dropout = 0;  // 0 = none
};

// Channels of a layer of `width` channels under `multiplier`, as in Sandler et al.'s released code:
// the nearest multiple of 8, at least 8, and the next one if that takes away more than 10 %. A
// multiplier of 1 changes nothing.
int MultiplyWidth(int width, double multiplier);

// INVALID_ARGUMENT names unit and value if a stride is larger than the map it walks over, or as
// AnalyzeGraph.
absl::StatusOr<v1::Architecture> LowerMobile(const MobileChoice& choice, const v1::Shape& input,
                                             int classes);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_MOBILE_LOWERING_H_
