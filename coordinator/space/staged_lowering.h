// From the choices of a staged space to a network.
//
// Every convolution is padded to keep height and width at stride 1, has no bias, and is followed by
// batch norm and, unless said otherwise, ReLU. For samples of height 1 kernels, strides and padding
// are 1-D. Depth is the number of blocks in a row, of which the first has the stage's stride; on
// pooling and skip stages it has no effect.
//
//   connection            output of the earlier stage, through a 1 x 1 convolution (no ReLU) where
//                         its shape differs, added to the stage's input; ReLU
//   convolution           k x k
//   depthwise separable   k x k depthwise, 1 x 1
//   inverted bottleneck   1 x 1 to `expansion` times the channels (left out if that is 1), k x k
//                         depthwise, 1 x 1 without ReLU; added to the block's input if the shapes
//                         agree
//   residual              k x k, k x k without ReLU, added to the block's input, which goes through
//                         a 1 x 1 convolution without ReLU if the shapes differ; ReLU
//   fire                  1 x 1 to a quarter of the width (at least 1); of that 1 x 1 to half of
//   the
//                         width and k x k to the rest, both strided, concatenated
//   max, average pooling  k x k, padded likewise; 1 x 1 convolution if the channels differ
//   skip                  nothing, or a strided 1 x 1 convolution if the shape changes
//
// In the blocks of a stage its activation stands for ReLU. Squeeze-and-excite gates are put after
// the depthwise convolution of a separable block and of an inverted bottleneck, on the branch of a
// residual block before it is added, and after a convolution and a fire block.
//
// After the last stage: global average pooling and a linear layer with bias.
#ifndef FRONTIER_COORDINATOR_SPACE_STAGED_LOWERING_H_
#define FRONTIER_COORDINATOR_SPACE_STAGED_LOWERING_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// What was chosen for one stage; meanings as in v1::StageChoices.
struct StageChoice {
  v1::Block block = v1::BLOCK_UNSPECIFIED;
  int kernel = 0;
  int width = 0;
  int depth = 0;
  int stride = 0;
  int connection = 0;
  int expansion = 4;
  int squeeze_excite = 0;
  v1::Activation activation = v1::ACTIVATION_RELU;
};

// `reduction` is window and stride of an average pool in front of the stem; 1 = none.
// INVALID_ARGUMENT names stage and value if a stride is larger than the map it walks over, or as
// AnalyzeGraph.
absl::StatusOr<v1::Architecture> LowerStaged(int reduction, int stem_width,
                                             absl::Span<const StageChoice> stages,
                                             const v1::Shape& input, int classes);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_STAGED_LOWERING_H_
