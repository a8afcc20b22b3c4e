#include "worker/trial/evaluate.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/model_io/model_file.h"
#include "worker/batching/batches.h"
#include "worker/engine/kernels/loss.h"

namespace frontier::worker {
namespace {

constexpr double kNormalQuantile = 1.959963984540054;  // of 97.5 %

// Wilson's score interval of a share (Wilson 1927, "Probable Inference, the Law of Succession, and
// Statistical Inference").
void SetWilsonInterval(Evaluation* evaluation) {
  const double n = static_cast<double>(evaluation->samples);
  const double p = evaluation->accuracy, z = kNormalQuantile;
  const double centre = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  // At 0 and 1 the interval ends there, but for rounding.
  evaluation->accuracy_low = std::clamp(centre - half, 0.0, p);
  evaluation->accuracy_high = std::clamp(centre + half, p, 1.0);
}

}  // namespace

absl::StatusOr<Evaluation> Evaluate(InferencePlan* plan, const Samples& samples,
                                    absl::Span<const int32_t> indices,
                                    const v1::Normalization& normalization, int classes,
                                    absl::FunctionRef<void()> after_batch) {
  if (indices.empty()) return absl::InvalidArgumentError("there are no samples to evaluate on");
  std::vector<float> logits(static_cast<size_t>(kEvaluationBatch) * static_cast<size_t>(classes));
  LossSums sums;
  RETURN_IF_ERROR(ForEachBatch(
      samples, indices, normalization, kEvaluationBatch,
      [&](const Batch& batch, int count) -> absl::Status {
        const absl::Status run = plan->Run(batch.images, absl::MakeSpan(logits));
        if (!run.ok()) return run;
        const LossSums part = SoftmaxCrossEntropy(
            logits.data(), absl::MakeConstSpan(batch.labels).subspan(0, static_cast<size_t>(count)),
            classes,
            /*gradient=*/nullptr);
        sums.loss += part.loss;
        sums.squares += part.squares;
        sums.correct += part.correct;
        after_batch();
        return absl::OkStatus();
      }));
  Evaluation evaluation;
  evaluation.samples = static_cast<int64_t>(indices.size());
  evaluation.correct = sums.correct;
  const double n = static_cast<double>(evaluation.samples);
  evaluation.accuracy = static_cast<double>(sums.correct) / n;
  SetWilsonInterval(&evaluation);
  evaluation.loss = sums.loss / n;
  const double variance =
      n > 1 ? std::max(0.0, sums.squares / n - evaluation.loss * evaluation.loss) / (n - 1) : 0;
  evaluation.loss_low = std::max(0.0, evaluation.loss - kNormalQuantile * std::sqrt(variance));
  evaluation.loss_high = evaluation.loss + kNormalQuantile * std::sqrt(variance);
  return evaluation;
}

absl::StatusOr<Evaluation> EvaluateModel(const std::string& model_path,
                                         const std::string& dataset_folder,
                                         const v1::DatasetSpec& spec, EvaluationPart part,
                                         int threads) {
  ASSIGN_OR_RETURN(const v1::Model model, ReadModel(model_path));
  const v1::Architecture& architecture = model.architecture();
  const bool test = part == EvaluationPart::kTest;
  ASSIGN_OR_RETURN(
      const Samples samples,
      ReadSamples(dataset_folder, test ? Part::kTest : Part::kTrain, architecture.classes()));
  const v1::Shape& input = architecture.input();
  if (samples.channels != input.channels() || samples.height != input.height() ||
      samples.width != input.width()) {
    return absl::InvalidArgumentError(
        absl::StrCat("model '", model_path, "' takes samples of ", input.channels(), "x",
                     input.height(), "x", input.width(), " but those in '", dataset_folder,
                     "' are ", samples.channels, "x", samples.height, "x", samples.width));
  }
  std::vector<int32_t> indices;
  if (test) {
    indices.resize(static_cast<size_t>(samples.size()));
    std::iota(indices.begin(), indices.end(), 0);
  } else {
    ASSIGN_OR_RETURN(Split split, SplitTraining(samples, spec));
    indices = std::move(split.validation);
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<InferencePlan> plan,
                   InferencePlan::Create(model, kEvaluationBatch, InferenceOptions{threads}));
  return Evaluate(plan.get(), samples, indices, model.normalization(), architecture.classes());
}

}  // namespace frontier::worker
