#include "worker/agent/cpu_sets.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace frontier::worker {
namespace {

constexpr int kMostCpus = 1 << 16;

// A mask for any number of CPUs.
class CpuMask {
 public:
  explicit CpuMask(int cpus) : cpus_(cpus), set_(CPU_ALLOC(static_cast<size_t>(cpus))) {
    CPU_ZERO_S(bytes(), set_.get());
  }
  cpu_set_t* get() { return set_.get(); }
  size_t bytes() const { return CPU_ALLOC_SIZE(static_cast<size_t>(cpus_)); }
  void Add(int cpu) { CPU_SET_S(static_cast<size_t>(cpu), bytes(), set_.get()); }
  bool Has(int cpu) const { return CPU_ISSET_S(static_cast<size_t>(cpu), bytes(), set_.get()); }

 private:
  struct Free {
    void operator()(cpu_set_t* set) const { CPU_FREE(set); }
  };
  int cpus_;
  std::unique_ptr<cpu_set_t, Free> set_;
};

bool SetAffinity(const std::vector<int>& cpus) {
  int most = 0;
  for (const int cpu : cpus) most = std::max(most, cpu);
  CpuMask mask(most + 1);
  for (const int cpu : cpus) mask.Add(cpu);
  return sched_setaffinity(0, mask.bytes(), mask.get()) == 0;
}

int ReadNumber(const std::string& path, int otherwise) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  int number = 0;
  if (!text.ok() || !absl::SimpleAtoi(absl::StripAsciiWhitespace(*text), &number)) return otherwise;
  return number;
}

// The CPUs of each core, cores by package.
std::vector<std::vector<int>> CoresOf(const std::vector<int>& cpus, const std::string& sysfs_root) {
  std::map<std::pair<int, int>, std::vector<int>> cores;
  for (const int cpu : cpus) {
    const std::string folder =
        absl::StrCat(sysfs_root, "/devices/system/cpu/cpu", cpu, "/topology");
    const int core = ReadNumber(folder + "/core_id", -1);
    const int package = ReadNumber(folder + "/physical_package_id", 0);
    // Unknown ones after all others, each by itself.
    cores[core < 0 ? std::pair(kMostCpus, cpu) : std::pair(package, core)].push_back(cpu);
  }
  std::vector<std::vector<int>> list;
  for (auto& [place, members] : cores) list.push_back(std::move(members));
  return list;
}

}  // namespace

std::vector<int> AllowedCpus() {
  std::vector<int> cpus;
  for (int size = CPU_SETSIZE; size <= kMostCpus; size *= 2) {
    CpuMask mask(size);
    if (sched_getaffinity(0, mask.bytes(), mask.get()) == 0) {
      for (int cpu = 0; cpu < size; ++cpu) {
        if (mask.Has(cpu)) cpus.push_back(cpu);
      }
      return cpus;
    }
    if (errno != EINVAL) break;  // EINVAL: the kernel's mask is larger
  }
  return cpus;
}

std::vector<std::vector<int>> DivideCpus(const std::vector<int>& cpus, int slots,
                                         const std::string& sysfs_root) {
  std::vector<std::vector<int>> sets(static_cast<size_t>(slots));
  if (cpus.size() < sets.size()) return sets;
  std::vector<std::vector<int>> units = CoresOf(cpus, sysfs_root);
  if (units.size() < sets.size()) {
    std::vector<std::vector<int>> threads;
    for (const std::vector<int>& core : units) {
      for (const int cpu : core) threads.push_back({cpu});
    }
    units = std::move(threads);
  }
  for (size_t i = 0; i < units.size(); ++i) {
    std::vector<int>& set = sets[i * sets.size() / units.size()];
    set.insert(set.end(), units[i].begin(), units[i].end());
  }
  return sets;
}

ThreadAffinity::ThreadAffinity(const std::vector<int>& cpus) {
  if (cpus.empty()) return;
  before_ = AllowedCpus();
  changed_ = !before_.empty() && SetAffinity(cpus);
}

ThreadAffinity::~ThreadAffinity() {
  if (changed_) SetAffinity(before_);
}

}  // namespace frontier::worker
