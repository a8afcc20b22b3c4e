#include "worker/engine/arena.h"

#include <vector>

#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier::worker {
namespace {

using Step = ArenaPlanner::Step;

TEST(ArenaPlannerTest, BuffersShareBytesOnceDead) {
  ArenaPlanner planner;
  const int a = planner.AddBuffer(100), b = planner.AddBuffer(100), c = planner.AddBuffer(100);
  planner.AddStep({{}, {a}, false});
  planner.AddStep({{a}, {b}, false});
  planner.AddStep({{b}, {c}, false});
  const ArenaPlanner::Layout layout = planner.Plan();
  EXPECT_EQ(layout.bytes, 256);  // two at a time, rounded up to whole lines
  EXPECT_EQ(layout.offsets[0], layout.offsets[2]);
  EXPECT_NE(layout.offsets[0], layout.offsets[1]);
}

TEST(ArenaPlannerTest, InPlaceOnlyIfTheInputIsNotNeededLater) {
  for (const bool needed : {false, true}) {
    ArenaPlanner planner;
    const int a = planner.AddBuffer(64), b = planner.AddBuffer(64);
    planner.AddStep({{}, {a}, false});
    planner.AddStep({{a}, {b}, true});
    planner.AddStep({needed ? std::vector<int>{a, b} : std::vector<int>{b}, {}, false});
    const ArenaPlanner::Layout layout = planner.Plan();
    EXPECT_EQ(layout.offsets[0] == layout.offsets[1], !needed);
  }
}

TEST(ArenaPlannerTest, InPlaceNeedsTheRoom) {
  ArenaPlanner planner;
  const int a = planner.AddBuffer(64), b = planner.AddBuffer(128);
  planner.AddStep({{}, {a}, false});
  planner.AddStep({{a}, {b}, true});
  EXPECT_EQ(planner.Plan().bytes, 192);
}

TEST(ArenaPlannerTest, UnusedBuffersTakeNothing) {
  ArenaPlanner planner;
  planner.AddBuffer(1000);
  const ArenaPlanner::Layout layout = planner.Plan();
  EXPECT_EQ(layout.bytes, 0);
  EXPECT_EQ(layout.offsets[0], -1);
}

// Runs random programs over a planned arena: what a step wrote must be there until it is read.
TEST(ArenaPlannerTest, RandomProgramsKeepTheirValues) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    Rng rng(seed);
    ArenaPlanner planner;
    std::vector<Step> steps;
    std::vector<int> sizes;
    for (int s = 0; s < 30; ++s) {
      Step step;
      for (uint64_t n = rng.Uniform(3); n > 0 && !sizes.empty(); --n) {
        step.reads.push_back(static_cast<int>(rng.Uniform(sizes.size())));
      }
      const int lines = 1 + static_cast<int>(rng.Uniform(4));
      step.writes.push_back(planner.AddBuffer(lines * kAlignment));
      sizes.push_back(lines);
      step.in_place = !step.reads.empty() && rng.Uniform(2) == 0;
      steps.push_back(step);
      planner.AddStep(step);
    }
    const ArenaPlanner::Layout layout = planner.Plan();
    std::vector<int> owner(static_cast<size_t>(layout.bytes / kAlignment), -1);  // of each line
    for (const Step& step : steps) {
      for (const int r : step.reads) {
        for (int l = 0; l < sizes[static_cast<size_t>(r)]; ++l) {
          ASSERT_EQ(
              owner[static_cast<size_t>(layout.offsets[static_cast<size_t>(r)] / kAlignment + l)],
              r);
        }
      }
      for (const int w : step.writes) {
        for (int l = 0; l < sizes[static_cast<size_t>(w)]; ++l) {
          owner[static_cast<size_t>(layout.offsets[static_cast<size_t>(w)] / kAlignment + l)] = w;
        }
      }
    }
  }
}

TEST(AlignedBufferTest, IsZeroedAlignedAndRefusesTheImpossible) {
  ASSERT_OK_AND_ASSIGN(const AlignedBuffer buffer, AlignedBuffer::Create(100, "tests"));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % kAlignment, 0u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(buffer.data()[i], std::byte{0});
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_THAT(AlignedBuffer::Create(int64_t{1} << 60, "tests"),
              frontier::testing::StatusIs(absl::StatusCode::kResourceExhausted,
                                          "no memory for 1152921504606846976 bytes of tests"));
#endif
}

}  // namespace
}  // namespace frontier::worker
