// Memory kept back for the moment when there is none.
#ifndef FRONTIER_WORKER_TRIAL_MEMORY_RESERVE_H_
#define FRONTIER_WORKER_TRIAL_MEMORY_RESERVE_H_

#include <cstddef>

namespace frontier::worker {

// While one exists, the first `new` that finds no memory gives the reserve back to the allocator
// and throws std::bad_alloc, so that whoever catches it has memory to say so. One at a time in a
// process.
class MemoryReserve {
 public:
  explicit MemoryReserve(size_t bytes);
  ~MemoryReserve();
  MemoryReserve(const MemoryReserve&) = delete;
  MemoryReserve& operator=(const MemoryReserve&) = delete;

 private:
  void (*previous_)();
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_TRIAL_MEMORY_RESERVE_H_
