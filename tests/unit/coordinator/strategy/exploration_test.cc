#include "coordinator/strategy/exploration.h"

#include <cstdint>
#include <iostream>
#include <map>
#include <string>

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

TEST(DrawNewTest, FirstDrawsAreUniform) {
  constexpr uint64_t kSeed = 31337;
  std::cout << "seed " << kSeed << "\n";
  const SimpleSearchContext context(FiveByFiveSpace(), MakeShape(1, 12, 12), 10);
  Rng rng(kSeed);
  Scan scan;
  std::map<std::string, int> counts;
  constexpr int kDraws = 5000;
  for (int i = 0; i < kDraws; ++i) {
    ASSERT_OK_AND_ASSIGN(const Candidate candidate, DrawNew(context, &rng, &scan));
    ++counts[candidate.hash];
  }
  ASSERT_EQ(counts.size(), 25u);
  double chi_square = 0;
  for (const auto& [hash, count] : counts) chi_square += (count - 200.0) * (count - 200.0) / 200.0;
  // 24 degrees of freedom: above 51.2 once in a thousand.
  EXPECT_LT(chi_square, 51.2);
}

TEST(DrawNewTest, NothingIsDrawnOnceTheScanHasEnded) {
  SimpleSearchContext context(FiveByFiveSpace(), MakeShape(1, 12, 12), 10);
  Rng rng(1);
  Scan scan;
  while (!scan.ended()) ASSERT_OK(scan.Next(context));
  const Rng::State before = rng.state();
  EXPECT_FALSE(DrawNew(context, &rng, &scan).ok());
  EXPECT_EQ(rng.state(), before);
}

}  // namespace
}  // namespace frontier::coordinator
