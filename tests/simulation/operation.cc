#include "tests/simulation/operation.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"

namespace frontier::simulation {
namespace {

struct Share {
  OpKind kind;
  int weight;
  const char* name;
};

constexpr Share kShares[] = {
    {OpKind::kWorkerStep, 60, "kWorkerStep"},
    {OpKind::kHeartbeat, 12, "kHeartbeat"},
    {OpKind::kDeliver, 70, "kDeliver"},
    {OpKind::kCommit, 36, "kCommit"},
    {OpKind::kAdvance, 10, "kAdvance"},
    {OpKind::kClient, 3, "kClient"},
    {OpKind::kDrop, 5, "kDrop"},
    {OpKind::kDuplicate, 5, "kDuplicate"},
    {OpKind::kCut, 2, "kCut"},
    {OpKind::kHeal, 3, "kHeal"},
    {OpKind::kClockJump, 1, "kClockJump"},
    {OpKind::kFailSync, 2, "kFailSync"},
    {OpKind::kFailWrite, 2, "kFailWrite"},
    {OpKind::kDiskFull, 1, "kDiskFull"},
    {OpKind::kDiskFree, 3, "kDiskFree"},
    {OpKind::kKillCoordinator, 2, "kKillCoordinator"},
    {OpKind::kPowerCut, 2, "kPowerCut"},
    {OpKind::kKillWorker, 3, "kKillWorker"},
    {OpKind::kLie, 6, "kLie"},
    {OpKind::kLeave, 2, "kLeave"},
};

int TotalWeight() {
  int total = 0;
  for (const Share& share : kShares) total += share.weight;
  return total;
}

OpKind Draw(Rng* rng) {
  int left = static_cast<int>(rng->Uniform(static_cast<uint64_t>(TotalWeight())));
  for (const Share& share : kShares) {
    if (left < share.weight) return share.kind;
    left -= share.weight;
  }
  return OpKind::kDeliver;
}

const char* NameOf(OpKind kind) {
  for (const Share& share : kShares) {
    if (share.kind == kind) return share.name;
  }
  return "?";
}

}  // namespace

Schedule MakeSchedule(uint64_t seed, int length) {
  Rng rng(seed);
  Schedule schedule;
  schedule.reserve(static_cast<size_t>(length));
  for (int i = 0; i < length; ++i) {
    Operation operation{Draw(&rng)};
    operation.a = static_cast<uint32_t>(rng.Uniform(1U << 20U));
    operation.b = static_cast<uint32_t>(rng.Uniform(1U << 20U));
    schedule.push_back(operation);
  }
  return schedule;
}

std::string ToText(const Schedule& schedule) {
  std::string text = "const Schedule schedule = {\n";
  for (const Operation& operation : schedule) {
    absl::StrAppend(&text, "    {OpKind::", NameOf(operation.kind), ", ", operation.a, ", ",
                    operation.b, "},\n");
  }
  return text + "};\n";
}

Schedule Shrink(Schedule schedule, const std::function<bool(const Schedule&)>& fails) {
  // Halves first, then ever smaller pieces.
  for (size_t piece = std::max<size_t>(1, schedule.size() / 2);; piece = (piece + 1) / 2) {
    bool removed = true;
    while (removed) {
      removed = false;
      for (size_t begin = 0; begin < schedule.size();) {
        Schedule without = schedule;
        const size_t end = std::min(schedule.size(), begin + piece);
        without.erase(without.begin() + static_cast<std::ptrdiff_t>(begin),
                      without.begin() + static_cast<std::ptrdiff_t>(end));
        if (fails(without)) {
          schedule = std::move(without);
          removed = true;
        } else {
          begin = end;
        }
      }
    }
    if (piece == 1) return schedule;
  }
}

}  // namespace frontier::simulation
