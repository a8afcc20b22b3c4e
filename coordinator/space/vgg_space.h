// The space around VGG (Simonyan and Zisserman 2015): VggSpace of search_space.proto.
//
// Decisions, in this order: norm, hidden_layers, hidden_width (active if there are any); for each
// stage width, depth, kernel, stride.
#ifndef FRONTIER_COORDINATOR_SPACE_VGG_SPACE_H_
#define FRONTIER_COORDINATOR_SPACE_VGG_SPACE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/space/space.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

inline constexpr int kMaxHiddenLayers = 8;

// `spec` with the defaults of search_space.proto for samples of this shape in place of what is
// empty.
v1::VggSpace FillVggSpace(const v1::VggSpace& spec, const v1::Shape& input);

// INVALID_ARGUMENT (reason INVALID_FIELD, path from within VggSpace) names field and value for what
// is out of its limits (choices.h), listed twice or missing.
absl::StatusOr<std::unique_ptr<Space>> CreateVggSpace(const v1::VggSpace& spec,
                                                      const v1::Shape& input, int classes);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_VGG_SPACE_H_
