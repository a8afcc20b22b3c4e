// Accuracy and loss of trained networks.
#ifndef FRONTIER_WORKER_TRIAL_EVALUATE_H_
#define FRONTIER_WORKER_TRIAL_EVALUATE_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/data/dataset.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/model.pb.h"
#include "worker/engine/inference_plan.h"

namespace frontier::worker {

// Samples at a time. One number everywhere, so that a figure is found again exactly.
inline constexpr int kEvaluationBatch = 128;

struct Evaluation {
  int64_t samples = 0;
  int64_t correct = 0;
  double accuracy = 0;                         // share of samples classified correctly
  double accuracy_low = 0, accuracy_high = 0;  // 95 % (Wilson 1927)
  double loss = 0;                             // mean cross-entropy, nats
  double loss_low = 0, loss_high = 0;          // 95 %, by the normal approximation of the mean
};

// Runs `plan`, whose batch is kEvaluationBatch, over the samples `indices`. INVALID_ARGUMENT if
// there are none; errors of InferencePlan::Run. Calls `after_batch` after each batch.
absl::StatusOr<Evaluation> Evaluate(
    InferencePlan* plan, const Samples& samples, absl::Span<const int32_t> indices,
    const v1::Normalization& normalization, int classes,
    absl::FunctionRef<void()> after_batch = [] {});

// The validation samples of a job's split, or the test part, which no search reads.
enum class EvaluationPart { kValidation, kTest };

// Evaluates a model file on the data set in `dataset_folder`. With the `spec` of its trial and
// kValidation the accuracy is exactly the reported one. Errors as ReadModel, ReadSamples,
// SplitTraining and InferencePlan::Create; INVALID_ARGUMENT if model and data set differ in shape.
absl::StatusOr<Evaluation> EvaluateModel(const std::string& model_path,
                                         const std::string& dataset_folder,
                                         const v1::DatasetSpec& spec, EvaluationPart part,
                                         int threads);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_TRIAL_EVALUATE_H_
