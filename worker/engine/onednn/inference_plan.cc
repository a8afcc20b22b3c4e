#include "worker/engine/inference_plan.h"

#include <omp.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/engine/graph_view.h"
#include "worker/engine/onednn/inference_builder.h"
#include "worker/engine/onednn/layer_weights.h"
#include "worker/engine/onednn/plan_checks.h"
#include "worker/engine/onednn/program.h"
#include "worker/engine/onednn/quantization.h"

namespace frontier::worker {
namespace onednn {
namespace {

class OneDnnInferencePlan final : public InferencePlan {
 public:
  OneDnnInferencePlan(GraphView view, int batch, const InferenceOptions& options)
      : view_(std::move(view)),
        batch_(batch),
        threads_(options.threads),
        precision_(options.precision),
        least_quantized_macs_(options.least_quantized_macs) {}

  // `model` fits the architecture.
  absl::Status Build(const v1::Model& model, const CalibrationSet& calibration) {
    const ModelValues values(model);
    InferenceSettings settings;
    settings.precision = precision_;
    settings.model = &values;
    settings.least_quantized_macs = least_quantized_macs_;
    if (precision_ == InferencePrecision::kInt8) {
      ASSIGN_OR_RETURN(settings.formats,
                       MeasureFormats(view_, model, calibration.images, threads_));
    }
    omp_set_num_threads(threads_);
    program_.emplace();
    InferenceBuilder builder(view_, batch_, settings, &*program_);
    input_ = builder.input();
    const Array logits = builder.Build();
    program_->AddKernel("output", {logits}, {}, [this](const std::vector<float*>& p) {
      std::copy_n(p[0], output_.size(), output_.data());
    });
    packed_layers_ = builder.packed_layers();
    norm_layers_ = builder.norm_layers();
    RETURN_IF_ERROR(program_->Finish());
    LoadWeights(values, view_, packed_layers_, norm_layers_, &*program_);
    return absl::OkStatus();
  }

  absl::Status ImportModel(const v1::Model& model) override {
    if (precision_ == InferencePrecision::kInt8) {
      return absl::FailedPreconditionError("an int8 plan cannot take over another model");
    }
    RETURN_IF_ERROR(CheckFits(model, view_));
    omp_set_num_threads(threads_);
    return Guarded("import of a model", [&] {
      LoadWeights(ModelValues(model), view_, packed_layers_, norm_layers_, &*program_);
      return absl::OkStatus();
    });
  }

  absl::Status Run(absl::Span<const float> images, absl::Span<float> logits) override {
    RETURN_IF_ERROR(CheckArguments(images, logits));
    return Guarded("inference", [&] {
      Begin(images, logits);
      program_->Run(0, program_->steps());
      return absl::OkStatus();
    });
  }

  absl::StatusOr<std::vector<StepTime>> Profile(absl::Span<const float> images,
                                                absl::Span<float> logits, Clock* clock) override {
    RETURN_IF_ERROR(CheckArguments(images, logits));
    std::vector<StepTime> times;
    RETURN_IF_ERROR(Guarded("inference", [&] {
      Begin(images, logits);
      std::vector<double> seconds(static_cast<size_t>(program_->steps()), 0.0);
      program_->RunTimed(
          0, program_->steps(), [clock] { return absl::ToDoubleSeconds(clock->Elapsed()); },
          absl::MakeSpan(seconds));
      for (int i = 0; i < program_->steps(); ++i) {
        times.push_back({program_->label(i), program_->implementation(i),
                         seconds[static_cast<size_t>(i)] * 1e3});
      }
      return absl::OkStatus();
    }));
    return times;
  }

  int64_t weight_bytes() const override {
    size_t bytes = 0;
    for (const PackedLayer& layer : packed_layers_) {
      bytes += layer.weight.md.get_size();
      if (layer.bias.has_value()) bytes += layer.bias->md.get_size();
    }
    for (const NormLayer& layer : norm_layers_) bytes += 4 * layer.mean.md.get_size();
    return static_cast<int64_t>(bytes);
  }

  int64_t memory_bytes() const override { return program_->memory_bytes(); }

 private:
  absl::Status CheckArguments(absl::Span<const float> images, absl::Span<float> logits) const {
    const v1::Shape& in = view_.shape(0);
    RETURN_IF_ERROR(CheckSize("images", images.size(),
                              int64_t{batch_} * in.channels() * in.height() * in.width()));
    return CheckSize("logits", logits.size(), int64_t{batch_} * view_.architecture.classes());
  }

  void Begin(absl::Span<const float> images, absl::Span<float> logits) {
    omp_set_num_threads(threads_);
    std::copy(images.begin(), images.end(), program_->address(input_));
    output_ = logits;
  }

  const GraphView view_;
  const int batch_;
  const int threads_;
  const InferencePrecision precision_;
  const int64_t least_quantized_macs_;
  std::optional<Program> program_;
  Array input_;
  absl::Span<float> output_;  // of the run at hand
  std::vector<PackedLayer> packed_layers_;
  std::vector<NormLayer> norm_layers_;
};

const char* IsaName(dnnl::cpu_isa isa) {
  switch (isa) {
    case dnnl::cpu_isa::sse41:
      return "sse41";
    case dnnl::cpu_isa::avx:
      return "avx";
    case dnnl::cpu_isa::avx2:
      return "avx2";
    case dnnl::cpu_isa::avx2_vnni:
      return "avx2_vnni";
    case dnnl::cpu_isa::avx512_core:
      return "avx512_core";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "avx512_core_bf16";
    case dnnl::cpu_isa::avx512_core_amx:
      return "avx512_core_amx";
    default:
      return "generic";
  }
}

}  // namespace
}  // namespace onednn

absl::StatusOr<std::unique_ptr<InferencePlan>> InferencePlan::Create(
    const v1::Model& model, int batch, const InferenceOptions& options) {
  ASSIGN_OR_RETURN(GraphView view, ViewGraph(model.architecture(), GraphPass::kInference));
  RETURN_IF_ERROR(onednn::CheckPlan(view, batch, PlanOptions{options.threads}));
  RETURN_IF_ERROR(onednn::CheckFits(model, view));
  if (options.precision == InferencePrecision::kBf16 && !onednn::HasBf16()) {
    return absl::UnimplementedError(
        absl::StrCat("precision bf16: this CPU has no bf16 arithmetic; ", EngineDescription()));
  }
  std::unique_ptr<onednn::OneDnnInferencePlan> plan;
  RETURN_IF_ERROR(onednn::Guarded("inference plan", [&] {
    plan = std::make_unique<onednn::OneDnnInferencePlan>(std::move(view), batch, options);
    return plan->Build(model, options.calibration);
  }));
  return plan;
}

absl::string_view InferencePrecisionName(InferencePrecision precision) {
  switch (precision) {
    case InferencePrecision::kF32:
      return "f32";
    case InferencePrecision::kBf16:
      return "bf16";
    case InferencePrecision::kInt8:
      return "int8";
  }
  return "unknown";
}

std::string EngineDescription() {
  const dnnl::version_t* version = dnnl::version();
  return absl::StrCat("oneDNN ", version->major, ".", version->minor, ".", version->patch, " (",
                      onednn::IsaName(dnnl::get_effective_cpu_isa()), ")");
}

void StartThreads(int threads) {
  omp_set_num_threads(std::max(1, threads));
  int started = 0;
#pragma omp parallel reduction(+ : started)
  started += 1;
  static_cast<void>(started);
}

}  // namespace frontier::worker
