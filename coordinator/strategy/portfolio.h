// A portfolio of strategies: a bandit over what their proposals gain.
//
// All strategies see all trials. What a success gains (gains.h) is credited to the strategy that
// proposed the trial, but for the first ten successes, which are mostly random draws. Gains and
// trials fade with the trials that follow, so that what helps early and what helps late may differ
// (discounted as in Garivier and Moulines 2011, "On Upper-Confidence Bound Policies for Switching
// Bandit Problems"). A strategy is drawn with a probability that grows with its recent gain per
// trial; each keeps a share, so that it can come back.
#ifndef FRONTIER_COORDINATOR_STRATEGY_PORTFOLIO_H_
#define FRONTIER_COORDINATOR_STRATEGY_PORTFOLIO_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/strategy/strategy.h"

namespace frontier::coordinator {

struct PortfolioArm {
  std::string name;
  std::unique_ptr<Strategy> strategy;
};

// Of at least two strategies whose proposals bear their names.
std::unique_ptr<Strategy> CreatePortfolioStrategy(std::vector<PortfolioArm> arms, uint64_t seed);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_PORTFOLIO_H_
