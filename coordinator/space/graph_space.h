// A space written by its user: choices, what depends on what, and a graph in which options stand.
#ifndef FRONTIER_COORDINATOR_SPACE_GRAPH_SPACE_H_
#define FRONTIER_COORDINATOR_SPACE_GRAPH_SPACE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/space/space.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// Decisions are the choices, in their order. INVALID_ARGUMENT (reason INVALID_FIELD, path from
// within GraphSpace) as ReadGraphChoices, ReadGraphConstraints, GraphChoices and ReadGraphPlan; and
// for an option with which no network is valid, as far as up to 2,000 genotypes tell: it names the
// choice, the node, and the problem.
absl::StatusOr<std::unique_ptr<Space>> CreateGraphSpace(const v1::GraphSpace& spec,
                                                        const v1::Shape& input, int classes);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_GRAPH_SPACE_H_
