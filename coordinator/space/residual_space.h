// The space around ResNet (He et al. 2016, "Deep Residual Learning for Image Recognition"):
// ResidualSpace of search_space.proto.
//
// Decisions, in this order: block, stem.width, stem.kernel, stem.stride, stem.pool, activation; for
// each stage width, depth, kernel, stride, squeeze_excite. Blocks are those of blocks.h.
#ifndef FRONTIER_COORDINATOR_SPACE_RESIDUAL_SPACE_H_
#define FRONTIER_COORDINATOR_SPACE_RESIDUAL_SPACE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/space/space.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// `spec` with the defaults of search_space.proto for samples of this shape in place of what is
// empty.
v1::ResidualSpace FillResidualSpace(const v1::ResidualSpace& spec, const v1::Shape& input);

// INVALID_ARGUMENT (reason INVALID_FIELD, path from within ResidualSpace) names field and value for
// what is out of its limits (choices.h), unknown, listed twice or missing.
absl::StatusOr<std::unique_ptr<Space>> CreateResidualSpace(const v1::ResidualSpace& spec,
                                                           const v1::Shape& input, int classes);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_RESIDUAL_SPACE_H_
