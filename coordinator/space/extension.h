// Larger versions of a space: what may be added to it while its job runs.
#ifndef FRONTIER_COORDINATOR_SPACE_EXTENSION_H_
#define FRONTIER_COORDINATOR_SPACE_EXTENSION_H_

#include <string>

#include "absl/status/statusor.h"
#include "coordinator/space/space.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// What `after` has more than `before`, for people: "stage1.kernel gains 9; op gains silu, gelu".
// INVALID_ARGUMENT (reason INVALID_FIELD, path from within SearchSpace) names the place unless
// - the specs differ in nothing but their versions and elements added at the ends of lists,
// - the decisions are the same, in their order, with options added at the ends, of at least one,
//   and what they depend on is unchanged among the old options,
// - genotypes of `before` stand for the same candidates in `after`, as far as all of them (up to
//   1,000) or as many drawn at random tell.
// So every stored genotype keeps its meaning, and strategies need not be told what is new.
absl::StatusOr<std::string> DescribeExtension(const v1::SearchSpace& before,
                                              const Space& space_before,
                                              const v1::SearchSpace& after,
                                              const Space& space_after);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_EXTENSION_H_
