// Memory for buffers that live for a part of a program only.
#ifndef FRONTIER_WORKER_ENGINE_ARENA_H_
#define FRONTIER_WORKER_ENGINE_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace frontier::worker {

// Cache line and widest vector, bytes.
inline constexpr int64_t kAlignment = 64;

// Places buffers so that two share bytes only if they are never needed at the same time. A buffer
// is needed from its first step to its last one. Largest first, each at the lowest place that is
// free (Pisarchyk and Lee 2020, "Efficient Memory Management for Deep Neural Net Inference",
// greedy by size).
class ArenaPlanner {
 public:
  struct Step {
    std::vector<int> reads;
    std::vector<int> writes;
    // The first write may take the place of the first read, if nothing needs that later.
    bool in_place = false;
  };
  struct Layout {
    std::vector<int64_t> offsets;  // by buffer, bytes; -1 for one that no step uses
    int64_t bytes = 0;
  };

  // Returns the number of the buffer, from 0.
  int AddBuffer(int64_t bytes);
  int64_t bytes(int buffer) const { return buffers_[static_cast<size_t>(buffer)]; }
  void AddStep(Step step) { steps_.push_back(std::move(step)); }

  Layout Plan() const;

 private:
  std::vector<int64_t> buffers_;
  std::vector<Step> steps_;
};

// Zeroed, aligned memory.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  // RESOURCE_EXHAUSTED names the size and `what` it was for: "activations".
  static absl::StatusOr<AlignedBuffer> Create(int64_t bytes, absl::string_view what);
  std::byte* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(std::byte* p) const;
  };
  std::unique_ptr<std::byte[], Free> data_;
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_ARENA_H_
