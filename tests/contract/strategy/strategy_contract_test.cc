// What every strategy must do, run over all of them.
#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <iostream>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "coordinator/strategy/strategy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/simple_search_context.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"
#include "tests/support/strategies.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::AllStrategies;
using ::frontier::testing::BroadSpace;
using ::frontier::testing::FiveByFiveSpace;
using ::frontier::testing::JobSearchingBy;
using ::frontier::testing::MakeShape;
using ::frontier::testing::SimpleSearchContext;
using ::frontier::testing::StatusIs;
using ::frontier::testing::StrategyCase;

constexpr uint64_t kSeed = 424242;

class StrategyContractTest : public ::testing::TestWithParam<StrategyCase> {
 protected:
  static std::unique_ptr<Strategy> Create(uint64_t seed = kSeed) {
    v1::JobSpec job = JobSearchingBy(GetParam().spec, 2);
    job.mutable_strategy()->set_seed(seed);
    absl::StatusOr<std::unique_ptr<Strategy>> strategy = CreateStrategy(job);
    EXPECT_OK(strategy);
    return *std::move(strategy);
  }

  // What a coordinator has after a crash: the strategy anew, with its state.
  static std::unique_ptr<Strategy> Restarted(const Strategy& strategy) {
    v1::StrategyState state;
    EXPECT_TRUE(state.ParseFromString(strategy.Save().SerializeAsString()));
    std::unique_ptr<Strategy> restarted = Create();
    EXPECT_OK(restarted->Restore(state));
    return restarted;
  }

  static SimpleSearchContext Broad() {
    return SimpleSearchContext(BroadSpace(), MakeShape(1, 28, 28), 10);
  }
  static SimpleSearchContext FiveByFive() {
    return SimpleSearchContext(FiveByFiveSpace(), MakeShape(1, 12, 12), 10);
  }
};

// Two objectives that pull against each other.
Observation Succeeded(int64_t trial, const Candidate& candidate) {
  Observation observation;
  observation.trial = trial;
  observation.succeeded = true;
  observation.objectives = {static_cast<double>(candidate.parameters),
                            -static_cast<double>(candidate.macs % 1009)};
  return observation;
}

Observation Failed(int64_t trial) {
  Observation observation;
  observation.trial = trial;
  return observation;
}

// The next proposal, recorded; asks again where a call gave up for now.
absl::StatusOr<Candidate> ProposeAndRecord(Strategy* strategy, SimpleSearchContext* context) {
  while (true) {
    absl::StatusOr<Candidate> candidate = strategy->Propose(*context);
    if (absl::IsUnavailable(candidate.status())) continue;
    if (candidate.ok()) {
      EXPECT_TRUE(context->Record(*candidate));
    }
    return candidate;
  }
}

// Hashes of `count` proposals, the trial of each of which ends at once.
std::vector<std::string> RunTrials(Strategy* strategy, SimpleSearchContext* context, int count) {
  std::vector<std::string> hashes;
  for (int i = 0; i < count; ++i) {
    const int64_t trial = context->number();
    absl::StatusOr<Candidate> candidate = ProposeAndRecord(strategy, context);
    EXPECT_OK(candidate);
    if (!candidate.ok()) break;
    hashes.push_back(candidate->hash);
    // Every fifth fails.
    context->End(trial % 5 == 0 ? Failed(trial) : Succeeded(trial, *candidate));
  }
  return hashes;
}

bool IsExhausted(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) &&
         GetErrorReason(status) == v1::ERROR_REASON_SPACE_EXHAUSTED;
}

TEST_P(StrategyContractTest, ProposalsAreValidAndNew) {
  SimpleSearchContext context = Broad();
  const std::unique_ptr<Strategy> strategy = Create();
  for (int i = 1; i <= 60; ++i) {
    // Record() fails the test if the proposal is not new.
    ASSERT_OK_AND_ASSIGN(const Candidate candidate, ProposeAndRecord(strategy.get(), &context));
    ASSERT_OK_AND_ASSIGN(const v1::Architecture lowered, context.space().Lower(candidate.genotype));
    EXPECT_EQ(lowered.SerializeAsString(), candidate.architecture.SerializeAsString());
    ASSERT_OK_AND_ASSIGN(const std::string hash, CanonicalHash(candidate.architecture));
    EXPECT_EQ(hash, candidate.hash);
    ASSERT_OK_AND_ASSIGN(const GraphCosts costs, AnalyzeGraph(candidate.architecture));
    EXPECT_EQ(costs.parameters, candidate.parameters);
    EXPECT_EQ(costs.macs, candidate.macs);
    context.End(Succeeded(i, candidate));
  }
}

TEST_P(StrategyContractTest, SameSeedAndReportsGiveTheSameProposals) {
  SimpleSearchContext first = Broad();
  SimpleSearchContext second = Broad();
  SimpleSearchContext other = Broad();
  const std::vector<std::string> proposals = RunTrials(Create().get(), &first, 60);
  EXPECT_EQ(proposals, RunTrials(Create().get(), &second, 60));
  if (!GetParam().spec.has_grid()) {
    EXPECT_NE(proposals, RunTrials(Create(kSeed + 1).get(), &other, 60));
  }
}

TEST_P(StrategyContractTest, ARestoredStrategyGoesOnAsIfNothingHadHappened) {
  SimpleSearchContext straight_context = Broad();
  const std::vector<std::string> straight = RunTrials(Create().get(), &straight_context, 60);
  SimpleSearchContext context = Broad();
  std::unique_ptr<Strategy> strategy = Create();
  for (int i = 1; i <= 60; ++i) {
    ASSERT_OK_AND_ASSIGN(const Candidate candidate, ProposeAndRecord(strategy.get(), &context));
    ASSERT_EQ(candidate.hash, straight[i - 1]) << "proposal " << i;
    // Restarted between proposal and report, and again after it.
    strategy = Restarted(*strategy);
    context.End(i % 5 == 0 ? Failed(i) : Succeeded(i, candidate));
    strategy = Restarted(*strategy);
  }
}

// Proposals of a job whose trials pause at a rung and partly go on, with `strategy` as `restarted`
// makes it between any two calls. Workers are two, so ends come late.
std::vector<std::string> RunTrialsWithRungs(
    std::unique_ptr<Strategy> strategy, int objectives, SimpleSearchContext* context,
    const std::function<std::unique_ptr<Strategy>(std::unique_ptr<Strategy>)>& restarted) {
  std::vector<std::string> hashes;
  std::vector<Candidate> candidates;
  const auto result = [&](int64_t trial, double training) {
    Observation observation = Succeeded(trial, candidates[static_cast<size_t>(trial - 1)]);
    observation.objectives.resize(static_cast<size_t>(objectives));
    observation.objectives[0] *= 1 - training;
    return observation;
  };
  for (int64_t trial = 1; trial <= 60; ++trial) {
    absl::StatusOr<Candidate> candidate = ProposeAndRecord(strategy.get(), context);
    EXPECT_OK(candidate);
    if (!candidate.ok()) break;
    hashes.push_back(candidate->hash);
    candidates.push_back(*std::move(candidate));
    strategy = restarted(std::move(strategy));
    if (trial >= 2) context->End(result(trial - 1, 0));
    strategy = restarted(std::move(strategy));
    if (trial % 3 == 0) context->EndAgain(result(trial - 2, 0.3));
    strategy = restarted(std::move(strategy));
  }
  return hashes;
}

TEST_P(StrategyContractTest, ARestoredStrategyGoesOnAlsoWhereTrialsPause) {
  for (const int objectives : {1, 2}) {
    SCOPED_TRACE(objectives);
    if (GetParam().spec.reinforce().targets_size() > 0 && objectives == 1) continue;
    const auto create = [&] {
      v1::JobSpec job = JobSearchingBy(GetParam().spec, objectives);
      job.mutable_strategy()->set_seed(kSeed);
      return CreateStrategy(job).value();
    };
    SimpleSearchContext straight = Broad();
    SimpleSearchContext interrupted = Broad();
    const std::vector<std::string> expected =
        RunTrialsWithRungs(create(), objectives, &straight,
                           [](std::unique_ptr<Strategy> strategy) { return strategy; });
    const std::vector<std::string> found = RunTrialsWithRungs(
        create(), objectives, &interrupted, [&](const std::unique_ptr<Strategy>& strategy) {
          std::unique_ptr<Strategy> fresh = create();
          EXPECT_OK(fresh->Restore(strategy->Save()));
          return fresh;
        });
    EXPECT_EQ(found, expected);
  }
}

TEST_P(StrategyContractTest, FailedTrialsBreakNothing) {
  SimpleSearchContext context = Broad();
  const std::unique_ptr<Strategy> strategy = Create();
  for (int i = 1; i <= 60; ++i) {
    ASSERT_OK_AND_ASSIGN(const Candidate candidate, ProposeAndRecord(strategy.get(), &context));
    context.End(Failed(i));
  }
}

TEST_P(StrategyContractTest, InfeasibleTrialsBreakNothing) {
  SimpleSearchContext context = Broad();
  const std::unique_ptr<Strategy> strategy = Create();
  for (int i = 1; i <= 60; ++i) {
    ASSERT_OK_AND_ASSIGN(const Candidate candidate, ProposeAndRecord(strategy.get(), &context));
    Observation observation = Succeeded(i, candidate);
    observation.violation = 1.0 / i;
    context.End(observation);
  }
}

TEST_P(StrategyContractTest, ExtremeValuesBreakNothing) {
  constexpr double kMost = std::numeric_limits<double>::max();
  SimpleSearchContext context = Broad();
  std::unique_ptr<Strategy> strategy = Create();
  for (int i = 1; i <= 60; ++i) {
    ASSERT_OK_AND_ASSIGN(const Candidate candidate, ProposeAndRecord(strategy.get(), &context));
    Observation observation = Succeeded(i, candidate);
    switch (i % 6) {
      case 0:
        observation.objectives[0] = kMost;
        break;
      case 1:
        observation.objectives[1] = -kMost;
        break;
      case 2:
        observation.violation = kMost;
        break;
      case 3:
        observation.objectives = {0, 0};
        break;
      default:
        break;
    }
    context.End(observation);
  }
}

TEST_P(StrategyContractTest, EqualValuesBreakNothing) {
  SimpleSearchContext context = Broad();
  const std::unique_ptr<Strategy> strategy = Create();
  for (int i = 1; i <= 60; ++i) {
    ASSERT_OK_AND_ASSIGN(const Candidate candidate, ProposeAndRecord(strategy.get(), &context));
    Observation observation = Succeeded(i, candidate);
    observation.objectives = {1, 1};
    context.End(observation);
  }
}

TEST_P(StrategyContractTest, OneObjectiveOrManyAreFine) {
  for (const int objectives : {1, 3, 6}) {
    if (GetParam().spec.reinforce().targets_size() > 0 && objectives == 1) continue;
    v1::JobSpec job = JobSearchingBy(GetParam().spec, std::min(objectives, 4));
    for (int i = job.objectives_size(); i < objectives; ++i) {
      job.add_objectives()->set_metric(i == 4 ? v1::METRIC_MACS : v1::METRIC_CO2_G);
    }
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Strategy> strategy, CreateStrategy(job));
    SimpleSearchContext context = Broad();
    for (int i = 1; i <= 40; ++i) {
      ASSERT_OK_AND_ASSIGN(const Candidate candidate, ProposeAndRecord(strategy.get(), &context));
      Observation observation = Succeeded(i, candidate);
      observation.objectives.clear();
      for (int m = 0; m < objectives; ++m) {
        observation.objectives.push_back(static_cast<double>(candidate.macs % (1009 + m)));
      }
      context.End(observation);
    }
  }
}

TEST_P(StrategyContractTest, ReportsMayComeLateAndInAnyOrder) {
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  SimpleSearchContext context = Broad();
  const std::unique_ptr<Strategy> strategy = Create();
  std::vector<Observation> running;
  for (int i = 1; i <= 120; ++i) {
    ASSERT_OK_AND_ASSIGN(const Candidate candidate, ProposeAndRecord(strategy.get(), &context));
    running.push_back(Succeeded(i, candidate));
    if (running.size() < 16) continue;
    const size_t pick = rng.Uniform(running.size());
    context.End(running[pick]);
    running.erase(running.begin() + pick);
  }
  for (const Observation& observation : running) context.End(observation);
  EXPECT_OK(ProposeAndRecord(strategy.get(), &context));
}

TEST_P(StrategyContractTest, TwentyFourWorkersGetEachOfTwentyFivePointsOnce) {
  SimpleSearchContext context = FiveByFive();
  const std::unique_ptr<Strategy> strategy = Create();
  std::deque<Observation> running;
  int proposed = 0;
  while (true) {
    absl::StatusOr<Candidate> candidate = ProposeAndRecord(strategy.get(), &context);
    if (!candidate.ok()) {
      EXPECT_TRUE(IsExhausted(candidate.status())) << candidate.status();
      break;
    }
    running.push_back(Succeeded(++proposed, *candidate));
    if (running.size() < 24) continue;
    context.End(running.front());
    running.pop_front();
  }
  EXPECT_EQ(proposed, 25);
}

TEST_P(StrategyContractTest, EverythingIsProposedBeforeTheSpaceIsExhausted) {
  // Many genotypes of this space have one network, and strides rule some out.
  v1::SearchSpace spec;
  spec.mutable_staged()->add_stem_widths(2);
  for (int number = 1; number <= 2; ++number) {
    v1::StageChoices* stage = spec.mutable_staged()->add_stages();
    for (v1::Block block : {v1::BLOCK_CONVOLUTION, v1::BLOCK_SKIP, v1::BLOCK_MAX_POOL}) {
      stage->add_blocks(block);
    }
    for (int kernel : {1, 3}) stage->add_kernels(kernel);
    stage->add_widths(2);
    for (int depth : {1, 2}) stage->add_depths(depth);
    for (int stride : {1, 3}) stage->add_strides(stride);
    stage->add_connections(0);
  }
  SimpleSearchContext context(spec, MakeShape(1, 3, 3), 2);
  const int64_t distinct = context.CountAdmissible();
  ASSERT_GT(distinct, 50);
  ASSERT_LT(distinct, 300);
  std::unique_ptr<Strategy> strategy = Create();
  EXPECT_EQ(RunTrials(strategy.get(), &context, distinct).size(), static_cast<size_t>(distinct));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(IsExhausted(ProposeAndRecord(strategy.get(), &context).status()));
    strategy = Restarted(*strategy);
  }
}

TEST_P(StrategyContractTest, ConstraintsNobodyCanMeetExhaustTheSpace) {
  v1::JobSpec job;
  v1::Constraint* constraint = job.add_constraints();
  constraint->set_metric(v1::METRIC_PARAMETERS);
  constraint->set_comparison(v1::COMPARISON_AT_MOST);
  constraint->set_bound(1);
  SimpleSearchContext context(FiveByFiveSpace(), MakeShape(1, 12, 12), 10, job);
  const std::unique_ptr<Strategy> strategy = Create();
  EXPECT_TRUE(IsExhausted(ProposeAndRecord(strategy.get(), &context).status()));
}

// The 25 points get 10 more, all widths of two more kernels.
v1::SearchSpace FiveBySevenSpace() {
  v1::SearchSpace spec = FiveByFiveSpace();
  for (const int kernel : {11, 13}) spec.mutable_staged()->mutable_stages(0)->add_kernels(kernel);
  return spec;
}

TEST_P(StrategyContractTest, AnExtendedSpaceIsProposedWholeAndNothingTwice) {
  // In the middle, just before the end, and after it was found to be exhausted.
  for (const int before : {0, 12, 25, 26}) {
    SimpleSearchContext context = FiveByFive();
    std::unique_ptr<Strategy> strategy = Create();
    RunTrials(strategy.get(), &context, std::min(before, 25));
    if (before > 25) {
      EXPECT_TRUE(IsExhausted(ProposeAndRecord(strategy.get(), &context).status()));
    }
    context.Extend(FiveBySevenSpace());
    strategy->SpaceExtended();
    int proposed = std::min(before, 25);
    std::set<int> kernels;
    while (true) {
      // Saved and restored at every step: the extension must be part of the state.
      strategy = Restarted(*strategy);
      absl::StatusOr<Candidate> candidate = ProposeAndRecord(strategy.get(), &context);
      if (!candidate.ok()) {
        EXPECT_TRUE(IsExhausted(candidate.status())) << candidate.status();
        break;
      }
      kernels.insert(candidate->genotype.options(2));
      context.End(Succeeded(++proposed, *candidate));
    }
    EXPECT_EQ(proposed, 35) << "extended after " << before;
    EXPECT_THAT(kernels, ::testing::IsSupersetOf({5, 6}));
  }
}

TEST_P(StrategyContractTest, AfterAnExtensionARestartChangesNothing) {
  std::vector<std::vector<std::string>> runs;
  for (const bool restored : {false, true}) {
    SimpleSearchContext context = FiveByFive();
    std::unique_ptr<Strategy> strategy = Create();
    RunTrials(strategy.get(), &context, 18);
    strategy->SpaceExtended();
    context.Extend(FiveBySevenSpace());
    if (restored) strategy = Restarted(*strategy);
    runs.push_back(RunTrials(strategy.get(), &context, 17));
  }
  EXPECT_EQ(runs[0].size(), 17u);
  EXPECT_EQ(runs[0], runs[1]);
}

TEST_P(StrategyContractTest, ACallEndsHoweverLargeTheSpace) {
  v1::JobSpec job;
  v1::Constraint* constraint = job.add_constraints();
  constraint->set_metric(v1::METRIC_MACS);
  constraint->set_comparison(v1::COMPARISON_AT_MOST);
  constraint->set_bound(0);
  SimpleSearchContext context(BroadSpace(), MakeShape(1, 28, 28), 10, job);
  std::unique_ptr<Strategy> strategy = Create();
  std::string cursor;
  for (int call = 1; call <= 3; ++call) {
    EXPECT_THAT(strategy->Propose(context),
                StatusIs(absl::StatusCode::kUnavailable, ::testing::HasSubstr("going on")));
    EXPECT_LE(context.tries(), 3000 + (call - 1) * 2000);
    const v1::StrategyState state = strategy->Save();
    EXPECT_NE(state.SerializeAsString(), cursor);
    cursor = state.SerializeAsString();
    strategy = Restarted(*strategy);
  }
}

TEST_P(StrategyContractTest, StateStaysSmall) {
  SimpleSearchContext context = Broad();
  const std::unique_ptr<Strategy> strategy = Create();
  RunTrials(strategy.get(), &context, 100);
  EXPECT_LT(strategy->Save().ByteSizeLong(), 256u);
}

TEST_P(StrategyContractTest, StatesThatCannotBeAreRefused) {
  const v1::StrategyState good = Create()->Save();
  v1::StrategyState both = good;
  v1::StrategyState* inner = both.arms().empty() ? &both : both.mutable_arms(0);
  inner->mutable_cursor()->add_options(0);
  inner->set_cursor_ended(true);
  EXPECT_THAT(Create()->Restore(both), StatusIs(absl::StatusCode::kInvalidArgument, ::testing::_));
}

TEST_P(StrategyContractTest, ProposalsAreNamedAfterTheirStrategyAndParents) {
  SimpleSearchContext context = Broad();
  const std::unique_ptr<Strategy> strategy = Create();
  for (int i = 1; i <= 40; ++i) {
    ASSERT_OK_AND_ASSIGN(const Candidate candidate, ProposeAndRecord(strategy.get(), &context));
    EXPECT_FALSE(candidate.origin.strategy().empty());
    if (!GetParam().spec.has_auto_()) {
      EXPECT_THAT(GetParam().name, ::testing::StartsWith(candidate.origin.strategy()));
    }
    for (const int64_t parent : candidate.origin.parents()) {
      EXPECT_GE(parent, 1);
      EXPECT_LT(parent, i);
    }
    context.End(Succeeded(i, candidate));
  }
}

INSTANTIATE_TEST_SUITE_P(Strategies, StrategyContractTest, ::testing::ValuesIn(AllStrategies()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace frontier::coordinator
