#include "coordinator/strategy/preference.h"

#include <algorithm>

#include "common/pareto/pareto.h"
#include "common/pareto/ranking.h"

namespace frontier::coordinator {

bool Precedes(const Observation& a, const Observation& b) {
  if (a.violation != b.violation) return a.violation < b.violation;
  return Dominates(a.objectives, b.objectives);
}

std::vector<Ranked> Rank(absl::Span<const Observation> history, absl::Span<const size_t> indices) {
  std::vector<std::vector<double>> objectives;
  std::vector<double> violations;
  for (const size_t index : indices) {
    objectives.push_back(history[index].objectives);
    violations.push_back(history[index].violation);
  }
  // A history's values are finite and of one number.
  const std::vector<int> ranks = *NonDominatedRanks(objectives, violations);
  std::vector<Ranked> ranked;
  ranked.reserve(indices.size());
  for (const std::vector<size_t>& front : FrontsOf(ranks)) {
    std::vector<std::vector<double>> members;
    for (const size_t i : front) members.push_back(objectives[i]);
    const std::vector<double> crowding = *CrowdingDistances(members);
    const size_t begin = ranked.size();
    for (size_t k = 0; k < front.size(); ++k) {
      ranked.push_back({indices[front[k]], ranks[front[k]], crowding[k]});
    }
    std::stable_sort(ranked.begin() + static_cast<std::ptrdiff_t>(begin), ranked.end(),
                     [](const Ranked& a, const Ranked& b) { return a.crowding > b.crowding; });
  }
  return ranked;
}

void Elite::Add(absl::Span<const Observation> history, size_t index) {
  const Observation& added = history[index];
  for (const size_t member : members_) {
    if (Precedes(history[member], added)) return;
  }
  members_.erase(std::remove_if(members_.begin(), members_.end(),
                                [&](size_t member) { return Precedes(added, history[member]); }),
                 members_.end());
  members_.push_back(index);
}

double Bounded(double value) { return std::clamp(value, -1e100, 1e100); }

size_t ModelSize(size_t size) {
  size_t step = 1;
  while (step * 100 <= size) step *= 2;
  return size - size % step;
}

std::vector<Ranked> RankSuccesses(absl::Span<const Observation> history, size_t count) {
  std::vector<size_t> indices;
  for (size_t i = 0; i < count; ++i) {
    if (history[i].succeeded) indices.push_back(i);
  }
  return Rank(history, indices);
}

}  // namespace frontier::coordinator
