// The space of networks that follow from a parent by making it smaller; see compression.proto.
//
// Decisions, where there is something to choose: "precision" (f32, bf16, int8), which leaves the
// network as it is and changes what is measured of it; for each droppable block of the parent
// "NAME.block" (keep, drop), for each channel group "NAME.width" by its first producer (shares),
// for each convolution "NAME.form": dense, kernelK, separable, spatialS, channelS with shares S.
// Convolutions of few channels (kLeastSplitChannels) are offered no second layer. Choices within a
// dropped block have no effect.
#ifndef FRONTIER_COORDINATOR_SPACE_COMPRESS_SPACE_H_
#define FRONTIER_COORDINATOR_SPACE_COMPRESS_SPACE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/space/space.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/compression.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

inline constexpr int kMaxShares = 32;          // in one list
inline constexpr int kLeastSplitChannels = 8;  // of input and of output
// Of a parent. With the limits above a genotype stays a short list.
inline constexpr int kMaxParentNodes = 3000;

// The parent is `spec.parent.architecture`; if there is none, the reference network that is named.
// INVALID_ARGUMENT (reason INVALID_FIELD, path from within CompressSpace) for a share that is not
// above 0 and at most 1, one listed twice, too many, a parent that is missing, not valid, too large
// or not for samples of `input` and `classes`.
absl::StatusOr<std::unique_ptr<Space>> CreateCompressSpace(const v1::CompressSpace& spec,
                                                           const v1::Shape& input, int classes);

// The network that `parent` names, if it names a reference network and not a trial as well; errors
// as above.
absl::StatusOr<v1::Architecture> ParentArchitecture(const v1::CompressParent& parent,
                                                    const v1::Shape& input, int classes);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_COMPRESS_SPACE_H_
