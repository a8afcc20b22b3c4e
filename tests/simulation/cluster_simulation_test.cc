// Schedules of operations and faults, each from a seed. FRONTIER_SIMULATED_SCHEDULES runs more than
// the short form, FRONTIER_SIMULATION_SEED begins at another seed.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/simulation/cluster.h"
#include "tests/simulation/operation.h"

namespace frontier::simulation {
namespace {

constexpr int kOperations = 300;
constexpr int kSchedules = 500;
constexpr size_t kLeastKindsOfFaults = 5;

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  int64_t value = 0;
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

// What a reader needs to see it happen again.
std::string Describe(uint64_t seed, const Schedule& schedule, const std::string& violation) {
  // The operation at which it shows may change while others are left out.
  const Schedule shrunk =
      Shrink(schedule, [seed](const Schedule& part) { return !Play(seed, part, nullptr).empty(); });
  return absl::StrCat("seed ", seed, ": ", violation, "\nshrunk to ", shrunk.size(),
                      " operations, which give: ", Play(seed, shrunk, nullptr), "\nTEST(...) {\n",
                      ToText(shrunk), "EXPECT_EQ(Play(", seed, ", schedule, nullptr), \"\");\n}\n");
}

TEST(Simulation, NoScheduleBreaksAnInvariant) {
  const auto first = static_cast<uint64_t>(FromEnvironment("FRONTIER_SIMULATION_SEED", 1));
  const auto count =
      static_cast<uint64_t>(FromEnvironment("FRONTIER_SIMULATED_SCHEDULES", kSchedules));
  std::map<std::string, int64_t> all;
  size_t fewest = 100;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const Schedule schedule = MakeSchedule(seed, kOperations);
    std::map<std::string, int> faults;
    const std::string violation = Play(seed, schedule, &faults);
    if (!violation.empty()) {
      FAIL() << Describe(seed, schedule, violation);
    }
    fewest = std::min(fewest, faults.size());
    for (const auto& [kind, times] : faults) all[kind] += times;
  }
  EXPECT_GE(fewest, kLeastKindsOfFaults);
  std::cout << count << " schedules of " << kOperations << " operations from seed " << first
            << ", at least " << fewest << " kinds of faults in each; in all";
  for (const auto& [kind, times] : all) std::cout << ", " << kind << ": " << times;
  std::cout << "\n";
}

// A commit whose sync failed stood in the log, and came back with the next start: what was written
// to see whether the disk works again was there already, so nothing was written over it.
TEST(Simulation, WhatWasLostDoesNotComeBack) {
  const Schedule schedule = {
      {OpKind::kWorkerStep, 758099, 1424}, {OpKind::kDeliver, 654543, 530911},
      {OpKind::kCommit, 693613, 303475},   {OpKind::kDeliver, 491586, 657180},
      {OpKind::kFailSync, 582866, 137879}, {OpKind::kWorkerStep, 756931, 742260},
      {OpKind::kDeliver, 91204, 1042054},  {OpKind::kCommit, 556861, 416728},
      {OpKind::kAdvance, 112719, 24899},   {OpKind::kKillCoordinator, 213030, 697734},
  };
  EXPECT_EQ(Play(14, schedule, nullptr), "");
}

TEST(Simulation, TheSameScheduleHasTheSameHistory) {
  std::map<std::string, int> faults[2];
  std::string histories[2];
  const Schedule schedule = MakeSchedule(7, kOperations);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Play(7, schedule, &faults[i], &histories[i]), "");
  EXPECT_EQ(faults[0], faults[1]);
  EXPECT_GT(histories[0].size(), 1000u);
  EXPECT_TRUE(histories[0] == histories[1]);
}

TEST(Simulation, ShrinkingKeepsWhatFails) {
  const Schedule schedule = MakeSchedule(3, 200);
  const auto cuts = [](const Schedule& part) {
    int count = 0;
    for (const Operation& operation : part) count += operation.kind == OpKind::kDeliver;
    return count >= 3;
  };
  ASSERT_TRUE(cuts(schedule));
  const Schedule shrunk = Shrink(schedule, cuts);
  EXPECT_EQ(shrunk.size(), 3u);
  EXPECT_TRUE(cuts(shrunk));
  EXPECT_THAT(ToText(shrunk), ::testing::HasSubstr("{OpKind::kDeliver, "));
}

}  // namespace
}  // namespace frontier::simulation
