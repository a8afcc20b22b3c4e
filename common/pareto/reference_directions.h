// Directions spread evenly over the objectives, along which NSGA-III keeps its population apart.
#ifndef FRONTIER_COMMON_PARETO_REFERENCE_DIRECTIONS_H_
#define FRONTIER_COMMON_PARETO_REFERENCE_DIRECTIONS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

namespace frontier {

// Number of ways to write `divisions` as an ordered sum of `objectives` numbers >= 0, which is
// (objectives + divisions - 1) over divisions; the largest int64_t if it is larger. 0 unless both
// are positive.
int64_t DasDennisCount(int objectives, int divisions);

// The points of the unit simplex whose coordinates are multiples of 1 / divisions (Das and Dennis
// 1998, "Normal-boundary intersection"), in ascending lexicographic order: DasDennisCount rows of
// `objectives` values >= 0 of sum 1.
//
// With `inner_divisions` a second layer follows, which is made by these and drawn half the way to
// the centre (Deb and Jain 2014, "An evolutionary many-objective optimization algorithm using
// reference-point-based nondominated sorting approach, part I", IV-B): with many objectives and
// fewer divisions than objectives, one layer has points on the boundary only. A direction that both
// layers have is there twice.
//
// INVALID_ARGUMENT unless objectives and divisions are positive, inner_divisions not negative, and
// the directions at most a million.
absl::StatusOr<std::vector<std::vector<double>>> DasDennisDirections(int objectives, int divisions,
                                                                     int inner_divisions = 0);

}  // namespace frontier

#endif  // FRONTIER_COMMON_PARETO_REFERENCE_DIRECTIONS_H_
