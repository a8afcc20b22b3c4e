#include "coordinator/strategy/local_search.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/simple_search_context.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::FiveByFiveSpace;
using ::frontier::testing::MakeShape;
using ::frontier::testing::SimpleSearchContext;

std::unique_ptr<Strategy> Create(int initial_samples) {
  v1::LocalSearchStrategy spec;
  spec.set_initial_samples(initial_samples);
  return CreateLocalSearchStrategy(spec, 11).value();
}

SimpleSearchContext Context() {
  return SimpleSearchContext(FiveByFiveSpace(), MakeShape(1, 12, 12), 10);
}

// Proposes, and ends the trial with the value that its genotype has.
Candidate Step(Strategy* strategy, SimpleSearchContext* context,
               const std::function<double(const v1::Genotype&)>& value) {
  const int64_t trial = context->number();
  Candidate candidate = strategy->Propose(*context).value();
  context->Record(candidate);
  context->End({.trial = trial, .succeeded = true, .objectives = {value(candidate.genotype)}});
  return candidate;
}

double Parameters(const v1::Genotype& genotype) {
  double sum = 0;
  for (const int option : genotype.options()) sum += option;
  return sum;
}

TEST(LocalSearchTest, ClimbsFromTheBestOfItsFirstDraws) {
  SimpleSearchContext context = Context();
  const std::unique_ptr<Strategy> strategy = Create(4);
  int64_t best = 0;
  double least = 1e9;
  for (int i = 1; i <= 4; ++i) {
    const Candidate candidate = Step(strategy.get(), &context, Parameters);
    EXPECT_TRUE(candidate.origin.parents().empty());
    if (Parameters(candidate.genotype) < least) {
      least = Parameters(candidate.genotype);
      best = i;
    }
  }
  for (int i = 5; i <= 12; ++i) {
    const Candidate candidate = Step(strategy.get(), &context, Parameters);
    if (candidate.origin.parents().empty()) break;  // the optimum is known
    EXPECT_EQ(candidate.origin.parents(0), best);
    if (Parameters(candidate.genotype) < least) {
      least = Parameters(candidate.genotype);
      best = i;
    }
  }
  EXPECT_EQ(least, 0);
}

TEST(LocalSearchTest, BeginsAnewAtADrawWhereNoNeighbourIsLeft) {
  SimpleSearchContext context = Context();
  const std::unique_ptr<Strategy> strategy = Create(1);
  // The first trial is better than all: eight neighbours, then a draw.
  int64_t first = 0;
  for (int i = 1; i <= 10; ++i) {
    const Candidate candidate =
        Step(strategy.get(), &context, [&](const v1::Genotype&) { return first == 0 ? 0.0 : 5.0; });
    first = 1;
    EXPECT_EQ(candidate.origin.parents().empty(), i == 1 || i == 10) << i;
  }
  // The climb goes on from there, though what it found is worse.
  const Candidate next = Step(strategy.get(), &context, [](const v1::Genotype&) { return 9.0; });
  ASSERT_EQ(next.origin.parents_size(), 1);
  EXPECT_EQ(next.origin.parents(0), 10);
}

TEST(LocalSearchTest, OfDrawsAtTheSameTimeTheBestIsTheNextStart) {
  SimpleSearchContext context = Context();
  const std::unique_ptr<Strategy> strategy = Create(1);
  double value = 0;
  for (int i = 1; i <= 9; ++i) {
    Step(strategy.get(), &context, [&](const v1::Genotype&) { return value; });
    value = 5;
  }
  for (int i = 10; i <= 12; ++i) {
    const Candidate draw = strategy->Propose(context).value();
    EXPECT_TRUE(draw.origin.parents().empty());
    context.Record(draw);
  }
  context.End({.trial = 11, .succeeded = true, .objectives = {3}});
  context.End({.trial = 10, .succeeded = true, .objectives = {8}});
  context.End({.trial = 12, .succeeded = true, .objectives = {7}});
  ASSERT_OK_AND_ASSIGN(const Candidate next, strategy->Propose(context));
  ASSERT_EQ(next.origin.parents_size(), 1);
  EXPECT_EQ(next.origin.parents(0), 11);
}

// A context in which all may be proposed again.
class RepeatingContext final : public SearchContext {
 public:
  explicit RepeatingContext(const SimpleSearchContext* context)
      : context_(*context), fresh_(Context()) {}
  int64_t number() const override { return context_.number(); }
  const Space& space() const override { return context_.space(); }
  std::optional<Candidate> Admit(const v1::Genotype& genotype) const override {
    return fresh_.Admit(genotype);
  }
  absl::Span<const Observation> history() const override { return context_.history(); }
  std::vector<Running> running() const override { return context_.running(); }

 private:
  const SimpleSearchContext& context_;
  const SimpleSearchContext fresh_;
};

TEST(LocalSearchTest, WhereRepeatsAreAllowedItLeavesAnOptimumToo) {
  SimpleSearchContext context = Context();
  const std::unique_ptr<Strategy> strategy = Create(1);
  int draws = 0;
  for (int i = 1; i <= 12; ++i) {
    const Candidate candidate = strategy->Propose(RepeatingContext(&context)).value();
    draws += candidate.origin.parents().empty();
    context.Record(candidate);
    context.End({.trial = i, .succeeded = true, .objectives = {i == 1 ? 0.0 : 5.0}});
  }
  EXPECT_GE(draws, 2);
}

}  // namespace
}  // namespace frontier::coordinator
