// Which CPUs the trials of a worker run on.
#ifndef FRONTIER_WORKER_AGENT_CPU_SETS_H_
#define FRONTIER_WORKER_AGENT_CPU_SETS_H_

#include <string>
#include <vector>

namespace frontier::worker {

// CPUs the calling thread may run on, by number; empty if the system does not say.
std::vector<int> AllowedCpus();

// `cpus` divided into `slots` sets that share none, of sizes that differ by at most one core.
// Hardware threads of one core stay together and cores of one package beside each other, as
// "SYSFS_ROOT/devices/system/cpu/cpuN/topology" tells; a CPU without such a folder is a core of its
// own. Empty sets (no pinning) if there are fewer CPUs than slots; if there are fewer cores than
// slots, threads of one core go to different sets.
std::vector<std::vector<int>> DivideCpus(const std::vector<int>& cpus, int slots,
                                         const std::string& sysfs_root);

// The calling thread, and what it starts, runs on `cpus` alone while this exists. Nothing happens
// if `cpus` is empty or the system refuses.
class ThreadAffinity {
 public:
  explicit ThreadAffinity(const std::vector<int>& cpus);
  ~ThreadAffinity();
  ThreadAffinity(const ThreadAffinity&) = delete;
  ThreadAffinity& operator=(const ThreadAffinity&) = delete;

 private:
  bool changed_ = false;
  std::vector<int> before_;
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_CPU_SETS_H_
