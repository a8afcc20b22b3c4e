#include "coordinator/strategy/evolution.h"

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

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
using ::testing::Each;

SimpleSearchContext Context() {
  return SimpleSearchContext(BroadSpace(), MakeShape(1, 28, 28), 10);
}

std::unique_ptr<Strategy> Create(int population, int sample, uint64_t seed = 5) {
  v1::EvolutionStrategy spec;
  spec.set_population_size(population);
  spec.set_sample_size(sample);
  return CreateEvolutionStrategy(spec, seed).value();
}

// Options that differ between two genotypes.
int Distance(const v1::Genotype& a, const v1::Genotype& b) {
  int distance = 0;
  for (int i = 0; i < a.options_size(); ++i) distance += a.options(i) != b.options(i);
  return distance;
}

// A population whose members are far apart, each with its objectives and violation; then asks which
// of them the proposals descend from.
class Fixture {
 public:
  explicit Fixture(std::unique_ptr<Strategy> strategy) : strategy_(std::move(strategy)) {}

  void Add(std::vector<double> objectives, double violation = 0, bool succeeded = true) {
    Observation observation;
    observation.trial = static_cast<int64_t>(genotypes_.size()) + 1;
    do {
      observation.genotype = context_.space().Sample(&rng_);
    } while (!context_.Admit(observation.genotype).has_value() || !Far(observation.genotype));
    observation.objectives = std::move(objectives);
    observation.violation = violation;
    observation.succeeded = succeeded;
    strategy_->Observe(observation);
    genotypes_.push_back(observation.genotype);
  }

  // Index of the parent of each of `count` proposals; -1 = none of them.
  std::vector<int> Parents(int count) {
    std::vector<int> parents;
    for (int i = 0; i < count; ++i) {
      const Candidate candidate = strategy_->Propose(context_).value();
      int parent = -1;
      for (size_t g = 0; g < genotypes_.size(); ++g) {
        if (Distance(candidate.genotype, genotypes_[g]) <= 1) parent = static_cast<int>(g);
      }
      parents.push_back(parent);
    }
    return parents;
  }

 private:
  bool Far(const v1::Genotype& genotype) const {
    return std::all_of(genotypes_.begin(), genotypes_.end(),
                       [&](const v1::Genotype& other) { return Distance(genotype, other) > 6; });
  }

  SimpleSearchContext context_ = Context();
  std::unique_ptr<Strategy> strategy_;
  Rng rng_{77};
  std::vector<v1::Genotype> genotypes_;
};

TEST(EvolutionTest, RandomUntilThePopulationIsFull) {
  Fixture fixture(Create(3, 3));
  fixture.Add({1});
  fixture.Add({2});
  EXPECT_THAT(fixture.Parents(20), Each(-1));
  // A failure does not fill it.
  fixture.Add({}, 0, /*succeeded=*/false);
  EXPECT_THAT(fixture.Parents(20), Each(-1));
  fixture.Add({3});
  EXPECT_THAT(fixture.Parents(20), Each(::testing::Ne(-1)));
}

// How often each member is a parent among `count` proposals.
std::vector<int> Shares(Fixture* fixture, int members, int count) {
  std::vector<int> shares(members, 0);
  for (int parent : fixture->Parents(count)) {
    if (parent >= 0) ++shares[parent];
  }
  return shares;
}

TEST(EvolutionTest, BestOfTheSampleIsTheParent) {
  // Drawn 3 times out of 3: the best is missed with probability 8/27, the worst chosen with 1/27.
  Fixture fixture(Create(3, 3));
  fixture.Add({2});
  fixture.Add({1});
  fixture.Add({3});
  const std::vector<int> shares = Shares(&fixture, 3, 540);
  EXPECT_NEAR(shares[1], 540 * 19 / 27, 50);
  EXPECT_NEAR(shares[0], 540 * 7 / 27, 50);
  EXPECT_NEAR(shares[2], 540 * 1 / 27, 20);
}

TEST(EvolutionTest, FeasibleBeatsGoodAndLessViolationBeatsMore) {
  Fixture fixture(Create(3, 3));
  fixture.Add({1}, 0.5);
  fixture.Add({9}, 0);
  fixture.Add({0}, 0.7);
  const std::vector<int> shares = Shares(&fixture, 3, 540);
  EXPECT_NEAR(shares[1], 540 * 19 / 27, 50);
  EXPECT_NEAR(shares[0], 540 * 7 / 27, 50);
}

TEST(EvolutionTest, NonDominatedBeatsDominated) {
  Fixture fixture(Create(3, 3));
  fixture.Add({1, 5});
  fixture.Add({5, 1});
  fixture.Add({6, 6});
  const std::vector<int> shares = Shares(&fixture, 3, 540);
  EXPECT_NEAR(shares[2], 540 * 1 / 27, 20);
  EXPECT_GT(shares[0], 50);
  EXPECT_GT(shares[1], 50);
}

TEST(EvolutionTest, ATrialToldTwiceCountsOnce) {
  const std::unique_ptr<Strategy> strategy = Create(4, 2);
  const v1::Genotype genotype = Context().space().First();
  for (int64_t trial : {1, 2, 1, 1}) strategy->Observe({trial, genotype, true, {1.0}, 0});
  EXPECT_EQ(strategy->Save().evolution().population_size(), 2);
}

TEST(EvolutionTest, OldestLeaves) {
  Fixture fixture(Create(2, 2));
  fixture.Add({0});
  fixture.Add({1});
  fixture.Add({2});
  // The best is gone.
  const std::vector<int> shares = Shares(&fixture, 3, 80);
  EXPECT_EQ(shares[0], 0);
  EXPECT_GT(shares[1], shares[2]);
}

TEST(EvolutionTest, RestoreRefusesMembersItCannotCompare) {
  const std::unique_ptr<Strategy> strategy = Create(2, 2);
  v1::StrategyState state = strategy->Save();
  for (double value : {1.0, 2.0}) {
    v1::EvolutionMember* member = state.mutable_evolution()->add_population();
    member->set_trial(7);
    member->add_objectives(value);
  }
  EXPECT_OK(Create(2, 2)->Restore(state));
  EXPECT_THAT(Create(1, 1)->Restore(state),
              ::frontier::testing::StatusIs(absl::StatusCode::kInvalidArgument,
                                            ::testing::HasSubstr("population of 2")));
  state.mutable_evolution()->mutable_population(1)->add_objectives(1);
  EXPECT_THAT(Create(2, 2)->Restore(state),
              ::frontier::testing::StatusIs(absl::StatusCode::kInvalidArgument,
                                            ::testing::HasSubstr("trial 7")));
}

// Mean over seeds of the best value after `trials`; the value is how far a genotype is from a
// hidden one.
double MeanBest(const v1::StrategySpec& base, int seeds, int trials) {
  double sum = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    SimpleSearchContext context = Context();
    Rng rng(1000 + seed);
    const v1::Genotype hidden = context.space().Sample(&rng);
    v1::StrategySpec spec = base;
    spec.set_seed(seed);
    const std::unique_ptr<Strategy> strategy = CreateStrategy(spec).value();
    double best = hidden.options_size();
    for (int trial = 1; trial <= trials; ++trial) {
      const Candidate candidate = strategy->Propose(context).value();
      context.Record(candidate);
      const double value = Distance(candidate.genotype, hidden);
      best = std::min(best, value);
      strategy->Observe({trial, candidate.genotype, true, {value}, 0});
    }
    sum += best;
  }
  return sum / seeds;
}

TEST(EvolutionTest, FindsBetterThanRandom) {
  v1::StrategySpec random;
  random.mutable_random();
  v1::StrategySpec evolution;
  evolution.mutable_evolution();
  const double by_random = MeanBest(random, 8, 150);
  const double by_evolution = MeanBest(evolution, 8, 150);
  std::cout << "mean distance: random " << by_random << ", evolution " << by_evolution << "\n";
  EXPECT_LT(by_evolution, by_random - 2);
}

}  // namespace
}  // namespace frontier::coordinator
