#include "coordinator/strategy/preference.h"

#include <algorithm>
#include <cmath>

#include "common/pareto/pareto.h"
#include "common/pareto/ranking.h"

namespace frontier::coordinator {

bool Precedes(const Observation& a, const Observation& b) {
  if (a.violation != b.violation) return a.violation < b.violation;
  return Dominates(a.objectives, b.objectives);
}

namespace {

// Appends trials of one front, those with the most room around them first.
void AppendFront(absl::Span<const Observation> history, absl::Span<const size_t> indices, int rank,
                 std::vector<Ranked>* ranked) {
  std::vector<std::vector<double>> objectives;
  for (const size_t index : indices) objectives.push_back(history[index].objectives);
  // A history's values are finite and of one number.
  const std::vector<double> crowding = *CrowdingDistances(objectives);
  const auto begin = static_cast<std::ptrdiff_t>(ranked->size());
  for (size_t k = 0; k < indices.size(); ++k) ranked->push_back({indices[k], rank, crowding[k]});
  std::stable_sort(ranked->begin() + begin, ranked->end(),
                   [](const Ranked& a, const Ranked& b) { return a.crowding > b.crowding; });
}

}  // namespace

std::vector<Ranked> Rank(absl::Span<const Observation> history, absl::Span<const size_t> indices) {
  std::vector<std::vector<double>> objectives;
  std::vector<double> violations;
  for (const size_t index : indices) {
    objectives.push_back(history[index].objectives);
    violations.push_back(history[index].violation);
  }
  const std::vector<int> ranks = *NonDominatedRanks(objectives, violations);
  std::vector<Ranked> ranked;
  ranked.reserve(indices.size());
  for (const std::vector<size_t>& front : FrontsOf(ranks)) {
    std::vector<size_t> members;
    for (const size_t i : front) members.push_back(indices[i]);
    AppendFront(history, members, ranks[front[0]], &ranked);
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
  sorted_ = false;
}

const std::vector<Ranked>& Elite::Sparsest(absl::Span<const Observation> history) {
  if (sorted_) return sparsest_;
  sparsest_.clear();
  AppendFront(history, members_, /*rank=*/0, &sparsest_);
  sorted_ = true;
  return sparsest_;
}

void Elite::Clear() { *this = Elite(); }

double LimitedViolation(double violation) {
  return std::isfinite(violation) ? violation / (1 + violation) : 1;
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
