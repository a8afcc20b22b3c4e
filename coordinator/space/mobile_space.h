// The space of MnasNet (Tan et al. 2019), ProxylessNAS (Cai et al. 2019) and Once-for-all (Cai et
// al. 2020): MobileSpace of search_space.proto.
//
// Decisions, in this order: width_multiplier, resolution, stem.width, stem.stride, activation; for
// each unit width, stride, squeeze_excite, activation (if the unit lists any), depth, and kernel
// and expansion of each block up to the largest depth ("unit2.block3.kernel"), active where the
// depth reaches it, or one of each if the unit is uniform; head.width.
#ifndef FRONTIER_COORDINATOR_SPACE_MOBILE_SPACE_H_
#define FRONTIER_COORDINATOR_SPACE_MOBILE_SPACE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/space/space.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

inline constexpr double kMaxWidthMultiplier = 8;

// `spec` with the defaults of search_space.proto for samples of this shape in place of what is
// empty; the units' widths stay empty, for they have none.
v1::MobileSpace FillMobileSpace(const v1::MobileSpace& spec, const v1::Shape& input);

// INVALID_ARGUMENT (reason INVALID_FIELD, path from within MobileSpace) names field and value for
// what is out of its limits (choices.h), listed twice, or missing; a resolution to which samples
// of this shape cannot be averaged down. RESOURCE_EXHAUSTED as Encoding::Create.
absl::StatusOr<std::unique_ptr<Space>> CreateMobileSpace(const v1::MobileSpace& spec,
                                                         const v1::Shape& input, int classes);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_MOBILE_SPACE_H_
