#include "worker/engine/inference_plan.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/model_io/parameters.h"
#include "worker/engine/graph_view.h"
#include "worker/engine/onednn/geometry.h"
#include "worker/engine/onednn/inference_builder.h"
#include "worker/engine/onednn/plan_checks.h"
#include "worker/engine/onednn/program.h"

namespace frontier::worker {
namespace onednn {
namespace {

class OneDnnInferencePlan final : public InferencePlan {
 public:
  OneDnnInferencePlan(GraphView view, int batch, int threads)
      : view_(std::move(view)), batch_(batch), threads_(threads) {}

  absl::Status Build() {
    omp_set_num_threads(threads_);
    program_.emplace();
    InferenceBuilder builder(view_, batch_, &*program_);
    input_ = builder.input();
    const Array logits = builder.Build();
    program_->AddKernel("output", {logits}, {}, [this](const std::vector<float*>& p) {
      std::copy_n(p[0], output_.size(), output_.data());
    });
    packed_layers_ = builder.packed_layers();
    norm_layers_ = builder.norm_layers();
    return program_->Finish();
  }

  absl::Status ImportModel(const v1::Model& model) override {
    RETURN_IF_ERROR(CheckFits(model, view_));
    omp_set_num_threads(threads_);
    return Guarded("import of a model", [&] {
      Values values;
      for (const v1::Tensor& tensor : model.tensors()) {
        values[{tensor.node(), tensor.name()}] = TensorValues(tensor);
      }
      for (const PackedLayer& layer : packed_layers_) Pack(layer, values);
      for (const NormLayer& layer : norm_layers_) {
        const Md vector = PlainMd({view_.shape(layer.node).channels()});
        program_->Load(values[{layer.node, "mean"}].data(), vector, layer.mean);
        program_->Load(values[{layer.node, "variance"}].data(), vector, layer.variance);
        program_->Load(values[{layer.node, "scale"}].data(), vector, layer.scale);
        program_->Load(values[{layer.node, "shift"}].data(), vector, layer.shift);
      }
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

  using Values = std::map<std::pair<int, std::string>, std::vector<float>>;

  // Folds batch norm y = (x - mean) / sqrt(variance + epsilon) * scale + shift into the weights and
  // the bias of the layer before it, in double (Jacob et al. 2018, section 3.2).
  void Pack(const PackedLayer& layer, Values& values) {
    std::vector<float> weight = values[{layer.node, "weight"}];
    std::vector<float> bias = values[{layer.node, "bias"}];
    if (layer.batch_norm >= 0) {
      const std::vector<float>& mean = values[{layer.batch_norm, "mean"}];
      const std::vector<float>& variance = values[{layer.batch_norm, "variance"}];
      const std::vector<float>& scale = values[{layer.batch_norm, "scale"}];
      const std::vector<float>& shift = values[{layer.batch_norm, "shift"}];
      const size_t outputs = mean.size();
      bias.resize(outputs, 0.0f);
      const size_t per_output = weight.size() / outputs;
      for (size_t o = 0; o < outputs; ++o) {
        const double factor =
            scale[o] / std::sqrt(static_cast<double>(variance[o]) + double{kBatchNormEpsilon});
        for (size_t i = o * per_output; i < (o + 1) * per_output; ++i) {
          weight[i] = static_cast<float>(weight[i] * factor);
        }
        bias[o] = static_cast<float>((static_cast<double>(bias[o]) - mean[o]) * factor + shift[o]);
      }
    }
    program_->Load(weight.data(), layer.plain, layer.weight);
    if (layer.bias.has_value()) program_->Load(bias.data(), layer.bias->md, *layer.bias);
  }

  const GraphView view_;
  const int batch_;
  const int threads_;
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
  std::unique_ptr<onednn::OneDnnInferencePlan> plan;
  RETURN_IF_ERROR(onednn::Guarded("inference plan", [&] {
    plan = std::make_unique<onednn::OneDnnInferencePlan>(std::move(view), batch, options.threads);
    return plan->Build();
  }));
  RETURN_IF_ERROR(plan->ImportModel(model));
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
