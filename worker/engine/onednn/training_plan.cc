#include "worker/engine/training_plan.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/model_io/parameters.h"
#include "worker/engine/graph_view.h"
#include "worker/engine/kernels/loss.h"
#include "worker/engine/onednn/geometry.h"
#include "worker/engine/onednn/plan_checks.h"
#include "worker/engine/onednn/program.h"
#include "worker/engine/onednn/training_builder.h"

namespace frontier::worker {
namespace onednn {
namespace {

class OneDnnTrainingPlan final : public TrainingPlan {
 public:
  OneDnnTrainingPlan(GraphView view, int batch, int threads)
      : view_(std::move(view)), batch_(batch), threads_(threads) {}

  absl::Status Build() {
    omp_set_num_threads(threads_);
    program_.emplace();
    TrainingBuilder builder(view_, batch_, &dropout_, &*program_);
    input_ = builder.input();
    const Array logits = builder.BuildForward();
    const Array gradient = program_->NewArray(logits.md);
    const int64_t classes = view_.architecture.classes();
    program_->AddKernel(
        "loss", {logits}, {gradient},
        [this, classes](const std::vector<float*>& p) {
          sums_ = SoftmaxCrossEntropy(p[0], labels_, classes, p[1]);
        },
        /*in_place=*/true);
    forward_steps_ = program_->steps();
    builder.BuildBackward(gradient);
    arrays_ = builder.TakeModelArrays();
    RETURN_IF_ERROR(program_->Finish());

    specs_ = TensorSpecs(view_.architecture, view_.costs);
    retained_.resize(specs_.size());
    for (const auto& [key, array] : arrays_) {
      if (!array.gradient.has_value()) continue;
      parameters_.push_back({program_->address(array.array), program_->address(*array.gradient),
                             program_->address(*array.velocity), Elements(array.array.md),
                             key.second == "weight"});
    }
    return absl::OkStatus();
  }

  absl::StatusOr<StepStats> Step(absl::Span<const float> images, absl::Span<const uint8_t> labels,
                                 const SgdSettings& settings) override {
    const v1::Shape& in = view_.shape(0);
    RETURN_IF_ERROR(CheckSize("images", images.size(),
                              int64_t{batch_} * in.channels() * in.height() * in.width()));
    RETURN_IF_ERROR(CheckSize("labels", labels.size(), batch_));
    for (size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] >= view_.architecture.classes()) {
        return absl::InvalidArgumentError(absl::StrCat("label ", labels[i], " of sample ", i,
                                                       " is not below ",
                                                       view_.architecture.classes(), " classes"));
      }
    }
    omp_set_num_threads(threads_);
    StepStats stats;
    RETURN_IF_ERROR(Guarded("training step", [&] {
      std::copy(images.begin(), images.end(), program_->address(input_));
      labels_ = labels;
      program_->Run(0, forward_steps_);
      stats.loss = sums_.loss / batch_;
      stats.correct = sums_.correct;
      // A comparison that NaN fails.
      if (!(stats.loss <= kDivergenceBound)) {
        return absl::OutOfRangeError(
            absl::StrCat("loss ", stats.loss, " is not finite or above ", kDivergenceBound));
      }
      program_->Run(forward_steps_, program_->steps());
      ++dropout_.step;
      if (!SgdStep(parameters_, settings)) {
        return absl::OutOfRangeError("a weight is not finite after the update");
      }
      return absl::OkStatus();
    }));
    return stats;
  }

  void SeedDropout(uint64_t seed, int64_t step) override { dropout_ = {seed, step}; }

  absl::Status ImportModel(const v1::Model& model) override {
    RETURN_IF_ERROR(CheckFits(model, view_));
    omp_set_num_threads(threads_);
    return Guarded("import of a model", [&] {
      for (size_t i = 0; i < specs_.size(); ++i) {
        const v1::Tensor& tensor = model.tensors(static_cast<int>(i));
        const auto it = arrays_.find({specs_[i].node, specs_[i].name});
        if (it == arrays_.end()) {
          retained_[i] = tensor;
          continue;
        }
        const std::vector<float> values = TensorValues(tensor);
        program_->Load(values.data(), it->second.plain, it->second.array);
      }
      for (const SgdParameter& p : parameters_) {
        std::memset(p.velocity, 0, static_cast<size_t>(p.count) * sizeof(float));
      }
      return absl::OkStatus();
    });
  }

  absl::Status ExportModel(v1::Model* model) override {
    omp_set_num_threads(threads_);
    return Guarded("export of a model", [&] {
      *model->mutable_architecture() = view_.architecture;
      model->clear_tensors();
      for (size_t i = 0; i < specs_.size(); ++i) {
        v1::Tensor* tensor = model->add_tensors();
        const auto it = arrays_.find({specs_[i].node, specs_[i].name});
        if (it == arrays_.end() && !retained_[i].name().empty()) {
          *tensor = retained_[i];
          continue;
        }
        tensor->set_node(specs_[i].node);
        tensor->set_name(specs_[i].name);
        for (const int64_t d : specs_[i].dimensions) tensor->add_dimensions(d);
        std::vector<float> values(static_cast<size_t>(specs_[i].elements()), 0.0f);
        if (it != arrays_.end()) {
          program_->Store(it->second.array, it->second.plain, values.data());
        }
        SetTensorValues(values, tensor);
      }
      return absl::OkStatus();
    });
  }

  int64_t memory_bytes() const override { return program_->memory_bytes(); }

 private:
  const GraphView view_;
  const int batch_;
  const int threads_;
  DropoutState dropout_;
  std::optional<Program> program_;
  int forward_steps_ = 0;  // the loss is the last of them
  Array input_;
  std::map<std::pair<int, std::string>, ModelArray> arrays_;
  std::vector<TensorSpec> specs_;
  std::vector<v1::Tensor> retained_;  // of dead nodes, by number of the tensor
  std::vector<SgdParameter> parameters_;
  absl::Span<const uint8_t> labels_;  // of the batch at hand
  LossSums sums_;
};

}  // namespace
}  // namespace onednn

absl::StatusOr<std::unique_ptr<TrainingPlan>> TrainingPlan::Create(
    const v1::Architecture& architecture, int batch, const PlanOptions& options) {
  ASSIGN_OR_RETURN(GraphView view, ViewGraph(architecture));
  RETURN_IF_ERROR(onednn::CheckPlan(view, batch, options));
  std::unique_ptr<onednn::OneDnnTrainingPlan> plan;
  RETURN_IF_ERROR(onednn::Guarded("training plan", [&] {
    plan = std::make_unique<onednn::OneDnnTrainingPlan>(std::move(view), batch, options.threads);
    return plan->Build();
  }));
  return plan;
}

}  // namespace frontier::worker
