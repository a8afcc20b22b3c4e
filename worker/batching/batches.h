// Samples as batches of normalized floats.
#ifndef FRONTIER_WORKER_BATCHING_BATCHES_H_
#define FRONTIER_WORKER_BATCHING_BATCHES_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/data/dataset.h"
#include "frontier/v1/model.pb.h"
#include "worker/batching/augmentation.h"

namespace frontier::worker {

// Mean and deviation of each channel over the samples `indices`, in units of 1 / 255 of a byte. A
// channel without variation gets deviation 1. Exact up to the last rounding: sums are integers.
v1::Normalization MeasureNormalization(const Samples& samples, absl::Span<const int32_t> indices);

struct Batch {
  std::vector<float> images;    // size x C x H x W, normalized
  std::vector<uint8_t> labels;  // size
  // Of mixup, else empty: sample i is of labels[i] with shares[i], at least a half, and of
  // others[i] with the rest.
  std::vector<uint8_t> others;
  std::vector<float> shares;
};

struct TrainingBatchesOptions {
  int batch_size = 1;
  uint64_t seed = 0;
  AugmentationOptions augmentation;
  int64_t first_batch = 0;  // of the sequence, to go on in the middle of it
};

// An endless sequence of epochs over the samples `indices`, each in a new order. Order and flips
// depend on the seed and the number of the epoch alone, other changes of a sample on the seed, the
// epoch and the sample. With mixup each sample is mixed with the next one of its batch. Within an
// epoch every sample comes at most once: what is left over for less than a batch is dropped, other
// samples in each epoch.
//
// Batches are prepared ahead by a thread of its own, which ends with the object. Not thread-safe.
class TrainingBatches {
 public:
  virtual ~TrainingBatches() = default;

  // INVALID_ARGUMENT for a batch below 1 or larger than the number of samples, or augmentation
  // out of range; RESOURCE_EXHAUSTED
  // if there is no memory for buffers or thread. `samples` must outlive the object.
  static absl::StatusOr<std::unique_ptr<TrainingBatches>> Create(
      const Samples& samples, std::vector<int32_t> indices, const v1::Normalization& normalization,
      const TrainingBatchesOptions& options);

  virtual int64_t batches_per_epoch() const = 0;

  // The next batch; waits until it is ready. Valid until the next call.
  virtual const Batch& Next() = 0;
};

// Calls `visit(batch, count)` with batches that cover each of the samples `indices` once, in their
// order. All batches have `batch_size` images; those from `count` on, in the last one, are zeros
// with label 0. Stops at the first error of `visit` and returns it.
absl::Status ForEachBatch(const Samples& samples, absl::Span<const int32_t> indices,
                          const v1::Normalization& normalization, int batch_size,
                          absl::FunctionRef<absl::Status(const Batch& batch, int count)> visit);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_BATCHING_BATCHES_H_
