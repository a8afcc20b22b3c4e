// A disk in memory for SQLite, with power cuts: what was written and not synced may be gone, in
// part, in any order.
#ifndef FRONTIER_TESTS_SUPPORT_SIMULATED_DISK_H_
#define FRONTIER_TESTS_SUPPORT_SIMULATED_DISK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/random.h"

namespace frontier::testing {

// Not thread-safe. Databases on it are opened with vfs(); all are closed before it goes.
class SimulatedDisk {
 public:
  SimulatedDisk();
  ~SimulatedDisk();
  SimulatedDisk(const SimulatedDisk&) = delete;
  SimulatedDisk& operator=(const SimulatedDisk&) = delete;

  // Name of the SQLite file layer that keeps its files here.
  const std::string& vfs() const;

  // The next `count` syncs, or writes, fail; what they were for is neither there nor gone for good.
  void FailSyncs(int count) { failing_syncs_ = count; }
  void FailWrites(int count) { failing_writes_ = count; }
  // No further write finds space, until told otherwise.
  void SetFull(bool full) { full_ = full; }
  // Whether the next step may fail by one of these.
  bool failing() const { return full_ || failing_syncs_ > 0 || failing_writes_ > 0; }

  // Everything fails from now on, as if the process had no disk any more.
  void PowerOff() { on_ = false; }
  // PowerOff before step `step` (see steps()) of the disk's life.
  void PowerOffAt(int64_t step) { off_at_ = step; }
  bool on() const { return on_; }
  // Once all databases are closed: as after a restart of the process alone, with all that was
  // written.
  void PowerOnWithAll();
  // The same after a power cut: of what was written since the last sync of its file, some.
  void PowerOnWithSome(Rng* rng);
  // The same, of which nothing is left.
  void PowerOnWithSynced();

  // Writes, truncations, syncs and deletions so far.
  int64_t steps() const { return steps_; }
  int64_t syncs() const { return syncs_; }

  // For the file layer.
  struct Change {
    int64_t offset = 0;
    std::string data;
    bool truncates = false;  // to `offset` bytes
  };
  struct File {
    std::string synced;
    std::string now;
    std::vector<Change> unsynced;
    bool durable = false;  // its name has been synced
    // Locks, and memory shared by the connections of this process.
    int shared = 0;
    const void* reserved = nullptr;
    const void* exclusive = nullptr;
    std::vector<std::unique_ptr<char[]>> regions;
    int region_shared[8] = {};
    const void* region_exclusive[8] = {};
  };
  // False if the step must fail; `*full` says why.
  bool Step(bool writes, bool syncs, bool* full);
  std::map<std::string, std::unique_ptr<File>>& files() { return files_; }

 private:
  struct Layer;
  void Reset();

  std::unique_ptr<Layer> layer_;
  std::map<std::string, std::unique_ptr<File>> files_;
  bool on_ = true;
  bool full_ = false;
  int failing_syncs_ = 0;
  int failing_writes_ = 0;
  int64_t steps_ = 0;
  int64_t syncs_ = 0;
  int64_t off_at_ = -1;
};

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_SIMULATED_DISK_H_
