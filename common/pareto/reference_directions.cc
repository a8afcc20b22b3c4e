#include "common/pareto/reference_directions.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace frontier {
namespace {

constexpr int64_t kMaxDirections = 1'000'000;

// Appends all rows that sum to `divisions`, each as multiples of 1 / divisions.
void AppendSimplex(int objectives, int divisions, std::vector<std::vector<double>>* rows) {
  std::vector<int> parts(objectives, 0);
  parts.back() = divisions;
  while (true) {
    std::vector<double>& row = rows->emplace_back();
    for (int part : parts) row.push_back(static_cast<double>(part) / divisions);
    // The next in order: the last part that is not 0 gives one to the part before it and the rest
    // to the end.
    size_t last = parts.size() - 1;
    while (last > 0 && parts[last] == 0) --last;
    if (last == 0) return;
    const int rest = parts[last] - 1;
    parts[last] = 0;
    parts.back() = rest;
    ++parts[last - 1];
  }
}

}  // namespace

int64_t DasDennisCount(int objectives, int divisions) {
  if (objectives <= 0 || divisions <= 0) return 0;
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const int64_t more = std::max(objectives - 1, divisions);
  const int64_t fewer = std::min(objectives - 1, divisions);
  int64_t count = 1;
  for (int64_t i = 1; i <= fewer; ++i) {
    // Exact: (more + i) over i.
    if (count > kMax / (more + i)) return kMax;
    count = count * (more + i) / i;
  }
  return count;
}

absl::StatusOr<std::vector<std::vector<double>>> DasDennisDirections(int objectives, int divisions,
                                                                     int inner_divisions) {
  if (objectives <= 0 || divisions <= 0 || inner_divisions < 0) {
    return absl::InvalidArgumentError(absl::StrCat("directions: ", objectives, " objectives in ",
                                                   divisions, " and ", inner_divisions,
                                                   " divisions"));
  }
  const int64_t outer = DasDennisCount(objectives, divisions);
  const int64_t inner = DasDennisCount(objectives, inner_divisions);
  if (outer > kMaxDirections || inner > kMaxDirections - outer) {
    return absl::InvalidArgumentError(absl::StrCat("directions: ", outer, " and ", inner,
                                                   " in two layers, more than ", kMaxDirections));
  }
  std::vector<std::vector<double>> rows;
  rows.reserve(outer + inner);
  AppendSimplex(objectives, divisions, &rows);
  if (inner > 0) AppendSimplex(objectives, inner_divisions, &rows);
  for (auto row = rows.begin() + outer; row != rows.end(); ++row) {
    for (double& value : *row) value = value / 2 + 0.5 / objectives;
  }
  return rows;
}

}  // namespace frontier
