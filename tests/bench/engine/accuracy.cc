#include <algorithm>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/data/dataset.h"
#include "common/model_io/model_file.h"
#include "tests/bench/engine/commands.h"
#include "worker/batching/batches.h"
#include "worker/engine/schedule.h"
#include "worker/trial/evaluate.h"

namespace frontier::bench {
namespace {

constexpr float kMomentum = 0.9f;
constexpr float kWeightDecay = 5e-4f;  // not on norms and biases

// The first images of the training part.
absl::StatusOr<std::vector<float>> CalibrationImages(const v1::Model& model,
                                                     const std::string& folder) {
  ASSIGN_OR_RETURN(const Samples samples,
                   ReadSamples(folder, Part::kTrain, model.architecture().classes()));
  std::vector<int32_t> indices(
      static_cast<size_t>(std::min<int64_t>(kCalibrationImages, samples.size())));
  std::iota(indices.begin(), indices.end(), 0);
  std::vector<float> images;
  RETURN_IF_ERROR(worker::ForEachBatch(samples, indices, model.normalization(),
                                       static_cast<int>(indices.size()),
                                       [&images](const worker::Batch& batch, int) {
                                         images = batch.images;
                                         return absl::OkStatus();
                                       }));
  return images;
}

absl::StatusOr<double> TestAccuracy(const v1::Model& model, const std::string& folder,
                                    const std::string& precision) {
  const int classes = model.architecture().classes();
  ASSIGN_OR_RETURN(const Samples test, ReadSamples(folder, Part::kTest, classes));
  std::vector<int32_t> indices(static_cast<size_t>(test.size()));
  std::iota(indices.begin(), indices.end(), 0);
  ASSIGN_OR_RETURN(const std::vector<float> calibration, CalibrationImages(model, folder));
  ASSIGN_OR_RETURN(const std::unique_ptr<worker::InferencePlan> plan,
                   PrepareInference(model, worker::kEvaluationBatch, precision, calibration));
  ASSIGN_OR_RETURN(const worker::Evaluation evaluation,
                   worker::Evaluate(plan.get(), test, indices, model.normalization(), classes));
  return evaluation.accuracy;
}

}  // namespace

absl::Status TrainToAccuracy(const Options& options) {
  worker::StartThreads(options.threads);
  ASSIGN_OR_RETURN(const Samples samples,
                   ReadSamples(options.dataset, Part::kTrain, options.classes));
  Options shaped = options;
  shaped.input = absl::StrCat(samples.channels, "x", samples.height, "x", samples.width);
  ASSIGN_OR_RETURN(const v1::Architecture architecture, Network(shaped));
  const int64_t count = options.training_images == 0
                            ? samples.size()
                            : std::min(options.training_images, samples.size());
  std::vector<int32_t> indices(static_cast<size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);

  ASSIGN_OR_RETURN(v1::Model model, worker::InitialModel(architecture, options.seed));
  *model.mutable_normalization() = worker::MeasureNormalization(samples, indices);
  model.set_dataset("bench");
  worker::PlanOptions plan_options;
  plan_options.threads = options.threads;
  ASSIGN_OR_RETURN(plan_options.precision, TrainingPrecision(options.precision));
  ASSIGN_OR_RETURN(const std::unique_ptr<worker::TrainingPlan> plan,
                   worker::TrainingPlan::Create(architecture, options.batch, plan_options));
  RETURN_IF_ERROR(plan->ImportModel(model));

  worker::TrainingBatchesOptions batching;
  batching.batch_size = options.batch;
  batching.seed = Rng(options.seed, uint64_t{1} << 32).NextUint64();
  ASSIGN_OR_RETURN(
      const std::unique_ptr<worker::TrainingBatches> batches,
      worker::TrainingBatches::Create(samples, indices, model.normalization(), batching));
  const int64_t per_epoch = batches->batches_per_epoch();
  worker::ScheduleSettings schedule;
  schedule.peak = options.learning_rate;
  schedule.steps = per_epoch * options.epochs;
  schedule.warmup_steps = options.warmup_epochs * static_cast<double>(per_epoch);
  worker::OptimizerSettings settings;
  settings.momentum = kMomentum;
  settings.weight_decay = kWeightDecay;
  SystemClock clock;
  const absl::Duration begin = clock.Elapsed();
  for (int64_t i = 0; i < schedule.steps; ++i) {
    settings.learning_rate = static_cast<float>(worker::ScheduledRate(schedule, i));
    const worker::Batch& batch = batches->Next();
    RETURN_IF_ERROR(plan->Step(batch.images, batch.labels, settings).status());
  }
  const double seconds = absl::ToDoubleSeconds(clock.Elapsed() - begin);
  RETURN_IF_ERROR(plan->ExportModel(&model));
  ASSIGN_OR_RETURN(const double accuracy, TestAccuracy(model, options.dataset, "f32"));
  if (!options.model.empty()) RETURN_IF_ERROR(WriteModel(options.model, model));
  PrintLine(absl::StrCat("{\"test_accuracy\": ", accuracy, ", \"train_seconds\": ", seconds,
                         ", \"precision\": \"", PrecisionName(plan->precision()), "\"}"));
  return absl::OkStatus();
}

absl::Status EvaluateAccuracy(const Options& options) {
  worker::StartThreads(1);
  ASSIGN_OR_RETURN(const v1::Model model, ReadModel(options.model));
  ASSIGN_OR_RETURN(const double accuracy, TestAccuracy(model, options.dataset, options.precision));
  PrintLine(absl::StrCat("{\"test_accuracy\": ", accuracy, "}"));
  return absl::OkStatus();
}

}  // namespace frontier::bench
