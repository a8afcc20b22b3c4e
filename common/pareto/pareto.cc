#include "common/pareto/pareto.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace frontier {

bool Dominates(absl::Span<const double> a, absl::Span<const double> b) {
  if (a.size() != b.size()) return false;
  bool better = false;
  for (size_t i = 0; i < a.size(); ++i) {
    // Not `a[i] > b[i]`: that would let a NaN pass.
    if (!(a[i] <= b[i])) return false;
    better |= a[i] < b[i];
  }
  return better;
}

bool ParetoFront::Admits(absl::Span<const double> objectives) const {
  return std::all_of(objectives.begin(), objectives.end(),
                     [](double value) { return std::isfinite(value); }) &&
         std::none_of(members_.begin(), members_.end(), [&](const Member& member) {
           return Dominates(member.objectives, objectives);
         });
}

ParetoFront::InsertResult ParetoFront::Insert(int64_t id, absl::Span<const double> objectives) {
  InsertResult result;
  if (!Admits(objectives)) return result;
  const auto dominated = std::stable_partition(
      members_.begin(), members_.end(),
      [&](const Member& member) { return !Dominates(objectives, member.objectives); });
  for (auto it = dominated; it != members_.end(); ++it) result.removed.push_back(it->id);
  members_.erase(dominated, members_.end());
  members_.push_back({id, std::vector<double>(objectives.begin(), objectives.end())});
  result.inserted = true;
  return result;
}

}  // namespace frontier
