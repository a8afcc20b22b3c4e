#include "common/pareto/hypervolume.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status.h"

namespace frontier {
namespace {

using Point = std::vector<double>;

// Whether `a` is nowhere worse than `b` in the first `objectives`.
bool Covers(const double* a, const double* b, size_t objectives) {
  for (size_t i = 0; i < objectives; ++i) {
    if (a[i] > b[i]) return false;
  }
  return true;
}

bool IsInside(absl::Span<const double> point, absl::Span<const double> reference) {
  for (size_t i = 0; i < reference.size(); ++i) {
    if (!std::isfinite(point[i]) || !(point[i] < reference[i])) return false;
  }
  return true;
}

// Whether all volumes within the box from `least` to `reference`, also of fewer objectives, are
// finite.
bool HasFiniteVolumes(absl::Span<const double> least, absl::Span<const double> reference) {
  double volume = 1;
  for (size_t k = 0; k < reference.size(); ++k) volume *= std::max(1.0, reference[k] - least[k]);
  return std::isfinite(volume);
}

// Computes volumes, one after the other. All points are finite and better than the reference, which
// outlives this.
class VolumeCalculator {
 public:
  explicit VolumeCalculator(absl::Span<const double> reference)
      : reference_(reference),
        levels_(reference.size() + 1),
        plane_(reference[0], reference.size() > 1 ? reference[1] : 0) {}

  double Of(const std::vector<const double*>& points) {
    levels_.back().points = points;
    return Volume(reference_.size());
  }

  // Of what `point` dominates and no one of `others` does.
  double Exclusive(const double* point, const std::vector<const double*>& others) {
    const size_t objectives = reference_.size();
    const double own = Box(point, objectives);
    Limit(point, others.data(), others.size(), objectives);
    return std::max(0.0, own - Volume(objectives));
  }

 private:
  // Points of one number of objectives, and the memory of those that are made.
  struct Level {
    std::vector<const double*> points;
    std::vector<double> values;
  };

  double Box(const double* point, size_t objectives) const {
    double volume = 1;
    for (size_t k = 0; k < objectives; ++k) volume *= reference_[k] - point[k];
    return volume;
  }

  // Puts at the level of `objectives` what `point` shares with each of `others`.
  void Limit(const double* point, const double* const* others, size_t count, size_t objectives) {
    Level& level = levels_[objectives];
    level.values.resize(count * objectives);
    level.points.resize(count);
    double* row = level.values.data();
    for (size_t j = 0; j < count; ++j, row += objectives) {
      for (size_t k = 0; k < objectives; ++k) row[k] = std::max(point[k], others[j][k]);
      level.points[j] = row;
    }
  }

  // Of the points at the level of `objectives`, whose order it changes.
  double Volume(size_t objectives) {
    std::vector<const double*>& points = levels_[objectives].points;
    if (points.empty()) return 0;
    if (points.size() == 1) return Box(points[0], objectives);
    switch (objectives) {
      case 1:
        return Length(points);
      case 2:
        return Area(&points);
      case 3:
        return Sweep(&points);
      default:
        return Slices(&points, objectives);
    }
  }

  double Length(const std::vector<const double*>& points) const {
    double least = *points[0];
    for (const double* point : points) least = std::min(least, *point);
    return reference_[0] - least;
  }

  double Area(std::vector<const double*>* points) const {
    std::sort(points->begin(), points->end(),
              [](const double* a, const double* b) { return a[0] < b[0]; });
    double area = 0;
    double ceiling = reference_[1];
    for (const double* point : *points) {
      if (point[1] >= ceiling) continue;
      area += (reference_[0] - point[0]) * (ceiling - point[1]);
      ceiling = point[1];
    }
    return area;
  }

  // Best first in the third objective: the area that a point adds to those before it reaches from
  // its own depth to the reference.
  double Sweep(std::vector<const double*>* points) {
    std::sort(points->begin(), points->end(),
              [](const double* a, const double* b) { return a[2] < b[2]; });
    plane_.Clear();
    double volume = 0;
    for (const double* point : *points) {
      volume += plane_.Insert(point[0], point[1]) * (reference_[2] - point[2]);
    }
    return volume;
  }

  // Each point in turn from the worst in the last objective: all that remain reach at least as deep
  // there, so what the point shares with them is a volume of one dimension less times its own
  // depth.
  double Slices(std::vector<const double*>* points, size_t objectives) {
    KeepNonDominated(points, objectives);
    const size_t last = objectives - 1;
    double volume = 0;
    for (size_t i = points->size(); i-- > 0;) {
      const double* point = (*points)[i];
      Limit(point, points->data(), i, last);
      volume += (reference_[last] - point[last]) * (Box(point, last) - Volume(last));
    }
    return volume;
  }

  // One of each set of equal points stays; best first in the last objective.
  static void KeepNonDominated(std::vector<const double*>* points, size_t objectives) {
    // None is covered by a later one, but by equal ones.
    std::sort(points->begin(), points->end(), [objectives](const double* a, const double* b) {
      for (size_t k = objectives; k-- > 0;) {
        if (a[k] != b[k]) return a[k] < b[k];
      }
      return false;
    });
    size_t kept = 0;
    for (const double* point : *points) {
      const bool covered =
          std::any_of(points->begin(), points->begin() + static_cast<std::ptrdiff_t>(kept),
                      [&](const double* other) { return Covers(other, point, objectives - 1); });
      if (!covered) (*points)[kept++] = point;
    }
    points->resize(kept);
  }

  absl::Span<const double> reference_;
  std::vector<Level> levels_;  // by number of objectives
  Staircase plane_;            // of the first two
};

absl::Status CheckReference(absl::Span<const double> reference) {
  if (reference.empty()) return absl::InvalidArgumentError("hypervolume: no reference point");
  for (size_t k = 0; k < reference.size(); ++k) {
    if (!std::isfinite(reference[k])) {
      return absl::InvalidArgumentError(absl::StrCat("hypervolume: reference is ", reference[k],
                                                     " in objective ", k, ", not finite"));
    }
  }
  return absl::OkStatus();
}

// `which` names the point: "point 3".
absl::Status WrongLength(absl::string_view which, size_t point, size_t reference) {
  return absl::InvalidArgumentError(
      absl::StrCat("hypervolume: ", which, " of ", point, " objectives, reference of ", reference));
}

// Objective in which `least` is farthest from the reference.
size_t FarthestObjective(absl::Span<const double> least, absl::Span<const double> reference) {
  size_t farthest = 0;
  for (size_t k = 1; k < reference.size(); ++k) {
    if (reference[k] - least[k] > reference[farthest] - least[farthest]) farthest = k;
  }
  return farthest;
}

absl::Status TooFar(absl::string_view which, size_t objective, double value, double reference) {
  return absl::InvalidArgumentError(absl::StrCat("hypervolume: ", which, " is ", value,
                                                 " in objective ", objective,
                                                 ", too far from the reference's ", reference));
}

std::string PointName(size_t index) { return absl::StrCat("point ", index); }

// Those of `points` that count.
absl::StatusOr<std::vector<const double*>> Inside(absl::Span<const Point> points,
                                                  absl::Span<const double> reference) {
  RETURN_IF_ERROR(CheckReference(reference));
  std::vector<const double*> inside;
  Point least(reference.begin(), reference.end());
  for (size_t i = 0; i < points.size(); ++i) {
    const Point& point = points[i];
    if (point.size() != reference.size()) {
      return WrongLength(PointName(i), point.size(), reference.size());
    }
    if (!IsInside(point, reference)) continue;
    inside.push_back(point.data());
    for (size_t k = 0; k < least.size(); ++k) least[k] = std::min(least[k], point[k]);
  }
  if (HasFiniteVolumes(least, reference)) return inside;
  // The box is that of all points together; the one that reaches farthest is named.
  const size_t k = FarthestObjective(least, reference);
  const auto farthest = std::find_if(points.begin(), points.end(), [&](const Point& point) {
    return IsInside(point, reference) && point[k] == least[k];
  });
  return TooFar(PointName(static_cast<size_t>(farthest - points.begin())), k, least[k],
                reference[k]);
}

}  // namespace

absl::StatusOr<double> Hypervolume(absl::Span<const Point> points,
                                   absl::Span<const double> reference) {
  ASSIGN_OR_RETURN(const std::vector<const double*> inside, Inside(points, reference));
  return VolumeCalculator(reference).Of(inside);
}

absl::StatusOr<double> ExclusiveHypervolume(absl::Span<const double> point,
                                            absl::Span<const Point> others,
                                            absl::Span<const double> reference) {
  ASSIGN_OR_RETURN(const std::vector<const double*> inside, Inside(others, reference));
  if (point.size() != reference.size()) {
    return WrongLength("the point", point.size(), reference.size());
  }
  if (!IsInside(point, reference)) return 0;
  if (!HasFiniteVolumes(point, reference)) {
    const size_t k = FarthestObjective(point, reference);
    return TooFar("the point", k, point[k], reference[k]);
  }
  return VolumeCalculator(reference).Exclusive(point.data(), inside);
}

absl::StatusOr<std::vector<double>> HypervolumeContributions(absl::Span<const Point> points,
                                                             absl::Span<const double> reference) {
  ASSIGN_OR_RETURN(std::vector<const double*> others, Inside(points, reference));
  std::vector<double> contributions(points.size(), 0);
  VolumeCalculator volume(reference);
  // Each takes its place among the others again once it is done with.
  size_t at = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    if (!IsInside(points[i], reference)) continue;
    const double* point = points[i].data();
    std::swap(others[at], others.back());
    others.pop_back();
    const bool covered = std::any_of(others.begin(), others.end(), [&](const double* other) {
      return Covers(other, point, reference.size());
    });
    if (!covered) contributions[i] = volume.Exclusive(point, others);
    others.push_back(point);
    std::swap(others[at], others.back());
    ++at;
  }
  return contributions;
}

HypervolumeArchive::HypervolumeArchive(absl::Span<const double> reference)
    : reference_(reference.begin(), reference.end()),
      plane_(reference[0], reference.size() > 1 ? reference[1] : 0) {}

absl::StatusOr<HypervolumeArchive> HypervolumeArchive::Create(absl::Span<const double> reference) {
  RETURN_IF_ERROR(CheckReference(reference));
  return HypervolumeArchive(reference);
}

bool HypervolumeArchive::Counts(absl::Span<const double> point) const {
  return point.size() == reference_.size() && IsInside(point, reference_) &&
         HasFiniteVolumes(point, reference_);
}

double HypervolumeArchive::Gain(absl::Span<const double> point) const {
  if (!Counts(point)) return 0;
  if (reference_.size() == 2) return plane_.Gain(point[0], point[1]);
  std::vector<const double*> members;
  members.reserve(members_.size());
  for (const Point& member : members_) {
    if (Covers(member.data(), point.data(), point.size())) return 0;
    members.push_back(member.data());
  }
  return VolumeCalculator(reference_).Exclusive(point.data(), members);
}

double HypervolumeArchive::Insert(absl::Span<const double> point) {
  if (!Counts(point)) return 0;
  double gain = 0;
  if (reference_.size() == 2) {
    gain = plane_.Insert(point[0], point[1]);
  } else {
    const bool covered = std::any_of(members_.begin(), members_.end(), [&](const Point& member) {
      return Covers(member.data(), point.data(), point.size());
    });
    if (covered) return 0;
    gain = Gain(point);
    std::erase_if(members_, [&](const Point& member) {
      return Covers(point.data(), member.data(), point.size());
    });
    members_.emplace_back(point.begin(), point.end());
  }
  volume_ += gain;
  return gain;
}

size_t HypervolumeArchive::size() const {
  return reference_.size() == 2 ? plane_.size() : members_.size();
}

}  // namespace frontier
