// What happens to a simulated cluster, one thing at a time. A schedule of operations determines all
// that comes of it.
#ifndef FRONTIER_TESTS_SIMULATION_OPERATION_H_
#define FRONTIER_TESTS_SIMULATION_OPERATION_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace frontier::simulation {

enum class OpKind {
  kWorkerStep,       // worker a does its next thing, by b
  kHeartbeat,        // worker a
  kDeliver,          // message a of those on their way
  kCommit,           // the journal's group
  kAdvance,          // a milliseconds pass; the coordinator's clock work follows
  kClient,           // a user's call, by a
  kDrop,             // message a never arrives
  kDuplicate,        // message a arrives twice
  kCut,              // worker a loses its network
  kHeal,             // and has it again
  kClockJump,        // the wall clock moves by a seconds, back if b is odd
  kFailSync,         // the disk's next sync fails
  kFailWrite,        // its next write does
  kDiskFull,         // no write finds space
  kDiskFree,         // they do again
  kKillCoordinator,  // and start it again
  kPowerCut,         // of the coordinator's machine; b says what is left of what was not synced
  kKillWorker,       // a, and start it again
  kLie,              // worker a says what is not so, by b
  kLeave,            // worker a leaves in good order, and starts again
};

struct Operation {
  OpKind kind;
  uint32_t a = 0;
  uint32_t b = 0;
};

using Schedule = std::vector<Operation>;

// Operations of all kinds, in no order but that of the seed.
Schedule MakeSchedule(uint64_t seed, int length);

// To be pasted into a test.
std::string ToText(const Schedule& schedule);

// A part of `schedule` for which `fails` still holds, none of whose operations can be left out
// alone.
Schedule Shrink(Schedule schedule, const std::function<bool(const Schedule&)>& fails);

}  // namespace frontier::simulation

#endif  // FRONTIER_TESTS_SIMULATION_OPERATION_H_
