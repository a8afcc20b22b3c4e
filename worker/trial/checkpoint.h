// Training runs in the middle, as files.
#ifndef FRONTIER_WORKER_TRIAL_CHECKPOINT_H_
#define FRONTIER_WORKER_TRIAL_CHECKPOINT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "frontier/v1/checkpoint.pb.h"
#include "frontier/v1/trial_process.pb.h"

namespace frontier::worker {

// Replaces the file as a whole, with a digest of its content; equal checkpoints give equal bytes.
// RESOURCE_EXHAUSTED if it takes more than 2 GiB; other errors as WriteFileAtomically.
absl::Status WriteCheckpoint(const std::string& path, v1::Checkpoint checkpoint);

// Errors as ReadFile; DATA_LOSS if the file is no checkpoint or differs from its digest.
absl::StatusOr<v1::Checkpoint> ReadCheckpoint(const std::string& path);

// What a checkpoint says of this task here, without a state. `dataset_sha256` is of the training
// part that was read.
v1::Checkpoint CheckpointOf(const v1::TrialProcessInput& input, int threads,
                            const std::string& dataset_sha256);

// Whether both are of one architecture, data set, recipe and seed, and of the same data, as far as
// that is known.
bool SameTraining(const v1::Checkpoint& a, const v1::Checkpoint& b);

// Whether they are computed alike as well, to the same bits: by as many threads, and the same
// release and library on machines of one class.
bool SameTask(const v1::Checkpoint& a, const v1::Checkpoint& b);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_TRIAL_CHECKPOINT_H_
