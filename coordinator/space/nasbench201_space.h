// The space of NAS-Bench-201 cells (common/architecture/nasbench201.h).
#ifndef FRONTIER_COORDINATOR_SPACE_NASBENCH201_SPACE_H_
#define FRONTIER_COORDINATOR_SPACE_NASBENCH201_SPACE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/architecture/nasbench201.h"
#include "coordinator/space/space.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// One decision for each edge, in the order of the notation: edge0-1, edge0-2, edge1-2, edge0-3,
// edge1-3, edge2-3. INVALID_ARGUMENT (reason INVALID_FIELD, path from within NasBench201Space) for
// channels or cells_per_stage out of range, an unknown operation or one listed twice;
// INVALID_ARGUMENT for samples or classes of which no network is made.
absl::StatusOr<std::unique_ptr<Space>> CreateNasBench201Space(const v1::NasBench201Space& spec,
                                                              const v1::Shape& input, int classes);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_NASBENCH201_SPACE_H_
