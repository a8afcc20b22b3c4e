// Memory of a trial: what it has, and what its training will need.
#ifndef FRONTIER_WORKER_TRIAL_MEMORY_USE_H_
#define FRONTIER_WORKER_TRIAL_MEMORY_USE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/model.pb.h"

namespace frontier::worker {

// Of this process, in bytes; 0 where the kernel does not say.
struct MemoryUse {
  int64_t resident = 0;
  int64_t peak_resident = 0;
  int64_t resident_private = 0;  // RssAnon: libraries and other files left out
  int64_t reserved_private = 0;  // VmData: what RLIMIT_DATA counts, stacks not yet used included
};
MemoryUse ReadMemoryUse();

// From now on the allocator gives large blocks back to the system when they are freed. Its default
// keeps up to 64 MiB of each thread's, and timing the implementations of a network's layers frees
// many. At the start of a process.
void ReturnFreedMemory();

// The least a training takes for so many trained weights, however small its batch: the weights,
// their gradients and velocities, and a copy for the model.
int64_t WeightBytes(int64_t parameters);

// What a run takes beside its training plan from the moment all plans but that one are made: the
// batches made ahead, one of evaluation, and the model's passing copies (export, checkpoint).
// `model` has the weights of the architecture; `evaluation_batch` samples.
int64_t RunBytes(const v1::Model& model, const v1::TrainingRecipe& recipe, int evaluation_batch,
                 bool checkpoints);

// RESOURCE_EXHAUSTED with both numbers if a process that uses `now` cannot take `more` bytes within
// `limit` bytes of private memory; `limit` 0 = none. With a limit on reserved memory in force
// (RLIMIT_DATA) that counts.
absl::Status CheckMemory(const MemoryUse& now, int64_t more, int64_t limit);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_TRIAL_MEMORY_USE_H_
