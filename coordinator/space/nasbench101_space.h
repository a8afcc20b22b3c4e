// The space of NAS-Bench-101 cells (common/architecture/nasbench101.h).
#ifndef FRONTIER_COORDINATOR_SPACE_NASBENCH101_SPACE_H_
#define FRONTIER_COORDINATOR_SPACE_NASBENCH101_SPACE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/space/space.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// A genotype is a cell of exactly max_vertices vertices: one decision for each possible edge, row
// by row ("edge0-1": no, yes), then one for the operation of each inner vertex ("vertex1"). It is
// one of the space if a path leads from the input to the output and no more than max_edges edges
// are on such paths; what is on none is dropped, which is how smaller cells come about (is_valid of
// the paper's api.py). Sample draws as the paper's random search does: uniformly over these, so
// small cells, which more genotypes stand for, come more often than large ones.
//
// Mutate changes one edge or one operation (section 4.1 of the paper has several at times):
// uniformly one of the decisions that can be changed, among the changes that stay in the space.
// Neighbours are these. Cross draws until the child is one of the space, up to 100 times, and then
// gives the first parent. Features tell the edges and operations (one-hot) of what is not dropped.
// Lower numbers vertices canonically first, so genotypes of isomorphic cells give one network.
//
// INVALID_ARGUMENT (reason INVALID_FIELD, path from within NasBench101Space) for a value out of
// range, or stem_channels that are fewer than the inner vertices; INVALID_ARGUMENT for samples or
// classes of which no network is made.
absl::StatusOr<std::unique_ptr<Space>> CreateNasBench101Space(const v1::NasBench101Space& spec,
                                                              const v1::Shape& input, int classes);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_NASBENCH101_SPACE_H_
