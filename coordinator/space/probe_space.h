// A space of given architectures: one decision, "probe", with an option for each.
#ifndef FRONTIER_COORDINATOR_SPACE_PROBE_SPACE_H_
#define FRONTIER_COORDINATOR_SPACE_PROBE_SPACE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/space/space.h"
#include "frontier/v1/architecture.pb.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace frontier::coordinator {

// INVALID_ARGUMENT (reason INVALID_FIELD, field "probes" or an item) if there is none, or one is no
// valid network for samples of shape `input` and `classes` classes.
absl::StatusOr<std::unique_ptr<Space>> CreateProbeSpace(
    const google::protobuf::RepeatedPtrField<v1::Architecture>& probes, const v1::Shape& input,
    int classes);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_PROBE_SPACE_H_
