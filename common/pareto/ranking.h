// What selection in evolutionary multi-objective search goes by: ranks and crowding. All objectives
// are to be minimized.
#ifndef FRONTIER_COMMON_PARETO_RANKING_H_
#define FRONTIER_COMMON_PARETO_RANKING_H_

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace frontier {

// Rank of each of `points`, in their order: 0 for those that none dominates, r for those that none
// dominates once the ranks below r are gone. Every rank up to the largest occurs; equal points
// share one.
//
// `violations` has one number >= 0 for each point, or none at all; less comes before more and so
// the feasible (0) before all others, whatever their objectives (Deb et al. 2002, "A fast and
// elitist multiobjective genetic algorithm: NSGA-II", VI-A). Points of equal violation are compared
// by their objectives, also if they are not feasible.
//
// Infinite values are compared as numbers. O(n log n) for up to two objectives (ENS-BS of Zhang et
// al. 2015, "An efficient approach to nondominated sorting for evolutionary multiobjective
// optimization"); for m more, m n^2 / 64 operations on words and memory linear in n (its search
// among fronts, over sets of bits as in Moreno et al. 2020, "Merge nondominated sorting algorithm
// for many-objective optimization").
//
// INVALID_ARGUMENT if a value is not a number, lengths differ, a point has no objective or a
// violation is negative.
absl::StatusOr<std::vector<int>> NonDominatedRanks(absl::Span<const std::vector<double>> points,
                                                   absl::Span<const double> violations = {});

// Indices of each rank, ascending; `ranks` as by NonDominatedRanks.
std::vector<std::vector<size_t>> FrontsOf(absl::Span<const int> ranks);

// Crowding distance of each of `points`, which are usually of one rank (Deb et al. 2002, III-B):
// the sum over the objectives of the distance between the two neighbours in this objective, as a
// share of the objective's range. Infinite for the ends of an objective.
//
// An objective that is the same everywhere adds nothing, not even ends. Equal values are neighbours
// in the order of `points`: of several least the first is the end, of several largest the last, and
// between two equals the distance is 0. So of three or more equal points those in the middle have
// distance 0. Infinite values are taken as the limit of -x and x for large x: the distance between
// finite values then is no share of the range, and that from a finite to an infinite one is half of
// it if both signs occur, else all.
//
// INVALID_ARGUMENT if a value is not a number, lengths differ or a point has no objective.
absl::StatusOr<std::vector<double>> CrowdingDistances(absl::Span<const std::vector<double>> points);

}  // namespace frontier

#endif  // FRONTIER_COMMON_PARETO_RANKING_H_
