#include "coordinator/strategy/exploration.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/strategy/random.h"
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

// A context as it is for the proposal of another number.
class NumberedContext final : public SearchContext {
 public:
  NumberedContext(const SearchContext* context, int64_t number)
      : context_(context), number_(number) {}
  int64_t number() const override { return number_; }
  const Space& space() const override { return context_->space(); }
  std::optional<Candidate> Admit(const v1::Genotype& genotype) const override {
    return context_->Admit(genotype);
  }
  absl::Span<const Observation> history() const override { return context_->history(); }
  std::vector<Running> running() const override { return context_->running(); }

 private:
  const SearchContext* const context_;
  const int64_t number_;
};

TEST(ScanTest, FollowsTheEnumeration) {
  SimpleSearchContext context(FiveByFiveSpace(), MakeShape(1, 12, 12), 10);
  Scan scan;
  v1::Genotype expected = context.space().First();
  bool more = true;
  while (more) {
    EXPECT_FALSE(scan.ended());
    ASSERT_OK_AND_ASSIGN(const Candidate candidate, scan.Next(context));
    EXPECT_EQ(candidate.genotype.SerializeAsString(), expected.SerializeAsString());
    more = context.space().Advance(&expected);
  }
  EXPECT_TRUE(scan.ended());
  EXPECT_FALSE(scan.Next(context).ok());
}

TEST(ExploringStrategyTest, FirstDrawsAreUniform) {
  std::map<std::string, int> counts;
  constexpr int kDraws = 5000;
  const SimpleSearchContext context(FiveByFiveSpace(), MakeShape(1, 12, 12), 10);
  for (int seed = 0; seed < kDraws; ++seed) {
    const std::unique_ptr<Strategy> strategy = CreateRandomStrategy(seed);
    ASSERT_OK_AND_ASSIGN(const Candidate candidate, strategy->Propose(context));
    ++counts[candidate.hash];
  }
  ASSERT_EQ(counts.size(), 25u);
  double chi_square = 0;
  for (const auto& [hash, count] : counts) chi_square += (count - 200.0) * (count - 200.0) / 200.0;
  // 24 degrees of freedom: above 51.2 once in a thousand.
  EXPECT_LT(chi_square, 51.2);
}

TEST(ExploringStrategyTest, ProposalsOfOneSeedAreIndependentOfEachOther) {
  SimpleSearchContext context(FiveByFiveSpace(), MakeShape(1, 12, 12), 10);
  const std::unique_ptr<Strategy> strategy = CreateRandomStrategy(31337);
  std::map<std::string, int> pairs;
  std::string last;
  for (int i = 0; i < 3000; ++i) {
    // Recorded nowhere: the context goes on as if all could be proposed again.
    ASSERT_OK_AND_ASSIGN(const Candidate candidate,
                         strategy->Propose(NumberedContext(&context, i + 1)));
    ++pairs[last + candidate.hash];
    last = candidate.hash;
  }
  EXPECT_GT(pairs.size(), 600u);  // of 625
}

TEST(ExploringStrategyTest, NothingIsDrawnOnceTheScanHasEnded) {
  SimpleSearchContext context(FiveByFiveSpace(), MakeShape(1, 12, 12), 10);
  const std::unique_ptr<Strategy> strategy = CreateRandomStrategy(1);
  for (int i = 0; i < 25; ++i) {
    ASSERT_OK_AND_ASSIGN(const Candidate candidate, strategy->Propose(context));
    context.Record(candidate);
  }
  EXPECT_FALSE(strategy->Propose(context).ok());
  const int64_t tries = context.tries();
  EXPECT_FALSE(strategy->Propose(context).ok());
  EXPECT_EQ(context.tries(), tries);
}

}  // namespace
}  // namespace frontier::coordinator
