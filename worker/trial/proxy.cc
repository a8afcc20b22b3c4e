#include "worker/trial/proxy.h"

#include <Eigen/Dense>
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/architecture/graph.h"
#include "common/base/status.h"
#include "common/model_io/parameters.h"
#include "worker/batching/batches.h"
#include "worker/engine/reference/network.h"
#include "worker/engine/training_plan.h"
#include "worker/trial/memory_use.h"

namespace frontier::worker {
namespace {

constexpr size_t kMostSamples = 64;
// Batch norm divides by the root of the variance plus this.
constexpr float kEpsilon = 1e-5f;
// So small that no network's outputs leave the range of a double; R is linear in it.
constexpr double kInput = 1e-200;

bool IsRectifier(v1::Operator op) {
  switch (op) {
    case v1::OPERATOR_RELU:
    case v1::OPERATOR_RELU6:
    case v1::OPERATOR_LEAKY_RELU:
    case v1::OPERATOR_SILU:
    case v1::OPERATOR_HARD_SWISH:
    case v1::OPERATOR_GELU:
      return true;
    default:
      return false;
  }
}

// The first samples as one batch.
absl::StatusOr<Batch> FirstBatch(const v1::Model& model, const Samples& samples,
                                 absl::Span<const int32_t> indices) {
  Batch first;
  const absl::Span<const int32_t> some = indices.first(std::min(indices.size(), kMostSamples));
  RETURN_IF_ERROR(ForEachBatch(samples, some, model.normalization(), static_cast<int>(some.size()),
                               [&](const Batch& batch, int) {
                                 first = batch;
                                 return absl::OkStatus();
                               }));
  return first;
}

absl::StatusOr<std::unique_ptr<TrainingPlan>> MakePlan(const v1::Model& model, const Batch& batch,
                                                       const ProxyOptions& options,
                                                       PlanOptions plan_options) {
  plan_options.threads = options.threads;
  plan_options.admit = [&options](int64_t bytes) {
    return CheckMemory(ReadMemoryUse(), bytes, options.memory_bytes);
  };
  ASSIGN_OR_RETURN(std::unique_ptr<TrainingPlan> plan,
                   TrainingPlan::Create(model.architecture(), static_cast<int>(batch.labels.size()),
                                        plan_options));
  RETURN_IF_ERROR(plan->ImportModel(model));
  return plan;
}

absl::StatusOr<double> Naswot(const v1::Model& model, const Batch& batch,
                              const ProxyOptions& options) {
  std::vector<std::vector<bool>> codes(batch.labels.size());
  PlanOptions plan_options;
  plan_options.observe_activation = [&](int node, absl::Span<const float> values) {
    if (!IsRectifier(model.architecture().nodes(node).op())) return;
    const size_t each = values.size() / codes.size();
    for (size_t i = 0; i < codes.size(); ++i) {
      for (const float value : values.subspan(i * each, each)) codes[i].push_back(value > 0);
    }
  };
  ASSIGN_OR_RETURN(const std::unique_ptr<TrainingPlan> plan,
                   MakePlan(model, batch, options, std::move(plan_options)));
  RETURN_IF_ERROR(plan->Step(batch.images, batch.labels, OptimizerSettings()).status());
  if (codes[0].empty()) {
    return absl::FailedPreconditionError("naswot wants a network with rectifiers, it has none");
  }
  return LogDeterminant(codes);
}

absl::StatusOr<double> GradientNorm(const v1::Model& model, const Batch& batch,
                                    const ProxyOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<TrainingPlan> plan,
                   MakePlan(model, batch, options, PlanOptions()));
  // A plain step of rate 1 moves the weights by their gradient.
  OptimizerSettings step;
  step.learning_rate = 1;
  step.kind = OptimizerKind::kSgd;
  RETURN_IF_ERROR(plan->Step(batch.images, batch.labels, step).status());
  v1::Model after;
  RETURN_IF_ERROR(plan->ExportModel(&after));
  double sum = 0;
  for (int i = 0; i < model.tensors_size(); ++i) {
    if (model.tensors(i).name() != "weight") continue;
    const std::vector<float> old_values = TensorValues(model.tensors(i));
    const std::vector<float> new_values = TensorValues(after.tensors(i));
    double squares = 0;
    for (size_t k = 0; k < old_values.size(); ++k) {
      const double gradient = static_cast<double>(old_values[k]) - new_values[k];
      squares += gradient * gradient;
    }
    sum += std::sqrt(squares);
  }
  return sum;
}

// The network whose outputs SynFlow sums up, with all weights times `scale`.
v1::Model Linearized(const v1::Model& model, double scale) {
  v1::Model linear = model;
  for (v1::Node& node : *linear.mutable_architecture()->mutable_nodes()) {
    if (!IsRectifier(node.op())) continue;
    node.set_op(v1::OPERATOR_IDENTITY);
    node.clear_attributes();  // an identity with a slope is none
  }
  for (v1::Tensor& tensor : *linear.mutable_tensors()) {
    std::vector<float> values = TensorValues(tensor);
    for (float& value : values) {
      if (tensor.name() == "weight") {
        value = static_cast<float>(std::abs(value) * scale);
      } else if (tensor.name() == "scale") {
        value = 1;
      } else if (tensor.name() == "variance") {
        value = 1 - kEpsilon;
      } else {
        value = 0;
      }
    }
    SetTensorValues(values, &tensor);
  }
  return linear;
}

// Sum over the outputs for an input of ones, per unit of it.
absl::StatusOr<double> LogFlow(const v1::Model& model, double scale) {
  ASSIGN_OR_RETURN(const reference::Network network,
                   reference::Network::Create(Linearized(model, scale)));
  const v1::Shape& shape = model.architecture().input();
  const std::vector<double> ones(static_cast<size_t>(shape.channels()) *
                                     static_cast<size_t>(shape.height()) *
                                     static_cast<size_t>(shape.width()),
                                 kInput);
  double sum = 0;
  for (const double output : network.Infer(ones, /*batch=*/1)) sum += output;
  return std::log(sum) - std::log(kInput);
}

// The reference keeps the outputs of all nodes as doubles; weights exist in f32, copied once, and
// as doubles.
absl::Status CheckFlowMemory(const v1::Model& model, int64_t memory_bytes) {
  constexpr int64_t kMost = int64_t{1} << 60;  // twice this does not overflow
  ASSIGN_OR_RETURN(const GraphCosts costs, AnalyzeGraph(model.architecture()));
  const int64_t outputs = 2 * std::min(costs.activation_bytes, kMost);
  const int64_t weights = 3 * static_cast<int64_t>(model.ByteSizeLong());
  return CheckMemory(ReadMemoryUse(), outputs + weights, memory_bytes);
}

absl::StatusOr<double> SynFlow(const v1::Model& model, const ProxyOptions& options) {
  RETURN_IF_ERROR(CheckFlowMemory(model, options.memory_bytes));
  // By Euler, the sum of w dR/dw is the derivative of R by a factor on all weights, at 1.
  constexpr double kStep = 0x1p-10;
  ASSIGN_OR_RETURN(const double flow, LogFlow(model, 1));
  ASSIGN_OR_RETURN(const double more, LogFlow(model, 1 + kStep));
  ASSIGN_OR_RETURN(const double less, LogFlow(model, 1 - kStep));
  return flow + std::log((more - less) / (std::log1p(kStep) - std::log1p(-kStep)));
}

}  // namespace

absl::string_view ProxyName(v1::Proxy proxy) {
  switch (proxy) {
    case v1::PROXY_NASWOT:
      return "naswot";
    case v1::PROXY_SYNFLOW:
      return "synflow";
    case v1::PROXY_GRADIENT_NORM:
      return "gradient_norm";
    default:
      return "?";
  }
}

double LogDeterminant(absl::Span<const std::vector<bool>> codes) {
  constexpr size_t kBits = 64;
  // Whole words are compared: each code meets every other.
  std::vector<std::vector<uint64_t>> words(codes.size());
  for (size_t i = 0; i < codes.size(); ++i) {
    words[i].resize((codes[i].size() + kBits - 1) / kBits);
    for (size_t k = 0; k < codes[i].size(); ++k) {
      words[i][k / kBits] |= uint64_t{codes[i][k]} << (k % kBits);
    }
  }
  const auto n = static_cast<Eigen::Index>(codes.size());
  Eigen::MatrixXd kernel(n, n);
  for (size_t i = 0; i < codes.size(); ++i) {
    for (size_t j = 0; j <= i; ++j) {
      auto alike = static_cast<int64_t>(codes[i].size());
      for (size_t w = 0; w < words[i].size(); ++w)
        alike -= std::popcount(words[i][w] ^ words[j][w]);
      kernel(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = kernel(
          static_cast<Eigen::Index>(j), static_cast<Eigen::Index>(i)) = static_cast<double>(alike);
    }
  }
  double sum = 0;
  // Equal samples make it singular, whatever the network.
  const Eigen::LDLT<Eigen::MatrixXd> decomposition(kernel);
  for (const double d : decomposition.vectorD()) {
    sum += std::log(std::max(std::abs(d), 1e-6));
  }
  return sum;
}

absl::StatusOr<double> ScoreUntrained(v1::Proxy proxy, const v1::Model& model,
                                      const Samples& samples, absl::Span<const int32_t> indices,
                                      const ProxyOptions& options) {
  ASSIGN_OR_RETURN(const Batch batch, FirstBatch(model, samples, indices));
  absl::StatusOr<double> score;
  switch (proxy) {
    case v1::PROXY_NASWOT:
      score = Naswot(model, batch, options);
      break;
    case v1::PROXY_SYNFLOW:
      score = SynFlow(model, options);
      break;
    case v1::PROXY_GRADIENT_NORM:
      score = GradientNorm(model, batch, options);
      break;
    default:
      return absl::InvalidArgumentError(absl::StrCat("unknown proxy ", static_cast<int>(proxy)));
  }
  RETURN_IF_ERROR(score.status());
  if (!std::isfinite(*score)) {
    return absl::OutOfRangeError(absl::StrCat(ProxyName(proxy), " is ", *score));
  }
  return score;
}

}  // namespace frontier::worker
