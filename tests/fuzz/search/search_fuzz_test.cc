// Damaged architectures, spaces, genotypes and strategy states: a typed error or a valid answer,
// never a crash. Failures print the seed of their case.
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "coordinator/space/space.h"
#include "coordinator/strategy/strategy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/message_mutator.h"
#include "tests/support/random_architecture.h"
#include "tests/support/simple_search_context.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"
#include "tests/support/strategies.h"

namespace frontier {
namespace {

using ::frontier::testing::AllStrategies;
using ::frontier::testing::BroadSpace;
using ::frontier::testing::FiveByFiveSpace;
using ::frontier::testing::JobSearchingBy;
using ::frontier::testing::MakeShape;
using ::frontier::testing::MutateMessage;
using ::frontier::testing::SimpleSearchContext;
using ::frontier::testing::StrategyCase;

constexpr uint64_t kFirstSeed = 600'000;

template <typename T>
T Mutated(T message, Rng* rng) {
  for (uint64_t i = 1 + rng->Uniform(4); i > 0; --i) MutateMessage(&message, rng);
  return message;
}

TEST(SearchFuzzTest, Architectures) {
  std::cout << "first seed " << kFirstSeed << "\n";
  int valid = 0;
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + 3000; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    const v1::Architecture damaged =
        Mutated(testing::RandomArchitecture(2 + static_cast<int>(rng.Uniform(12)), &rng), &rng);
    const absl::StatusOr<GraphCosts> costs = AnalyzeGraph(damaged);
    const absl::StatusOr<std::string> hash = CanonicalHash(damaged);
    ASSERT_EQ(costs.ok(), hash.ok()) << hash.status();
    if (!costs.ok()) {
      EXPECT_EQ(GetErrorReason(costs.status()), v1::ERROR_REASON_INVALID_FIELD);
      continue;
    }
    ++valid;
    EXPECT_GE(costs->parameters, 0);
    EXPECT_GE(costs->macs, 0);
    EXPECT_GT(costs->activation_bytes, 0);
    EXPECT_EQ(costs->nodes.size(), static_cast<size_t>(damaged.nodes_size()));
  }
  EXPECT_GT(valid, 100);
}

TEST(SearchFuzzTest, SpacesAndGenotypes) {
  std::cout << "first seed " << kFirstSeed << "\n";
  int valid = 0;
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + 1500; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    const v1::Shape shape =
        rng.Uniform(8) == 0 ? Mutated(MakeShape(3, 16, 16), &rng) : MakeShape(3, 16, 16);
    absl::StatusOr<std::unique_ptr<coordinator::Space>> space =
        coordinator::CreateSpace(Mutated(BroadSpace(), &rng), shape, 10);
    if (!space.ok()) {
      EXPECT_EQ(space.status().code(), absl::StatusCode::kInvalidArgument);
      continue;
    }
    ++valid;
    v1::Genotype genotype = (*space)->Sample(&rng);
    for (int i = 0; i < 3; ++i) {
      const absl::StatusOr<v1::Architecture> lowered = (*space)->Lower(genotype);
      if (lowered.ok()) {
        EXPECT_OK(CanonicalHash(*lowered));
      } else {
        EXPECT_EQ(lowered.status().code(), absl::StatusCode::kInvalidArgument);
      }
      EXPECT_FALSE((*space)->Summarize(genotype).empty());
      genotype = Mutated(genotype, &rng);
      (*space)->Mutate(genotype, &rng);
      (*space)->Advance(&genotype);
    }
  }
  EXPECT_GT(valid, 100);
}

TEST(SearchFuzzTest, StrategySpecsAndStates) {
  std::cout << "first seed " << kFirstSeed << "\n";
  const std::vector<StrategyCase>& strategies = AllStrategies();
  int restored = 0;
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + 300; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    const v1::JobSpec job = JobSearchingBy(strategies[rng.Uniform(strategies.size())].spec, 2);
    SimpleSearchContext context(FiveByFiveSpace(), MakeShape(1, 12, 12), 10);
    std::unique_ptr<coordinator::Strategy> strategy = coordinator::CreateStrategy(job).value();
    for (int trial = 1; trial <= 6; ++trial) {
      ASSERT_OK_AND_ASSIGN(const coordinator::Candidate candidate, strategy->Propose(context));
      context.Record(candidate);
      context.End({.trial = trial, .succeeded = true, .objectives = {1.0 * trial, -1.0 * trial}});
    }
    const v1::StrategyState damaged = Mutated(strategy->Save(), &rng);
    const absl::Status status = strategy->Restore(damaged);
    if (!status.ok()) {
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    }
    restored += status.ok();
    // Restored or not, it goes on to the end of the space.
    int more = 0;
    while (more < 30) {
      const absl::StatusOr<coordinator::Candidate> candidate = strategy->Propose(context);
      if (!candidate.ok()) {
        EXPECT_EQ(GetErrorReason(candidate.status()), v1::ERROR_REASON_SPACE_EXHAUSTED);
        break;
      }
      EXPECT_TRUE(context.Record(*candidate));
      ++more;
    }
    EXPECT_LE(more, 19);

    v1::JobSpec damaged_job = job;
    *damaged_job.mutable_strategy() = Mutated(job.strategy(), &rng);
    const absl::StatusOr<std::unique_ptr<coordinator::Strategy>> other =
        coordinator::CreateStrategy(damaged_job);
    if (!other.ok()) {
      EXPECT_EQ(GetErrorReason(other.status()), v1::ERROR_REASON_INVALID_FIELD);
    }
  }
  EXPECT_GT(restored, 30);
}

}  // namespace
}  // namespace frontier
