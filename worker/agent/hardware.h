// What the machine is: processor, what it can do, and how much of it this process may use.
#ifndef FRONTIER_WORKER_AGENT_HARDWARE_H_
#define FRONTIER_WORKER_AGENT_HARDWARE_H_

#include <string>

#include "absl/status/statusor.h"
#include "frontier/v1/measurement.pb.h"

namespace frontier::worker {

// Where to look; other places than the machine's own are for tests and containers.
struct HardwarePaths {
  std::string proc_root = "/proc";
  std::string sysfs_root = "/sys";
  std::string os_release = "/etc/os-release";
};

// All of Hardware but `engine`. Cores are those in the affinity mask, at most the CPU quota of the
// control groups (whole cores, at least 1); memory is the machine's, at most their memory limit.
// Both versions of control groups are read, ancestors included. NOT_FOUND or DATA_LOSS names the
// file if the processor or the memory cannot be read; what is merely unknown says so in its field.
absl::StatusOr<v1::Hardware> DetectHardware(const HardwarePaths& paths);

// Cores of the whole machine that are online, at least 1, whatever this process may use.
int OnlineCores(const HardwarePaths& paths);

// Number of CPUs in a kernel list such as "0-3,8,10-11"; 0 if it is none.
int CountCpuList(absl::string_view list);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_HARDWARE_H_
