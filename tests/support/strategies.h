// Every strategy, for tests that run over all of them.
#ifndef FRONTIER_TESTS_SUPPORT_STRATEGIES_H_
#define FRONTIER_TESTS_SUPPORT_STRATEGIES_H_

#include <ostream>
#include <string>
#include <vector>

#include "frontier/v1/job.pb.h"
#include "frontier/v1/strategy.pb.h"

namespace frontier::testing {

struct StrategyCase {
  std::string name;
  v1::StrategySpec spec;  // without seed; sizes so small that tests reach every phase
};

inline void PrintTo(const StrategyCase& strategy, std::ostream* os) { *os << strategy.name; }

// At least one of each kind.
const std::vector<StrategyCase>& AllStrategies();

// A job that searches by `strategy`, with the first so many of accuracy (to be maximized), latency,
// parameters and energy as objectives.
v1::JobSpec JobSearchingBy(const v1::StrategySpec& strategy, int objectives);

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_STRATEGIES_H_
