#include "coordinator/strategy/portfolio.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/strategy/exploration.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/simple_search_context.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::BroadSpace;
using ::frontier::testing::MakeShape;
using ::frontier::testing::SimpleSearchContext;

// Draws; what its trials are worth is up to the test.
class NamedStrategy final : public ExploringStrategy {
 public:
  explicit NamedStrategy(const std::string& name) : ExploringStrategy(name, 1) {}

 private:
  std::optional<Candidate> Suggest(const SearchContext&, Rng*) override { return std::nullopt; }
};

class PortfolioTest : public ::testing::Test {
 protected:
  static std::unique_ptr<Strategy> Create(uint64_t seed = 7) {
    std::vector<PortfolioArm> arms;
    for (const char* name : {"first", "second", "third"}) {
      arms.push_back({name, std::make_unique<NamedStrategy>(name)});
    }
    return CreatePortfolioStrategy(std::move(arms), seed);
  }

  // Trials of which those of `gaining` improve on all before; how many each arm proposed.
  std::vector<int> RunTrials(int trials, const std::string& gaining) {
    std::vector<int> proposed(3, 0);
    for (int i = 0; i < trials; ++i) {
      Observation end{.trial = context_.number(), .succeeded = true};
      const Candidate candidate = strategy_->Propose(context_).value();
      const std::string& name = candidate.origin.strategy();
      ++proposed[name == "first" ? 0 : name == "second" ? 1 : 2];
      context_.Record(candidate);
      if (name == gaining) best_ -= 1;
      end.objectives = {name == gaining ? best_ : best_ + 5};
      context_.End(end);
    }
    return proposed;
  }

  const v1::StrategyArm Arm(int index) const { return strategy_->Arms()[index]; }

  SimpleSearchContext context_{BroadSpace(), MakeShape(1, 28, 28), 10};
  std::unique_ptr<Strategy> strategy_ = Create();
  double best_ = 100;
};

TEST_F(PortfolioTest, BeginsWithEvenShares) {
  ASSERT_EQ(strategy_->Arms().size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_DOUBLE_EQ(Arm(i).share(), 1.0 / 3);
    EXPECT_EQ(Arm(i).trials(), 0);
    EXPECT_EQ(Arm(i).gain(), 0);
  }
  EXPECT_EQ(Arm(0).strategy(), "first");
}

TEST_F(PortfolioTest, WhatGainsProposesMoreAndTheOthersKeepAShare) {
  const std::vector<int> proposed = RunTrials(200, "second");
  EXPECT_GT(proposed[1], 90);  // an even share is 67
  EXPECT_GT(proposed[0], 8);
  EXPECT_GT(proposed[2], 8);
  EXPECT_GT(Arm(1).share(), 0.6);
  EXPECT_GT(Arm(1).recent_gain(), 0.5);
  EXPECT_GT(Arm(1).gain(), 0.6);
  EXPECT_NEAR(Arm(0).share() + Arm(1).share() + Arm(2).share(), 1, 1e-9);
  // Ends are counted when the next proposal is made.
  EXPECT_EQ(Arm(0).trials() + Arm(1).trials() + Arm(2).trials(), 199);
}

TEST_F(PortfolioTest, AnotherMayTakeTheLead) {
  RunTrials(100, "second");
  EXPECT_GT(Arm(1).share(), 0.5);
  RunTrials(150, "third");
  EXPECT_GT(Arm(2).share(), 0.5);
  EXPECT_LT(Arm(1).share(), 0.3);
  // What it gained is not forgotten.
  EXPECT_GT(Arm(1).gain(), 0.1);
}

TEST_F(PortfolioTest, WhereNobodyGainsAllGoOn) {
  const std::vector<int> proposed = RunTrials(150, "nobody");
  for (const int count : proposed) EXPECT_GT(count, 25);
}

TEST_F(PortfolioTest, AStateOfOtherArmsIsRefused) {
  v1::StrategyState state = strategy_->Save();
  EXPECT_EQ(state.arms_size(), 3);
  state.mutable_arms()->RemoveLast();
  EXPECT_THAT(strategy_->Restore(state),
              ::frontier::testing::StatusIs(absl::StatusCode::kInvalidArgument,
                                            ::testing::HasSubstr("2 arms, the portfolio has 3")));
}

}  // namespace
}  // namespace frontier::coordinator
