#include "coordinator/strategy/reinforce.h"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/simple_search_context.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"
#include "tests/support/strategies.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::BroadSpace;
using ::frontier::testing::JobSearchingBy;
using ::frontier::testing::MakeShape;
using ::frontier::testing::SimpleSearchContext;

// Mean option of the first decision among the last 60 of 200 proposals, where a trial's objectives
// are `first` and a latency of twice the target if that option is 0, of half of it otherwise.
double LateChoice(double first, v1::Direction direction) {
  v1::StrategySpec spec;
  v1::RewardTarget* target = spec.mutable_reinforce()->add_targets();
  target->set_metric(v1::METRIC_LATENCY_MS);
  target->set_target(10);
  target->set_exponent(-0.5);
  v1::JobSpec job = JobSearchingBy(spec, 2);
  job.mutable_objectives(0)->set_direction(direction);
  const std::unique_ptr<Strategy> strategy = CreateStrategy(job).value();
  SimpleSearchContext context(BroadSpace(), MakeShape(1, 28, 28), 10);
  double late = 0;
  for (int i = 1; i <= 200; ++i) {
    const Candidate candidate = strategy->Propose(context).value();
    const bool slow = candidate.genotype.options(0) == 0;
    late += i > 140 && !slow ? 1.0 / 60 : 0;
    context.Record(candidate);
    context.End({.trial = i, .succeeded = true, .objectives = {first, slow ? 20.0 : 5.0}});
  }
  return late;
}

TEST(ReinforceTest, TargetsCountWhetherTheFirstObjectiveIsMaximizedOrMinimized) {
  // As strategies see it, what is to be maximized is negative.
  EXPECT_GT(LateChoice(-0.8, v1::DIRECTION_MAXIMIZE), 0.85);
  EXPECT_GT(LateChoice(0.8, v1::DIRECTION_MINIMIZE), 0.85);
}

}  // namespace
}  // namespace frontier::coordinator
