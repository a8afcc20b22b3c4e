#include "worker/engine/training_plan.h"

#include <omp.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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
  OneDnnTrainingPlan(GraphView view, int batch, const PlanOptions& options)
      : view_(std::move(view)),
        batch_(batch),
        threads_(options.threads),
        options_(options),
        precision_(HasBf16() ? options.precision : Precision::kF32),
        picker_(options.picking_clock, options.picks) {}

  // `key` decided the precision.
  void NotePrecision(const std::string& key, const std::string& choice) {
    picker_.Note(key, choice);
  }

  // A forward and a backward pass over zeros, at best.
  absl::Duration TimePasses(Clock* clock) {
    absl::Duration best = absl::InfiniteDuration();
    const std::vector<uint8_t> labels(static_cast<size_t>(batch_));
    targets_ = Targets{labels, {}, {}};
    for (int i = 0; i < 3; ++i) {
      const absl::Duration since = clock->Elapsed();
      program_->Run(0, program_->steps());
      best = std::min(best, clock->Elapsed() - since);
    }
    targets_ = Targets();
    return best;
  }

  absl::Status Build() {
    omp_set_num_threads(threads_);
    program_.emplace();
    TrainingBuilder builder(view_, batch_, threads_, precision_ == Precision::kMixed, &dropout_,
                            &picker_, &*program_);
    input_ = builder.input();
    const Array logits = builder.BuildForward();
    if (options_.observe_activation) builder.ObserveActivations(options_.observe_activation);
    const Array gradient = program_->NewArray(logits.md);
    const int64_t classes = view_.architecture.classes();
    program_->AddKernel(
        "loss", {logits}, {gradient},
        [this, classes](const std::vector<float*>& p) {
          sums_ = TargetCrossEntropy(p[0], targets_, classes, loss_, p[1]);
        },
        /*in_place=*/true);
    forward_steps_ = program_->steps();
    builder.BuildBackward(gradient);
    arrays_ = builder.TakeModelArrays();
    for (const auto& [key, array] : arrays_) {
      if (options_.average) averages_[key] = program_->NewFixedArray(array.array.md);
      if (options_.adamw && array.gradient.has_value()) {
        second_moments_[key] = program_->NewFixedArray(array.array.md);
      }
    }
    RETURN_IF_ERROR(program_->Finish(options_.admit));

    specs_ = TensorSpecs(view_.architecture, view_.costs);
    retained_.resize(specs_.size());
    for (const auto& [key, array] : arrays_) {
      if (!array.gradient.has_value()) continue;
      parameters_.push_back(
          {program_->address(array.array), program_->address(*array.gradient),
           program_->address(*array.velocity), Elements(array.array.md), key.second == "weight",
           options_.adamw ? program_->address(second_moments_.at(key)) : nullptr});
    }
    return absl::OkStatus();
  }

  absl::StatusOr<StepStats> Step(absl::Span<const float> images, const Targets& targets,
                                 const OptimizerSettings& optimizer,
                                 const LossSettings& loss) override {
    RETURN_IF_ERROR(CheckStep(images, targets, optimizer, loss));
    omp_set_num_threads(threads_);
    StepStats stats;
    RETURN_IF_ERROR(Guarded("training step", [&] {
      std::copy(images.begin(), images.end(), program_->address(input_));
      targets_ = targets;
      loss_ = loss;
      program_->Run(0, forward_steps_);
      stats.loss = sums_.loss / sums_.weight;
      stats.correct = sums_.correct;
      // A comparison that NaN fails.
      if (!(stats.loss <= kDivergenceBound)) {
        return absl::OutOfRangeError(
            absl::StrCat("loss ", stats.loss, " is not finite or above ", kDivergenceBound));
      }
      program_->Run(forward_steps_, program_->steps());
      ++dropout_.step;
      return Update(optimizer);
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
      for (const OptimizedParameter& p : parameters_) {
        const size_t bytes = static_cast<size_t>(p.count) * sizeof(float);
        std::memset(p.velocity, 0, bytes);
        if (p.second_moment != nullptr) std::memset(p.second_moment, 0, bytes);
      }
      for (const auto& [key, average] : averages_) {
        std::memcpy(program_->address(average), program_->address(arrays_.at(key).array),
                    average.md.get_size());
      }
      steps_done_ = 0;
      return absl::OkStatus();
    });
  }

  absl::Status ExportModel(v1::Model* model) override {
    return Export(model, [](const Key&, const ModelArray& array) { return array.array; });
  }

  absl::Status ExportAverage(v1::Model* model) override {
    if (!options_.average) {
      return absl::FailedPreconditionError("the plan keeps no average of its weights");
    }
    return Export(model, [this](const Key& key, const ModelArray&) { return averages_.at(key); });
  }

  absl::Status ExportState(v1::TrainingState* state) override {
    state->Clear();
    RETURN_IF_ERROR(ExportModel(state->mutable_model()));
    state->set_steps(steps_done_);
    return Guarded("export of a training state", [&] {
      for (const TensorSpec& spec : specs_) {
        const Key key{spec.node, spec.name};
        const auto it = arrays_.find(key);
        if (it == arrays_.end()) continue;
        if (it->second.velocity.has_value()) {
          StoreTensor(spec, *it->second.velocity, state->add_velocity());
        }
        if (second_moments_.count(key) != 0) {
          StoreTensor(spec, second_moments_.at(key), state->add_second_moment());
        }
        if (options_.average) StoreTensor(spec, averages_.at(key), state->add_average());
      }
      return absl::OkStatus();
    });
  }

  absl::Status ImportState(const v1::TrainingState& state) override {
    if (state.steps() < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("training state has done ", state.steps(), " steps"));
    }
    RETURN_IF_ERROR(ImportModel(state.model()));
    return Guarded("import of a training state", [&]() -> absl::Status {
      int velocities = 0, moments = 0, averages = 0;
      for (const TensorSpec& spec : specs_) {
        const Key key{spec.node, spec.name};
        const auto it = arrays_.find(key);
        if (it == arrays_.end()) continue;
        if (it->second.velocity.has_value()) {
          RETURN_IF_ERROR(
              LoadTensor("velocity", spec, state.velocity(), &velocities, *it->second.velocity));
        }
        if (second_moments_.count(key) != 0) {
          RETURN_IF_ERROR(LoadTensor("second moment", spec, state.second_moment(), &moments,
                                     second_moments_.at(key)));
        }
        if (options_.average) {
          RETURN_IF_ERROR(
              LoadTensor("average", spec, state.average(), &averages, averages_.at(key)));
        }
      }
      RETURN_IF_ERROR(
          CheckSize("velocities", static_cast<size_t>(state.velocity_size()), velocities));
      RETURN_IF_ERROR(
          CheckSize("second moments", static_cast<size_t>(state.second_moment_size()), moments));
      RETURN_IF_ERROR(CheckSize("averages", static_cast<size_t>(state.average_size()), averages));
      steps_done_ = state.steps();
      dropout_.step = state.steps();
      return absl::OkStatus();
    });
  }

  Precision precision() const override { return precision_; }
  const Picks& picks() const override { return picker_.used(); }

  absl::StatusOr<std::vector<StepTime>> Profile(absl::Span<const float> images,
                                                absl::Span<const uint8_t> labels,
                                                Clock* clock) override {
    const Targets targets{labels, {}, {}};
    RETURN_IF_ERROR(CheckStep(images, targets, OptimizerSettings(), LossSettings()));
    omp_set_num_threads(threads_);
    std::vector<double> seconds(static_cast<size_t>(program_->steps()));
    RETURN_IF_ERROR(Guarded("profile", [&] {
      std::copy(images.begin(), images.end(), program_->address(input_));
      targets_ = targets;
      loss_ = LossSettings();
      const auto now = [clock] { return absl::ToDoubleSeconds(clock->Elapsed()); };
      program_->RunTimed(0, program_->steps(), now, absl::MakeSpan(seconds));
      return absl::OkStatus();
    }));
    std::vector<StepTime> times;
    for (int i = 0; i < program_->steps(); ++i) {
      times.push_back(
          {program_->label(i), program_->implementation(i), 1e3 * seconds[static_cast<size_t>(i)]});
    }
    return times;
  }

  int64_t memory_bytes() const override { return program_->memory_bytes(); }

 private:
  using Key = std::pair<int, std::string>;

  absl::Status CheckLabels(absl::string_view what, absl::Span<const uint8_t> labels) const {
    for (size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] >= view_.architecture.classes()) {
        return absl::InvalidArgumentError(absl::StrCat(what, " ", labels[i], " of sample ", i,
                                                       " is not below ",
                                                       view_.architecture.classes(), " classes"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckStep(absl::Span<const float> images, const Targets& targets,
                         const OptimizerSettings& optimizer, const LossSettings& loss) const {
    const v1::Shape& in = view_.shape(0);
    RETURN_IF_ERROR(CheckSize("images", images.size(),
                              int64_t{batch_} * in.channels() * in.height() * in.width()));
    RETURN_IF_ERROR(CheckSize("labels", targets.labels.size(), batch_));
    RETURN_IF_ERROR(CheckLabels("label", targets.labels));
    if (!targets.others.empty() || !targets.shares.empty()) {
      RETURN_IF_ERROR(CheckSize("other labels", targets.others.size(), batch_));
      RETURN_IF_ERROR(CheckSize("shares", targets.shares.size(), batch_));
      RETURN_IF_ERROR(CheckLabels("other label", targets.others));
      for (size_t i = 0; i < targets.shares.size(); ++i) {
        if (targets.shares[i] >= 0 && targets.shares[i] <= 1) continue;
        return absl::InvalidArgumentError(
            absl::StrCat("share ", targets.shares[i], " of sample ", i, " is not in [0, 1]"));
      }
    }
    if (!loss.class_weights.empty()) {
      RETURN_IF_ERROR(
          CheckSize("class weights", loss.class_weights.size(), view_.architecture.classes()));
      for (size_t c = 0; c < loss.class_weights.size(); ++c) {
        if (loss.class_weights[c] > 0 && std::isfinite(loss.class_weights[c])) continue;
        return absl::InvalidArgumentError(absl::StrCat(
            "weight ", loss.class_weights[c], " of class ", c, " is not positive and finite"));
      }
    }
    if (!(loss.label_smoothing >= 0 && loss.label_smoothing < 1)) {
      return absl::InvalidArgumentError(
          absl::StrCat("label smoothing ", loss.label_smoothing, " is not in [0, 1)"));
    }
    if (optimizer.kind == OptimizerKind::kAdamW && !options_.adamw) {
      return absl::InvalidArgumentError("the plan has no memory for AdamW");
    }
    return absl::OkStatus();
  }

  absl::Status Update(const OptimizerSettings& optimizer) {
    if (optimizer.clip_norm > 0) {
      const double norm = ClipGradients(parameters_, optimizer.clip_norm);
      if (!std::isfinite(norm)) {
        return absl::OutOfRangeError(absl::StrCat("norm ", norm,
                                                  " of the gradients"
                                                  " is not finite"));
      }
    }
    ++steps_done_;
    const bool finite = optimizer.kind == OptimizerKind::kAdamW
                            ? AdamWStep(parameters_, optimizer, steps_done_)
                            : SgdStep(parameters_, optimizer);
    if (!finite) return absl::OutOfRangeError("a weight is not finite after the update");
    const float decay = AverageDecay(optimizer.average_decay, steps_done_);
    for (const auto& [key, average] : averages_) {
      UpdateAverage(program_->address(arrays_.at(key).array), Elements(average.md), decay,
                    program_->address(average));
    }
    return absl::OkStatus();
  }

  void StoreTensor(const TensorSpec& spec, const Array& array, v1::Tensor* tensor) {
    tensor->set_node(spec.node);
    tensor->set_name(spec.name);
    for (const int64_t d : spec.dimensions) tensor->add_dimensions(d);
    std::vector<float> values(static_cast<size_t>(spec.elements()));
    program_->Store(array, arrays_.at({spec.node, spec.name}).plain, values.data());
    SetTensorValues(values, tensor);
  }

  // Loads the tensor at `*next`, which moves on.
  template <typename Tensors>
  absl::Status LoadTensor(absl::string_view what, const TensorSpec& spec, const Tensors& tensors,
                          int* next, const Array& array) {
    const std::string name = absl::StrCat(what, " of ", spec.name, " of node ", spec.node);
    if (*next >= tensors.size()) {
      return absl::InvalidArgumentError(absl::StrCat("training state has no ", name));
    }
    const v1::Tensor& tensor = tensors.Get((*next)++);
    if (tensor.node() != spec.node || tensor.name() != spec.name ||
        tensor.data().size() != static_cast<size_t>(spec.elements()) * sizeof(float)) {
      return absl::InvalidArgumentError(absl::StrCat("training state has ", tensor.data().size(),
                                                     " bytes for ", tensor.name(), " of node ",
                                                     tensor.node(), " in place of the ", name));
    }
    const std::vector<float> values = TensorValues(tensor);
    program_->Load(values.data(), arrays_.at({spec.node, spec.name}).plain, array);
    return absl::OkStatus();
  }

  // `array_of` chooses the array that stands for a tensor.
  template <typename Chooser>
  absl::Status Export(v1::Model* model, const Chooser& array_of) {
    omp_set_num_threads(threads_);
    return Guarded("export of a model", [&] {
      *model->mutable_architecture() = view_.architecture;
      model->clear_tensors();
      for (size_t i = 0; i < specs_.size(); ++i) {
        v1::Tensor* tensor = model->add_tensors();
        const auto it = arrays_.find({specs_[i].node, specs_[i].name});
        if (it != arrays_.end()) {
          StoreTensor(specs_[i], array_of(it->first, it->second), tensor);
        } else if (!retained_[i].name().empty()) {
          *tensor = retained_[i];
        } else {
          tensor->set_node(specs_[i].node);
          tensor->set_name(specs_[i].name);
          for (const int64_t d : specs_[i].dimensions) tensor->add_dimensions(d);
          SetTensorValues(std::vector<float>(static_cast<size_t>(specs_[i].elements()), 0.0f),
                          tensor);
        }
      }
      return absl::OkStatus();
    });
  }

  const GraphView view_;
  const int batch_;
  const int threads_;
  const PlanOptions options_;
  DropoutState dropout_;
  const Precision precision_;
  PassPicker picker_;
  std::optional<Program> program_;
  int forward_steps_ = 0;  // the loss is the last of them
  Array input_;
  std::map<std::pair<int, std::string>, ModelArray> arrays_;
  std::vector<TensorSpec> specs_;
  std::vector<v1::Tensor> retained_;     // of dead nodes, by number of the tensor
  std::map<Key, Array> second_moments_;  // of trained tensors
  std::map<Key, Array> averages_;        // of weights and running statistics
  std::vector<OptimizedParameter> parameters_;
  int64_t steps_done_ = 0;  // since the last import of a model
  Targets targets_;         // of the batch at hand
  LossSettings loss_;
  LossSums sums_;
};

}  // namespace
}  // namespace onednn

namespace {

absl::StatusOr<std::unique_ptr<onednn::OneDnnTrainingPlan>> Build(const GraphView& view, int batch,
                                                                  const PlanOptions& options) {
  std::unique_ptr<onednn::OneDnnTrainingPlan> plan;
  RETURN_IF_ERROR(onednn::Guarded("training plan", [&] {
    plan = std::make_unique<onednn::OneDnnTrainingPlan>(view, batch, options);
    return plan->Build();
  }));
  return plan;
}

// Memory that any plan takes: backward passes need the outputs of convolutions, in bf16 at least.
int64_t LeastBytes(const GraphView& view, int batch) {
  int64_t values = 0;
  for (size_t i = 1; i < view.inputs.size(); ++i) {
    const int n = static_cast<int>(i);
    if (!view.live[i] || view.node(n).op() != v1::OPERATOR_CONVOLUTION) continue;
    const v1::Shape& shape = view.shape(n);
    values += int64_t{shape.channels()} * shape.height() * shape.width();
  }
  return values * batch * static_cast<int64_t>(sizeof(uint16_t));
}

// What the faster precision depends on, so that a search over like networks times it once.
std::string PrecisionKey(const GraphView& view, int batch, int threads) {
  std::set<int> operators;
  uint64_t spatial = 0, pointwise = 0, depthwise = 0;  // multiply-accumulates
  for (size_t i = 1; i < view.inputs.size(); ++i) {
    if (!view.live[i]) continue;
    const v1::Node& node = view.node(static_cast<int>(i));
    operators.insert(node.op());
    const v1::Convolution& c = node.convolution();
    uint64_t* macs = c.groups() > 1                                  ? &depthwise
                     : c.kernel_height() > 1 || c.kernel_width() > 1 ? &spatial
                                                                     : &pointwise;
    *macs += static_cast<uint64_t>(view.costs.nodes[i].macs * batch);
  }
  return absl::StrCat("precision ", threads, " threads operators ", absl::StrJoin(operators, ","),
                      " bits of MACs ", std::bit_width(spatial), " ", std::bit_width(pointwise),
                      " ", std::bit_width(depthwise));
}

// Samples on which precisions are compared: more would take memory that the training does not.
constexpr int kComparedBatch = 32;

// A forward and a backward pass with `options`; infinite if there is no memory for them.
absl::StatusOr<absl::Duration> TimePasses(const GraphView& view, int batch,
                                          const PlanOptions& options) {
  const absl::StatusOr<std::unique_ptr<onednn::OneDnnTrainingPlan>> plan =
      Build(view, batch, options);
  if (absl::IsResourceExhausted(plan.status())) return absl::InfiniteDuration();
  RETURN_IF_ERROR(plan.status());
  absl::Duration took;
  RETURN_IF_ERROR(onednn::Guarded("timing", [&] {
    took = (*plan)->TimePasses(options.picking_clock);
    return absl::OkStatus();
  }));
  return took;
}

// f32 takes twice the memory, and a timing may be off by some percent: it must lead by more.
constexpr double kClearly = 0.9;

// The faster precision: remembered, timed, or mixed unless f32 clearly leads.
absl::StatusOr<std::unique_ptr<onednn::OneDnnTrainingPlan>> BuildFaster(const GraphView& view,
                                                                        int batch,
                                                                        PlanOptions options) {
  const std::string key = PrecisionKey(view, batch, options.threads);
  std::string choice = "mixed";
  if (options.picks != nullptr && options.picks->count(key) != 0) {
    choice = options.picks->at(key);
  } else if (options.picking_clock != nullptr) {
    const int compared = std::min(batch, kComparedBatch);
    options.precision = Precision::kMixed;
    ASSIGN_OR_RETURN(const absl::Duration mixed, TimePasses(view, compared, options));
    options.precision = Precision::kF32;
    ASSIGN_OR_RETURN(const absl::Duration f32, TimePasses(view, compared, options));
    if (f32 < kClearly * mixed) choice = "f32";
    // A limit that one of them was over is this trial's, and says nothing of what is faster.
    const bool timed = std::max(mixed, f32) < absl::InfiniteDuration();
    if (timed && options.picks != nullptr) (*options.picks)[key] = choice;
  }
  options.precision = choice == "f32" ? Precision::kF32 : Precision::kMixed;
  absl::StatusOr<std::unique_ptr<onednn::OneDnnTrainingPlan>> plan = Build(view, batch, options);
  if (choice == "f32" && absl::IsResourceExhausted(plan.status())) {
    choice = "mixed";  // takes half
    options.precision = Precision::kMixed;
    plan = Build(view, batch, options);
  }
  if (plan.ok()) (*plan)->NotePrecision(key, choice);
  return plan;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TrainingPlan>> TrainingPlan::Create(
    const v1::Architecture& architecture, int batch, const PlanOptions& options) {
  ASSIGN_OR_RETURN(const GraphView view, ViewGraph(architecture));
  RETURN_IF_ERROR(onednn::CheckPlan(view, batch, options));
  // Timing takes memory, too: what cannot fit is refused before it.
  if (options.admit) RETURN_IF_ERROR(options.admit(LeastBytes(view, batch)));
  if (options.precision == Precision::kAuto && onednn::HasBf16()) {
    return BuildFaster(view, batch, options);
  }
  return Build(view, batch, options);
}

}  // namespace frontier::worker
