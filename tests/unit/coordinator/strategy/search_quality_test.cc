// That each strategy learns, on problems whose answer is known.
#include <algorithm>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "common/pareto/hypervolume.h"
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
using ::frontier::testing::JobSearchingBy;
using ::frontier::testing::MakeShape;
using ::frontier::testing::SimpleSearchContext;
using ::frontier::testing::StrategyCase;

constexpr int kTrials = 120;
constexpr int kSeeds = 5;

// Options that differ between two genotypes.
int Distance(const v1::Genotype& a, const v1::Genotype& b) {
  int distance = 0;
  for (int i = 0; i < a.options_size(); ++i) distance += a.options(i) != b.options(i);
  return distance;
}

// Distances from as many hidden genotypes as the job has objectives.
std::vector<Observation> Search(const v1::JobSpec& job, int seed, double violation_within = -1) {
  SimpleSearchContext context(BroadSpace(), MakeShape(1, 28, 28), 10);
  Rng rng(1000 + seed);
  std::vector<v1::Genotype> hidden;
  for (const auto& objective : job.objectives()) {
    static_cast<void>(objective);
    hidden.push_back(context.space().Sample(&rng));
  }
  v1::JobSpec seeded = job;
  seeded.mutable_strategy()->set_seed(seed);
  const std::unique_ptr<Strategy> strategy = CreateStrategy(seeded).value();
  for (int trial = 1; trial <= kTrials; ++trial) {
    const Candidate candidate = strategy->Propose(context).value();
    context.Record(candidate);
    Observation observation{.trial = trial, .succeeded = true};
    for (const v1::Genotype& goal : hidden) {
      observation.objectives.push_back(Distance(candidate.genotype, goal));
    }
    observation.violation = std::max(0.0, violation_within - observation.objectives[0]);
    context.End(observation);
  }
  return {context.history().begin(), context.history().end()};
}

double MeanBest(const v1::StrategySpec& spec) {
  double sum = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    double best = 1e9;
    for (const Observation& trial : Search(JobSearchingBy(spec, 1), seed)) {
      best = std::min(best, trial.objectives[0]);
    }
    sum += best;
  }
  return sum / kSeeds;
}

double MeanHypervolume(const v1::StrategySpec& spec) {
  double sum = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    std::vector<std::vector<double>> points;
    for (const Observation& trial : Search(JobSearchingBy(spec, 2), seed)) {
      points.push_back(trial.objectives);
    }
    sum += *Hypervolume(points, std::vector<double>{30, 30});
  }
  return sum / kSeeds;
}

v1::StrategySpec RandomSearch() {
  v1::StrategySpec spec;
  spec.mutable_random();
  return spec;
}

class SearchQualityTest : public ::testing::TestWithParam<StrategyCase> {
 protected:
  bool Learns() const {
    return !GetParam().spec.has_grid() && !GetParam().spec.has_random() &&
           GetParam().name != "evolution_small";  // which walks at random
  }
};

TEST_P(SearchQualityTest, OneObjective) {
  if (!Learns() || GetParam().spec.reinforce().targets_size() > 0) return;
  const double by_random = MeanBest(RandomSearch());
  const double by_strategy = MeanBest(GetParam().spec);
  std::cout << "mean distance: random " << by_random << ", " << GetParam().name << " "
            << by_strategy << "\n";
  EXPECT_LT(by_strategy, by_random - 1);
}

TEST_P(SearchQualityTest, TwoObjectives) {
  if (!Learns()) return;
  const double by_random = MeanHypervolume(RandomSearch());
  const double by_strategy = MeanHypervolume(GetParam().spec);
  std::cout << "mean hypervolume: random " << by_random << ", " << GetParam().name << " "
            << by_strategy << "\n";
  EXPECT_GT(by_strategy, by_random);
}

// The nearest may not be used: what is feasible must be found all the same.
TEST_P(SearchQualityTest, UnderAConstraint) {
  if (!Learns() || GetParam().spec.reinforce().targets_size() > 0) return;
  constexpr double kWithin = 12;
  int feasible = 0;
  for (const Observation& trial : Search(JobSearchingBy(GetParam().spec, 1), 1, kWithin)) {
    feasible += trial.violation == 0;
  }
  std::cout << feasible << " of " << kTrials << " feasible\n";
  // All that improves on the best feasible one is beyond the constraint, so some always is tried.
  EXPECT_GT(feasible, kTrials / 4);
}

INSTANTIATE_TEST_SUITE_P(Strategies, SearchQualityTest, ::testing::ValuesIn(AllStrategies()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace frontier::coordinator
