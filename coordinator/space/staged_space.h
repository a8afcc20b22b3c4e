// The staged convolutional space of search_space.proto.
//
// Decisions, in this order: stem.width, then for each stage block, kernel, width, depth, stride and
// connection. How networks follow from them: staged_lowering.h.
#ifndef FRONTIER_COORDINATOR_SPACE_STAGED_SPACE_H_
#define FRONTIER_COORDINATOR_SPACE_STAGED_SPACE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/space/space.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// Largest values a staged space may list. They keep every count of a network far from overflow.
inline constexpr int kMaxStages = 32;
inline constexpr int kMaxWidth = 8192;
inline constexpr int kMaxKernel = 31;
inline constexpr int kMaxDepth = 64;
inline constexpr int kMaxStride = 16;

// INVALID_ARGUMENT (reason INVALID_FIELD, path from within StagedSpace) for: no stages or more than
// kMaxStages, an empty list, a value listed twice, a kernel that is even or not in 1..kMaxKernel, a
// width, depth or stride that is not in 1..its limit, an unknown block, a connection to a stage
// that is not before the one just before.
absl::StatusOr<std::unique_ptr<Space>> CreateStagedSpace(const v1::StagedSpace& spec,
                                                         const v1::Shape& input, int classes);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_STAGED_SPACE_H_
