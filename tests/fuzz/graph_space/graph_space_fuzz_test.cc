// Damaged spaces of nodes and hyperparameters: a typed error, or a space that keeps its laws.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "common/architecture/graph.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "coordinator/space/space.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/support/message_mutator.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

constexpr int kCases = 800;

// Few genotypes, so that making one takes little time.
constexpr char kSpace[] = R"(
  graph {
    choices { name: "width" options: "4" options: "8" }
    choices { name: "op" options: "convolution" options: "max_pool" options: "identity" }
    choices { name: "kernel" options: "3" options: "5"
              only_if { choice: "op" options: "convolution" options: "max_pool" } }
    choices { name: "depth" options: "0" options: "2" }
    choices { name: "joined" options: "none" options: "stem" }
    constraints { never { choice: "op" options: "identity" } never { choice: "depth" options: "2" } }
    nodes { name: "stem" op: "convolution" channels: "$width" kernel: "3" then: "relu" }
    nodes { name: "body" op: "$op" kernel: "$kernel" padding: "1" stride: "2" then: "batch_norm" }
    nodes { name: "deep" op: "convolution" kernel: "3x1" padding: "1x0" groups: "depthwise"
            repeat: "$depth" bias: "true" }
    nodes { name: "extra" op: "dropout" rate: "0.5" only_if { choice: "width" options: "8" } }
    nodes { name: "join" op: "concat" inputs: "extra" inputs: "deep" inputs: "$joined" }
    nodes { name: "pool" op: "global_average_pool" }
    nodes { name: "head" op: "linear" features: "10" bias: "false" }
  }
  hyperparameters { name: "learning_rate" log { low: 0.01 high: 0.1 steps: 3 } }
  hyperparameters { name: "optimizer" categorical { values: "sgd" values: "adamw" } }
  hyperparameters { name: "beta2" linear { low: 0.9 high: 0.99 steps: 2 }
                    only_if { choice: "optimizer" options: "adamw" } }
  hyperparameters { name: "batch_size" integer { low: 8 high: 16 step: 8 } })";

void CheckLaws(const Space& space, Rng* rng) {
  v1::Genotype genotype = space.Sample(rng);
  for (int i = 0; i < 4; ++i) {
    const absl::StatusOr<v1::Architecture> lowered = space.Lower(genotype);
    if (lowered.ok()) {
      EXPECT_OK(AnalyzeGraph(*lowered));
    } else {
      EXPECT_EQ(lowered.status().code(), absl::StatusCode::kInvalidArgument);
    }
    EXPECT_FALSE(space.Summarize(genotype).empty());
    EXPECT_OK(space.Recipe(genotype, {}));
    const v1::Genotype other = space.Mutate(genotype, rng);
    const v1::Genotype mixed = space.Cross(genotype, other, rng);
    EXPECT_EQ(space.Features(mixed).size(), space.Features(genotype).size());
    // Of another space, more often than not.
    v1::Genotype damaged = genotype;
    testing::MutateMessage(&damaged, rng);
    (void)space.Lower(damaged);
    (void)space.Recipe(damaged, {});
    space.Neighbours(damaged);
    space.Advance(&damaged);
    EXPECT_OK(space.Recipe(space.Mutate(damaged, rng), {}));
    if (!space.Advance(&genotype)) genotype = other;
  }
}

TEST(GraphSpaceFuzzTest, DamagedSpaces) {
  uint64_t first = 700'000;
  if (const char* given = std::getenv("FRONTIER_FUZZ_SEED")) {
    ASSERT_TRUE(absl::SimpleAtoi(given, &first)) << given;
  }
  std::cout << "first seed " << first << " (FRONTIER_FUZZ_SEED)\n";
  v1::SearchSpace whole;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(kSpace, &whole));
  int valid = 0;
  for (uint64_t seed = first; seed < first + kCases; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    v1::SearchSpace spec = whole;
    for (uint64_t i = rng.Uniform(4); i > 0; --i) testing::MutateMessage(&spec, &rng);
    const absl::StatusOr<std::unique_ptr<Space>> space =
        CreateSpace(spec, testing::MakeShape(3, 12, 12), 10);
    if (!space.ok()) {
      EXPECT_EQ(space.status().code(), absl::StatusCode::kInvalidArgument) << space.status();
      EXPECT_EQ(GetErrorReason(space.status()), v1::ERROR_REASON_INVALID_FIELD) << space.status();
      continue;
    }
    ++valid;
    CheckLaws(**space, &rng);
  }
  EXPECT_GT(valid, kCases / 10);
}

}  // namespace
}  // namespace frontier::coordinator
