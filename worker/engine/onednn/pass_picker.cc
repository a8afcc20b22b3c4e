#include "worker/engine/onednn/pass_picker.h"

#include <algorithm>
#include <optional>

#include "absl/time/time.h"

namespace frontier::worker::onednn {
namespace {

constexpr int kMostRuns = 8;
constexpr absl::Duration kEnough = absl::Milliseconds(20);
// A first run this much slower than the best so far ends the timing.
constexpr double kHopeless = 3;

// Least of some runs after one that warms up: what else runs on the machine only adds.
absl::Duration Time(Clock* clock, absl::FunctionRef<void(size_t)> run, size_t i,
                    absl::Duration best) {
  absl::Duration least = absl::InfiniteDuration(), total;
  for (int r = 0; r <= kMostRuns && (r < 2 || total < kEnough); ++r) {
    const absl::Duration since = clock->Elapsed();
    run(i);
    const absl::Duration took = clock->Elapsed() - since;
    if (took > kHopeless * best) return took;
    if (r == 0) continue;
    least = std::min(least, took);
    total += took;
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

size_t PassPicker::Pick(const std::string& key, const std::vector<std::string>& names,
                        absl::FunctionRef<void(size_t)> run) {
  std::optional<size_t> choice = Find(&used_, key, names);
  if (!choice.has_value()) choice = Find(remembered_, key, names);
  if (!choice.has_value()) {
    choice = 0;
    if (clock_ != nullptr && names.size() > 1) {
      absl::Duration best = absl::InfiniteDuration();
      for (size_t i = 0; i < names.size(); ++i) {
        const absl::Duration took = Time(clock_, run, i, best);
        if (took < best) {
          best = took;
          choice = i;
        }
      }
      if (remembered_ != nullptr) (*remembered_)[key] = names[*choice];
    }
  }
  used_[key] = names[*choice];
  return *choice;
}

}  // namespace frontier::worker::onednn
