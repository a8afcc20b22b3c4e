// How much of the objectives' space a set of points dominates. All objectives are to be minimized.
//
// A point counts if all its values are finite and less than those of the reference; any other adds
// nothing. All volumes are exact up to rounding.
#ifndef FRONTIER_COMMON_PARETO_HYPERVOLUME_H_
#define FRONTIER_COMMON_PARETO_HYPERVOLUME_H_

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/pareto/staircase.h"

namespace frontier {

// Volume of what `points` dominate within the box that ends at `reference`: n log n for up to three
// objectives (a sweep along the third over the area of the others, as in Beume et al. 2009, "On the
// complexity of computing the hypervolume indicator"), n^2 log n for four, and about n times as
// much for each further one at worst, usually far less (While, Bradstreet and Barone 2012, "A fast
// way of calculating exact hypervolumes": each point's own box without what it shares with those
// after it).
//
// Errors, also of the functions below: INVALID_ARGUMENT if `reference` is empty or not finite, a
// point has another length, or the box from the least values of the points that count to
// `reference` is too large for a double, its edges shorter than 1 aside.
absl::StatusOr<double> Hypervolume(absl::Span<const std::vector<double>> points,
                                   absl::Span<const double> reference);

// What `point` adds to the hypervolume of `others`: its exclusive hypervolume. Up to the rounding
// of the point's own box.
absl::StatusOr<double> ExclusiveHypervolume(absl::Span<const double> point,
                                            absl::Span<const std::vector<double>> others,
                                            absl::Span<const double> reference);

// The exclusive hypervolume of each of `points` against all the others: 0 for dominated ones and
// for those that are there more than once.
absl::StatusOr<std::vector<double>> HypervolumeContributions(
    absl::Span<const std::vector<double>> points, absl::Span<const double> reference);

// The hypervolume of points as they come. Not thread-safe.
class HypervolumeArchive {
 public:
  // INVALID_ARGUMENT if `reference` is empty or not finite.
  static absl::StatusOr<HypervolumeArchive> Create(absl::Span<const double> reference);

  // What `point` would add to the volume; 0 for a point of another length, or one whose box is too
  // large for a double. Logarithmic in size() for two objectives, and linear in the number of
  // members that `point` dominates; for others as Hypervolume of the members with one objective
  // less, at worst with as many.
  double Gain(absl::Span<const double> point) const;
  // The same, and counts `point` from now on. For two objectives logarithmic in the mean over all
  // calls.
  double Insert(absl::Span<const double> point);

  double volume() const { return volume_; }
  // Distinct non-dominated points that count.
  size_t size() const;

 private:
  explicit HypervolumeArchive(absl::Span<const double> reference);
  bool Counts(absl::Span<const double> point) const;

  std::vector<double> reference_;
  Staircase plane_;                           // of two objectives
  std::vector<std::vector<double>> members_;  // of any other number
  double volume_ = 0;
};

}  // namespace frontier

#endif  // FRONTIER_COMMON_PARETO_HYPERVOLUME_H_
