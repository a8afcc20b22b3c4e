#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/pareto/pareto.h"

namespace frontier {
namespace {

using Point = std::vector<double>;

// Whether `a` is nowhere worse than `b` in the first `objectives`.
bool Covers(const Point& a, const Point& b, size_t objectives) {
  for (size_t i = 0; i < objectives; ++i) {
    if (a[i] > b[i]) return false;
  }
  return true;
}

// One of each set of equal points stays.
void KeepNonDominated(std::vector<Point>* points, size_t objectives) {
  size_t kept = 0;
  for (size_t i = 0; i < points->size(); ++i) {
    Point candidate = std::move((*points)[i]);
    bool covered = false;
    for (size_t k = 0; k < kept && !covered; ++k) {
      covered = Covers((*points)[k], candidate, objectives);
    }
    if (covered) continue;
    size_t next = 0;
    for (size_t k = 0; k < kept; ++k) {
      if (Covers(candidate, (*points)[k], objectives)) continue;
      if (next != k) (*points)[next] = std::move((*points)[k]);
      ++next;
    }
    (*points)[next] = std::move(candidate);
    kept = next + 1;
  }
  points->resize(kept);
}

// Area of a staircase.
double SweepArea(std::vector<Point>* points, absl::Span<const double> reference) {
  std::sort(points->begin(), points->end());
  double area = 0;
  double ceiling = reference[1];
  for (const Point& point : *points) {
    if (point[1] >= ceiling) continue;
    area += (reference[0] - point[0]) * (ceiling - point[1]);
    ceiling = point[1];
  }
  return area;
}

// Over the first `objectives` of the points, all better than the reference.
double Volume(std::vector<Point> points, absl::Span<const double> reference, size_t objectives) {
  if (points.empty()) return 0;
  if (objectives == 1) {
    double least = points[0][0];
    for (const Point& point : points) least = std::min(least, point[0]);
    return reference[0] - least;
  }
  if (objectives == 2) return SweepArea(&points, reference);
  KeepNonDominated(&points, objectives);
  const size_t last = objectives - 1;
  // Worst first in the last objective: all that follow a point reach at least as deep there, so
  // what the point shares with them is a volume of one dimension less times its own depth.
  std::sort(points.begin(), points.end(),
            [last](const Point& a, const Point& b) { return a[last] > b[last]; });
  double volume = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    double own = 1;
    for (size_t k = 0; k < last; ++k) own *= reference[k] - points[i][k];
    std::vector<Point> shared;
    shared.reserve(points.size() - i - 1);
    for (size_t j = i + 1; j < points.size(); ++j) {
      Point limited(last);
      for (size_t k = 0; k < last; ++k) limited[k] = std::max(points[i][k], points[j][k]);
      shared.push_back(std::move(limited));
    }
    volume +=
        (reference[last] - points[i][last]) * (own - Volume(std::move(shared), reference, last));
  }
  return volume;
}

}  // namespace

absl::StatusOr<double> Hypervolume(absl::Span<const std::vector<double>> points,
                                   absl::Span<const double> reference) {
  if (reference.empty()) return absl::InvalidArgumentError("hypervolume: no reference point");
  for (double value : reference) {
    if (!std::isfinite(value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("hypervolume: reference value ", value, " is not finite"));
    }
  }
  std::vector<Point> inside;
  for (const std::vector<double>& point : points) {
    if (point.size() != reference.size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "hypervolume: point of ", point.size(), " objectives, reference of ", reference.size()));
    }
    bool counts = true;
    for (size_t i = 0; i < point.size(); ++i) {
      counts &= std::isfinite(point[i]) && point[i] < reference[i];
    }
    if (counts) inside.push_back(point);
  }
  return Volume(std::move(inside), reference, reference.size());
}

}  // namespace frontier
