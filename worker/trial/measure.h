// What a trained network gives in narrower numbers.
#ifndef FRONTIER_WORKER_TRIAL_MEASURE_H_
#define FRONTIER_WORKER_TRIAL_MEASURE_H_

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/data/dataset.h"
#include "frontier/v1/model.pb.h"
#include "frontier/v1/trial.pb.h"
#include "worker/benchmark/latency.h"
#include "worker/trial/evaluate.h"

namespace frontier::worker {

struct MeasureOptions {
  int threads = 1;  // of evaluations; latencies are of one thread
  // At most so many validation samples for each precision, and so many training samples to
  // calibrate int8, evenly spread over those of the split.
  int most_validation_samples = 2000;
  int most_calibration_samples = 256;
  LatencyOptions latency{10, 50, 1000000, absl::Milliseconds(100)};
  std::function<void()> alive = [] {};  // called after each batch of an evaluation
};

// Latency of the model in f32, batch 1, one thread, on the first validation sample. Errors of
// InferencePlan::Create and Run.
absl::StatusOr<Latency> MeasureModelLatency(const v1::Model& model, const Samples& samples,
                                            const Split& split, Clock* clock,
                                            const LatencyOptions& options);

struct MeasuredPrecision {
  v1::PrecisionResult result;
  absl::Status status;  // what it failed with; the result's reason is its message
};

// Accuracy, latency and size of the model in f32, bf16 and int8, in this order, all accuracies on
// the same samples. `evaluation` is of f32 on all validation samples; `latency` of f32. What a
// precision fails with is its own status and no error. Errors of the evaluation in f32.
absl::StatusOr<std::vector<MeasuredPrecision>> MeasurePrecisions(
    const v1::Model& model, const Samples& samples, const Split& split,
    const Evaluation& evaluation, const v1::Measurement& latency, Clock* clock,
    const MeasureOptions& options);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_TRIAL_MEASURE_H_
