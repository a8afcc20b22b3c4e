#include "worker/engine/onednn/pass_picker.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>

namespace frontier::worker::onednn {
namespace {

constexpr int kMostRuns = 8;
constexpr double kEnoughSeconds = 0.02;
// A first run this much slower than the best so far ends the timing.
constexpr double kHopeless = 3;

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Least of some runs after one that warms up: what else runs on the machine only adds.
double Time(absl::FunctionRef<void(size_t)> run, size_t i, double best) {
  double least = std::numeric_limits<double>::infinity(), total = 0;
  for (int r = 0; r <= kMostRuns && (r < 2 || total < kEnoughSeconds); ++r) {
    const double since = Seconds();
    run(i);
    const double took = Seconds() - since;
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
    if (timed_ && names.size() > 1) {
      double best = std::numeric_limits<double>::infinity();
      for (size_t i = 0; i < names.size(); ++i) {
        const double seconds = Time(run, i, best);
        if (seconds < best) {
          best = seconds;
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
