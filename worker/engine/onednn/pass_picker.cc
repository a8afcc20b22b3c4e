#include "worker/engine/onednn/pass_picker.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/time/time.h"

namespace frontier::worker::onednn {
namespace {

constexpr int kMostRuns = 6;
constexpr absl::Duration kEnough = absl::Milliseconds(15);
// A run this much slower than the best so far ends the timing: one that is warm, and the first,
// which still has caches to fill and tiles to set up.
constexpr double kHopeless = 3;
constexpr double kHopelessAtFirst = 20;
// So does being slower by this in each of several runs.
constexpr double kBehind = 1.2;
constexpr int kRunsToTell = 3;

// Timed by itself, with caches warm, a pass is not quite what it is within a step: the order of the
// names is knowledge, too, and only a clear lead overrules it.
constexpr double kClearly = 0.9;

// Least of some runs after one that warms up: what else runs on the machine only adds.
absl::Duration Time(Clock* clock, absl::FunctionRef<void()> run, absl::Duration best) {
  const auto once = [&] {
    const absl::Duration since = clock->Elapsed();
    run();
    return clock->Elapsed() - since;
  };
  const absl::Duration first = once();
  if (first > kHopelessAtFirst * best) return first;
  absl::Duration least = absl::InfiniteDuration(), total;
  for (int r = 0; r < kMostRuns && (r == 0 || total < kEnough); ++r) {
    const absl::Duration took = once();
    least = std::min(least, took);
    total += took;
    if (took > kHopeless * best || (r + 1 >= kRunsToTell && least > kBehind * best)) break;
  }
  return least;
}

std::optional<size_t> Find(const Picks* picks, const std::string& key,
                           const std::vector<std::string>& names) {
  if (picks == nullptr) return std::nullopt;
  const auto pick = picks->find(key);
  if (pick == picks->end()) return std::nullopt;
  const auto name = std::find(names.begin(), names.end(), pick->second);
  if (name == names.end()) return std::nullopt;
  return static_cast<size_t>(name - names.begin());
}

}  // namespace

bool PassPicker::MayPick(const std::string& key, absl::string_view name_prefix) const {
  for (const Picks* picks : {&used_, static_cast<const Picks*>(remembered_)}) {
    if (picks == nullptr) continue;
    const auto pick = picks->find(key);
    if (pick != picks->end()) return absl::StartsWith(pick->second, name_prefix);
  }
  return clock_ != nullptr;
}

size_t PassPicker::Pick(const std::string& key, const std::vector<std::string>& names,
                        absl::FunctionRef<bool(size_t)> prepare, absl::FunctionRef<void()> run) {
  std::optional<size_t> choice = Find(&used_, key, names);
  if (!choice.has_value()) choice = Find(remembered_, key, names);
  if (!choice.has_value()) {
    choice = 0;
    if (clock_ != nullptr && names.size() > 1) {
      absl::Duration best = absl::InfiniteDuration();
      bool all = true;
      for (size_t i = 0; i < names.size(); ++i) {
        if (!prepare(i)) {
          all = false;
          continue;
        }
        const absl::Duration took = Time(clock_, run, best);
        if (took < kClearly * best) {
          best = took;
          choice = i;
        }
      }
      if (all && remembered_ != nullptr) (*remembered_)[key] = names[*choice];
    }
  }
  used_[key] = names[*choice];
  return *choice;
}

}  // namespace frontier::worker::onednn
