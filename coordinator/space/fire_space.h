// The space around SqueezeNet (Iandola et al. 2016): FireSpace of search_space.proto.
//
// Decisions, in this order: stem.width, stem.kernel, stem.stride, norm; for each stage squeeze,
// expand, depth, kernel, stride.
#ifndef FRONTIER_COORDINATOR_SPACE_FIRE_SPACE_H_
#define FRONTIER_COORDINATOR_SPACE_FIRE_SPACE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/space/space.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// `spec` with the defaults of search_space.proto for samples of this shape in place of what is
// empty.
v1::FireSpace FillFireSpace(const v1::FireSpace& spec, const v1::Shape& input);

// INVALID_ARGUMENT (reason INVALID_FIELD, path from within FireSpace) names field and value for
// what is out of its limits (choices.h), listed twice or missing.
absl::StatusOr<std::unique_ptr<Space>> CreateFireSpace(const v1::FireSpace& spec,
                                                       const v1::Shape& input, int classes);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_FIRE_SPACE_H_
