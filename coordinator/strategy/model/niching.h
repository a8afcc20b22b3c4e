// The selection of NSGA-III among the points of one front: those that keep a population spread
// along given directions.
#ifndef FRONTIER_COORDINATOR_STRATEGY_MODEL_NICHING_H_
#define FRONTIER_COORDINATOR_STRATEGY_MODEL_NICHING_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace frontier::coordinator {

// Of `points`, whose first `taken` survive already, indices of `count` more. All values are finite
// and to be minimized, of the length of the directions, of which there is at least one; there are
// enough points.
//
// Objectives are normalized by the ideal point and the hyperplane through the extreme points, or
// the largest values where there is no such plane (Deb and Jain 2014, IV-C); each point belongs to
// the direction that it is nearest to (IV-D). The direction with the fewest survivors gets the
// next: the point nearest to it if it has none yet, else the first of its points (IV-E, whose
// random choices are the first in order here).
std::vector<size_t> SelectByNiche(absl::Span<const std::vector<double>> points, size_t taken,
                                  size_t count, absl::Span<const std::vector<double>> directions);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_MODEL_NICHING_H_
