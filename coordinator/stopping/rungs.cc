#include "coordinator/stopping/rungs.h"

#include <algorithm>

#include "coordinator/strategy/preference.h"

namespace frontier::coordinator {
namespace {

// Of a rung's results, those that are compared: the latest, so that the cost does not grow without
// bound.
constexpr size_t kMostCompared = 4096;

// Rungs of one height have one number of epochs: each bracket leaves out one more of the first
// ones.
int Height(const RungPlace& place) { return place.bracket + place.rung; }

}  // namespace

void Rungs::Add(RungPlace place, Observation result) {
  Rung& rung = rungs_[place];
  const Waiter waiter{place, rung.results.size()};
  undo_.push_back({result.trial, waiter, /*added=*/true});
  waiting_[result.trial] = waiter;
  result.genotype.Clear();
  rung.results.push_back(std::move(result));
  rung.waits.push_back(true);
}

std::optional<int64_t> Rungs::Next() const {
  std::optional<int64_t> best;
  int highest = -1;
  for (const auto& [place, rung] : rungs_) {
    if (Height(place) <= highest) continue;
    if (rung.gone_on >= rung.results.size() / static_cast<size_t>(reduction_)) continue;
    const std::optional<int64_t> next = BestWaiting(rung);
    if (!next.has_value()) continue;
    best = next;
    highest = Height(place);
  }
  return best;
}

std::optional<int64_t> Rungs::Best() const {
  std::optional<int64_t> best;
  int highest = -1;
  for (const auto& [place, rung] : rungs_) {
    if (Height(place) <= highest) continue;
    const std::optional<int64_t> next = BestWaiting(rung);
    if (!next.has_value()) continue;
    best = next;
    highest = Height(place);
  }
  return best;
}

std::optional<int64_t> Rungs::BestWaiting(const Rung& rung) const {
  if (rung.gone_on == rung.results.size()) return std::nullopt;
  std::vector<size_t> compared;
  const size_t size = rung.results.size();
  for (size_t i = size - std::min(size, kMostCompared); i < size; ++i) compared.push_back(i);
  for (const Ranked& ranked : Rank(rung.results, compared)) {
    if (rung.waits[ranked.index]) return rung.results[ranked.index].trial;
  }
  return std::nullopt;
}

void Rungs::GoOn(int64_t trial) {
  const auto it = waiting_.find(trial);
  if (it == waiting_.end()) return;
  Rung& rung = rungs_[it->second.place];
  undo_.push_back({trial, it->second, /*added=*/false});
  rung.waits[it->second.index] = false;
  ++rung.gone_on;
  waiting_.erase(it);
}

std::optional<RungPlace> Rungs::PlaceOf(int64_t trial) const {
  const auto it = waiting_.find(trial);
  if (it == waiting_.end()) return std::nullopt;
  return it->second.place;
}

std::vector<int64_t> Rungs::Waiting() const {
  std::vector<int64_t> waiting;
  for (const auto& [trial, waiter] : waiting_) waiting.push_back(trial);
  std::sort(waiting.begin(), waiting.end());
  return waiting;
}

void Rungs::Rollback() {
  for (; !undo_.empty(); undo_.pop_back()) {
    const Step& step = undo_.back();
    Rung& rung = rungs_[step.waiter.place];
    if (step.added) {
      waiting_.erase(step.trial);
      rung.results.pop_back();
      rung.waits.pop_back();
    } else {
      waiting_[step.trial] = step.waiter;
      rung.waits[step.waiter.index] = true;
      --rung.gone_on;
    }
  }
}

}  // namespace frontier::coordinator
