// The staged convolutional space of search_space.proto.
//
// Decisions, in this order: stem.width, resolution if the message lists any, then for each stage
// block, kernel, width, depth, stride and connection, and those of expansion, squeeze_excite and
// activation that its message lists; the first two are active for blocks that have such a thing.
// How networks follow: staged_lowering.h.
#ifndef FRONTIER_COORDINATOR_SPACE_STAGED_SPACE_H_
#define FRONTIER_COORDINATOR_SPACE_STAGED_SPACE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/space/space.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// `spec` with its defaults filled in.
v1::StagedSpace FillStagedSpace(const v1::StagedSpace& spec);

// INVALID_ARGUMENT (reason INVALID_FIELD, path from within StagedSpace) for: more than kMaxStages
// stages, an empty list that must not be, a value listed twice, a resolution that is none
// (samples.h), a kernel that is even or not in
// 1..kMaxKernel, a value out of its limits (choices.h), an unknown block or activation, a
// connection to a stage that is not before the one just before, expansions or squeeze_excite for a
// stage none of whose blocks has them.
absl::StatusOr<std::unique_ptr<Space>> CreateStagedSpace(const v1::StagedSpace& spec,
                                                         const v1::Shape& input, int classes);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_STAGED_SPACE_H_
