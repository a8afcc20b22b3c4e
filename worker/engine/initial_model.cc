#include <cmath>
#include <vector>

#include "common/architecture/graph.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/model_io/parameters.h"
#include "worker/engine/training_plan.h"

namespace frontier::worker {
namespace {

// Standard deviation of the initial weights of a node.
double Deviation(const v1::Node& node, const TensorSpec& weight) {
  if (node.op() == v1::OPERATOR_LINEAR) {
    return std::sqrt(1.0 / static_cast<double>(weight.dimensions[1]));
  }
  const v1::Convolution& c = node.convolution();
  const double fan_out =
      static_cast<double>(c.out_channels()) / c.groups() * c.kernel_height() * c.kernel_width();
  return std::sqrt(2.0 / fan_out);
}

}  // namespace

absl::StatusOr<v1::Model> InitialModel(const v1::Architecture& architecture, uint64_t seed) {
  ASSIGN_OR_RETURN(const GraphCosts costs, AnalyzeGraph(architecture));
  v1::Model model;
  *model.mutable_architecture() = architecture;
  for (const TensorSpec& spec : TensorSpecs(architecture, costs)) {
    v1::Tensor* tensor = model.add_tensors();
    tensor->set_node(spec.node);
    tensor->set_name(spec.name);
    for (const int64_t d : spec.dimensions) tensor->add_dimensions(d);
    const bool one = spec.name == "scale" || spec.name == "variance";
    std::vector<float> values(static_cast<size_t>(spec.elements()), one ? 1.0f : 0.0f);
    if (spec.name == "weight") {
      // One stream for each node: a change in one layer leaves the others' weights alone.
      Rng rng(seed, static_cast<uint64_t>(spec.node));
      const double deviation = Deviation(architecture.nodes(spec.node), spec);
      for (float& v : values) v = static_cast<float>(deviation * rng.Normal());
    }
    SetTensorValues(values, tensor);
  }
  return model;
}

}  // namespace frontier::worker
