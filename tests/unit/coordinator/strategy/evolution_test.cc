#include "coordinator/strategy/evolution.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
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

// A population with objectives and violations; then asks which of its members the proposals descend
// from.
class Fixture {
 public:
  explicit Fixture(std::unique_ptr<Strategy> strategy) : strategy_(std::move(strategy)) {}

  void Add(std::vector<double> objectives, double violation = 0, bool succeeded = true) {
    Observation observation;
    observation.trial = context_.number();
    std::optional<Candidate> member;
    while (!member.has_value()) member = context_.Admit(context_.space().Sample(&rng_));
    context_.Record(*member);
    observation.objectives = std::move(objectives);
    observation.violation = violation;
    observation.succeeded = succeeded;
    context_.End(std::move(observation));
  }

  // Index of the parent of each of `count` proposals; -1 = none of them.
  std::vector<int> Parents(int count) {
    std::vector<int> parents;
    for (int i = 0; i < count; ++i) {
      const Candidate candidate = strategy_->Propose(context_).value();
      context_.Record(candidate);
      const bool drawn = candidate.origin.parents().empty();
      parents.push_back(drawn ? -1 : static_cast<int>(candidate.origin.parents(0)) - 1);
    }
    return parents;
  }

 private:
  SimpleSearchContext context_ = Context();
  std::unique_ptr<Strategy> strategy_;
  Rng rng_{77};
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

TEST(EvolutionTest, CrossesTwoParentsAsOftenAsAsked) {
  v1::EvolutionStrategy spec;
  spec.set_population_size(3);
  spec.set_crossover_rate(0.5);
  SimpleSearchContext context = Context();
  const std::unique_ptr<Strategy> strategy = CreateEvolutionStrategy(spec, 5).value();
  int of_two = 0;
  for (int i = 1; i <= 203; ++i) {
    ASSERT_OK_AND_ASSIGN(const Candidate candidate, strategy->Propose(context));
    context.Record(candidate);
    of_two += candidate.origin.parents_size() == 2;
    if (i > 3) {
      EXPECT_GE(candidate.origin.parents_size(), 1);
    }
    context.End({.trial = i, .succeeded = true, .objectives = {1.0 / i}});
  }
  EXPECT_NEAR(of_two, 100, 35);
}

}  // namespace
}  // namespace frontier::coordinator
