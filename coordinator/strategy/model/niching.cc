#include "coordinator/strategy/model/niching.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

namespace frontier::coordinator {
namespace {

constexpr double kSmall = 1e-12;

using Eigen::MatrixXd;
using Eigen::VectorXd;

// One column for each point.
MatrixXd Columns(absl::Span<const std::vector<double>> points) {
  MatrixXd columns(points[0].size(), points.size());
  for (size_t i = 0; i < points.size(); ++i) {
    columns.col(static_cast<Eigen::Index>(i)) =
        Eigen::Map<const VectorXd>(points[i].data(), static_cast<Eigen::Index>(points[i].size()));
  }
  return columns;
}

// Where the plane through the extreme points meets the axes; the largest values if it meets one of
// them not at all, or beyond zero. `translated` has its least values at 0.
VectorXd Intercepts(const MatrixXd& translated) {
  const Eigen::Index objectives = translated.rows();
  const VectorXd largest = translated.rowwise().maxCoeff();
  // Whatever their units, objectives weigh the same.
  const MatrixXd scaled = largest.cwiseMax(kSmall).cwiseInverse().asDiagonal() * translated;
  MatrixXd extremes(objectives, objectives);  // one row each
  for (Eigen::Index axis = 0; axis < objectives; ++axis) {
    // The least achievement scalarizing function with nearly all weight on this axis.
    VectorXd weights = VectorXd::Constant(objectives, 1e6);
    weights(axis) = 1;
    Eigen::Index best = 0;
    (weights.asDiagonal() * scaled).colwise().maxCoeff().minCoeff(&best);
    extremes.row(axis) = translated.col(best).transpose();
  }
  const Eigen::FullPivLU<MatrixXd> plane(extremes);
  VectorXd intercepts = largest;
  if (plane.isInvertible()) {
    const VectorXd inverse = plane.solve(VectorXd::Ones(objectives));
    if (inverse.minCoeff() > kSmall && inverse.allFinite()) intercepts = inverse.cwiseInverse();
  }
  return intercepts.cwiseMax(kSmall);
}

}  // namespace

std::vector<size_t> SelectByNiche(absl::Span<const std::vector<double>> points, size_t taken,
                                  size_t count, absl::Span<const std::vector<double>> directions) {
  MatrixXd normalized = Columns(points);
  normalized.colwise() -= VectorXd(normalized.rowwise().minCoeff());
  normalized = Intercepts(normalized).cwiseInverse().asDiagonal() * normalized;
  MatrixXd unit = Columns(directions);
  unit.colwise().normalize();

  // The direction each point belongs to, and the square of its distance from that line.
  std::vector<size_t> niche(points.size());
  std::vector<double> distance(points.size());
  for (size_t i = 0; i < points.size(); ++i) {
    const VectorXd point = normalized.col(static_cast<Eigen::Index>(i));
    const VectorXd along = unit.transpose() * point;
    Eigen::Index nearest = 0;
    along.maxCoeff(&nearest);
    niche[i] = static_cast<size_t>(nearest);
    distance[i] = point.squaredNorm() - along(nearest) * along(nearest);
  }

  std::vector<size_t> survivors(directions.size(), 0);
  std::vector<std::vector<size_t>> waiting(directions.size());
  for (size_t i = 0; i < points.size(); ++i) {
    if (i < taken) {
      ++survivors[niche[i]];
    } else {
      waiting[niche[i]].push_back(i);
    }
  }
  std::vector<size_t> selected;
  while (selected.size() < count) {
    size_t emptiest = directions.size();
    for (size_t d = 0; d < directions.size(); ++d) {
      if (waiting[d].empty()) continue;
      if (emptiest == directions.size() || survivors[d] < survivors[emptiest]) emptiest = d;
    }
    std::vector<size_t>& here = waiting[emptiest];
    auto chosen = here.begin();
    if (survivors[emptiest] == 0) {
      chosen = std::min_element(here.begin(), here.end(),
                                [&](size_t a, size_t b) { return distance[a] < distance[b]; });
    }
    selected.push_back(*chosen);
    here.erase(chosen);
    ++survivors[emptiest];
  }
  return selected;
}

}  // namespace frontier::coordinator
