// frontier-architecture-bench: what it costs to build, validate and hash an architecture, in
// microseconds; medians over rounds. One line a network, JSON.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "common/architecture/reference.h"
#include "common/base/clock.h"

namespace frontier::bench {
namespace {

constexpr int kRounds = 15;
constexpr int kClasses = 10;

// Of one call. Each round lasts a millisecond or longer, so that the clock does not matter.
double MedianMicroseconds(const std::function<bool()>& call) {
  SystemClock clock;
  int calls = 1;
  std::vector<double> rounds;
  while (rounds.size() < kRounds) {
    const absl::Duration begin = clock.Elapsed();
    for (int i = 0; i < calls; ++i) {
      if (!call()) return -1;
    }
    const absl::Duration passed = clock.Elapsed() - begin;
    if (passed < absl::Milliseconds(1)) {
      calls *= 2;
      continue;
    }
    rounds.push_back(absl::ToDoubleMicroseconds(passed) / calls);
  }
  std::nth_element(rounds.begin(), rounds.begin() + kRounds / 2, rounds.end());
  return rounds[kRounds / 2];
}

int Main() {
  v1::Shape shape;
  shape.set_channels(3);
  shape.set_height(32);
  shape.set_width(32);
  for (const std::string& name : ReferenceNames()) {
    const absl::StatusOr<v1::Architecture> network = ReferenceArchitecture(name, shape, kClasses);
    if (!network.ok()) {
      std::fprintf(stderr, "frontier-architecture-bench: %s: %s\n", name.c_str(),
                   std::string(network.status().message()).c_str());
      return 1;
    }
    const double build =
        MedianMicroseconds([&] { return ReferenceArchitecture(name, shape, kClasses).ok(); });
    const double analyze = MedianMicroseconds([&] { return AnalyzeGraph(*network).ok(); });
    const double hash = MedianMicroseconds([&] { return CanonicalHash(*network).ok(); });
    std::printf(
        "{\"network\": \"%s\", \"nodes\": %d, \"build_us\": %.1f, \"analyze_us\": %.1f, "
        "\"hash_us\": %.1f}\n",
        name.c_str(), network->nodes_size(), build, analyze, hash);
  }
  return 0;
}

}  // namespace
}  // namespace frontier::bench

int main() { return frontier::bench::Main(); }
