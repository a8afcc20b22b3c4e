#include "worker/trial/measure.h"

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/batching/batches.h"
#include "worker/engine/inference_plan.h"

namespace frontier::worker {
namespace {

constexpr size_t kMaxReasonBytes = 1024;

// At most `most` of `indices`, evenly spread.
std::vector<int32_t> Spread(const std::vector<int32_t>& indices, int most) {
  const size_t count = indices.size(), wanted = static_cast<size_t>(most);
  if (count <= wanted) return indices;
  std::vector<int32_t> chosen;
  for (size_t i = 0; i < wanted; ++i) chosen.push_back(indices[i * count / wanted]);
  return chosen;
}

absl::StatusOr<std::vector<float>> Images(const Samples& samples,
                                          const std::vector<int32_t>& indices,
                                          const v1::Normalization& normalization) {
  std::vector<float> images;
  images.reserve(indices.size() * static_cast<size_t>(samples.channels) *
                 static_cast<size_t>(samples.height) * static_cast<size_t>(samples.width));
  RETURN_IF_ERROR(
      ForEachBatch(samples, indices, normalization, /*batch_size=*/1, [&](const Batch& batch, int) {
        images.insert(images.end(), batch.images.begin(), batch.images.end());
        return absl::OkStatus();
      }));
  return images;
}

absl::StatusOr<Latency> LatencyOf(InferencePlan* plan, const v1::Model& model,
                                  const std::vector<float>& image, Clock* clock,
                                  const LatencyOptions& options) {
  std::vector<float> logits(static_cast<size_t>(model.architecture().classes()));
  return MeasureLatency([&] { return plan->Run(image, absl::MakeSpan(logits)); }, clock, options);
}

v1::Measurement AccuracyOf(const Evaluation& evaluation, const std::string& method) {
  v1::Measurement accuracy;
  accuracy.set_metric(v1::METRIC_ACCURACY);
  accuracy.set_value(evaluation.accuracy);
  accuracy.set_low(evaluation.accuracy_low);
  accuracy.set_high(evaluation.accuracy_high);
  accuracy.set_method(method);
  return accuracy;
}

// All that the precisions have in common.
struct Setting {
  const v1::Model& model;
  const Samples& samples;
  std::vector<int32_t> validation;
  std::string method;  // of the accuracy
  std::vector<float> image;
  std::vector<float> calibration;
  std::string hardware_class;
  Clock* clock;
  const MeasureOptions& options;
};

absl::Status MeasurePrecision(const Setting& setting, InferenceOptions inference,
                              v1::PrecisionResult* result) {
  const v1::Model& model = setting.model;
  inference.threads = setting.options.threads;
  ASSIGN_OR_RETURN(std::unique_ptr<InferencePlan> plan,
                   InferencePlan::Create(model, kEvaluationBatch, inference));
  ASSIGN_OR_RETURN(const Evaluation evaluation,
                   Evaluate(plan.get(), setting.samples, setting.validation, model.normalization(),
                            model.architecture().classes(), setting.options.alive));
  inference.threads = 1;
  ASSIGN_OR_RETURN(plan, InferencePlan::Create(model, /*batch=*/1, inference));
  ASSIGN_OR_RETURN(const Latency measured, LatencyOf(plan.get(), model, setting.image,
                                                     setting.clock, setting.options.latency));
  *result->mutable_accuracy() = AccuracyOf(evaluation, setting.method);
  v1::Measurement* latency = result->mutable_latency();
  latency->set_metric(v1::METRIC_LATENCY_MS);
  latency->set_value(measured.median_ms);
  latency->set_low(measured.low_ms);
  latency->set_high(measured.high_ms);
  latency->set_method("timed");
  latency->set_hardware_class(setting.hardware_class);
  result->set_weight_bytes(plan->weight_bytes());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Latency> MeasureModelLatency(const v1::Model& model, const Samples& samples,
                                            const Split& split, Clock* clock,
                                            const LatencyOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<InferencePlan> plan,
                   InferencePlan::Create(model, /*batch=*/1, InferenceOptions()));
  ASSIGN_OR_RETURN(const std::vector<float> image,
                   Images(samples, Spread(split.validation, 1), model.normalization()));
  return LatencyOf(plan.get(), model, image, clock, options);
}

absl::StatusOr<std::vector<MeasuredPrecision>> MeasurePrecisions(
    const v1::Model& model, const Samples& samples, const Split& split,
    const Evaluation& evaluation, const v1::Measurement& latency, Clock* clock,
    const MeasureOptions& options) {
  Setting setting{model,
                  samples,
                  Spread(split.validation, options.most_validation_samples),
                  "validation-split",
                  {},
                  {},
                  latency.hardware_class(),
                  clock,
                  options};
  const bool part = setting.validation.size() < split.validation.size();
  if (part) {
    absl::StrAppend(&setting.method, ", ", setting.validation.size(), " of ",
                    split.validation.size(), " samples");
  }
  ASSIGN_OR_RETURN(setting.image,
                   Images(samples, Spread(split.validation, 1), model.normalization()));
  const std::vector<int32_t> calibration = Spread(split.train, options.most_calibration_samples);
  ASSIGN_OR_RETURN(setting.calibration, Images(samples, calibration, model.normalization()));

  std::vector<MeasuredPrecision> results(3);
  v1::PrecisionResult& f32 = results[0].result;
  f32.set_precision("f32");
  Evaluation same = evaluation;
  if (part) {
    ASSIGN_OR_RETURN(
        const std::unique_ptr<InferencePlan> plan,
        InferencePlan::Create(model, kEvaluationBatch, InferenceOptions{options.threads}));
    ASSIGN_OR_RETURN(same, Evaluate(plan.get(), samples, setting.validation, model.normalization(),
                                    model.architecture().classes(), options.alive));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<InferencePlan> single,
                   InferencePlan::Create(model, /*batch=*/1, InferenceOptions()));
  *f32.mutable_accuracy() = AccuracyOf(same, setting.method);
  *f32.mutable_latency() = latency;
  f32.set_weight_bytes(single->weight_bytes());
  const InferencePrecision narrow[] = {InferencePrecision::kBf16, InferencePrecision::kInt8};
  for (size_t i = 0; i < 2; ++i) {
    v1::PrecisionResult& result = results[i + 1].result;
    InferenceOptions inference;
    inference.precision = narrow[i];
    if (narrow[i] == InferencePrecision::kInt8) {
      inference.calibration.images = setting.calibration;
      absl::StrAppend(&setting.method, "; calibrated on ", calibration.size(), " training samples");
    }
    v1::PrecisionResult measured;
    absl::Status& status = results[i + 1].status;
    status = MeasurePrecision(setting, inference, &measured);
    if (status.ok()) {
      result = measured;
    } else {
      const std::string reason(status.message());
      result.set_reason(reason.substr(0, kMaxReasonBytes));
    }
    result.set_precision(std::string(InferencePrecisionName(narrow[i])));
  }
  return results;
}

}  // namespace frontier::worker
