#include "tests/integration/cells/cell_function.h"

#include <cstddef>

#include "common/base/random.h"
#include "worker/engine/reference/layers.h"

namespace frontier::testing {
namespace {

using worker::reference::Tensor;
using worker::reference::Vector;

constexpr double kEpsilon = 1e-5;

Vector RandomVector(size_t size, double scale, double offset, Rng* rng) {
  Vector values(size);
  for (double& value : values) value = offset + scale * rng->Normal();
  return values;
}

void ComputeNode(const v1::Node& node, const std::vector<const Tensor*>& inputs, uint64_t seed,
                 Tensor* y) {
  Rng rng(seed);
  const Tensor& x = *inputs[0];
  switch (node.op()) {
    case v1::OPERATOR_CONVOLUTION: {
      const v1::Convolution& a = node.convolution();
      const auto size =
          static_cast<size_t>(a.out_channels() * x.c * a.kernel_height() * a.kernel_width());
      worker::reference::ConvolutionForward(a, x, RandomVector(size, 0.5, 0, &rng), {}, y);
      break;
    }
    case v1::OPERATOR_BATCH_NORM: {
      const auto size = static_cast<size_t>(x.c);
      const Vector scale = RandomVector(size, 1, 0, &rng);
      const Vector shift = RandomVector(size, 1, 0, &rng);
      const Vector mean = RandomVector(size, 0.5, 0, &rng);
      Vector variance = RandomVector(size, 0.3, 0, &rng);
      for (double& value : variance) value = 0.5 + value * value;
      worker::reference::BatchNormInference(x, scale, shift, mean, variance, kEpsilon, y);
      break;
    }
    case v1::OPERATOR_LINEAR: {
      const auto out = static_cast<size_t>(node.linear().out_features());
      const Vector weight = RandomVector(out * static_cast<size_t>(x.c), 1, 0, &rng);
      worker::reference::LinearForward(x, weight, RandomVector(out, 1, 0, &rng), y);
      break;
    }
    case v1::OPERATOR_AVERAGE_POOL:
      worker::reference::AveragePoolForward(node.pool(), x, y);
      break;
    case v1::OPERATOR_GLOBAL_AVERAGE_POOL: {
      v1::Pool all;
      all.set_kernel_height(x.h);
      all.set_kernel_width(x.w);
      all.set_stride_height(1);
      all.set_stride_width(1);
      worker::reference::AveragePoolForward(all, x, y);
      break;
    }
    case v1::OPERATOR_RELU:
      worker::reference::ActivationForward(node, x, y);
      break;
    case v1::OPERATOR_IDENTITY:
      y->v = x.v;
      break;
    case v1::OPERATOR_ADD:
      for (const Tensor* term : inputs) {
        for (size_t i = 0; i < y->v.size(); ++i) y->v[i] += term->v[i];
      }
      break;
    default:
      break;  // a zero: as it was made
  }
}

}  // namespace

std::vector<double> Compute(const v1::Architecture& architecture, const GraphCosts& costs,
                            const WeightSeeds& seeds, const std::vector<double>& images, int batch,
                            const Folding* folding) {
  std::vector<Tensor> values(static_cast<size_t>(architecture.nodes_size()));
  values[0] = Tensor(batch, architecture.input());
  values[0].v = images;
  std::vector<const Tensor*> inputs;
  for (size_t i = 1; i < values.size(); ++i) {
    if (folding != nullptr && !folding->live[i]) continue;
    const v1::Node& node = architecture.nodes(static_cast<int>(i));
    inputs.clear();
    if (folding != nullptr) {
      for (const int32_t input : folding->inputs(i)) inputs.push_back(&values[input]);
    } else {
      for (const int32_t input : node.inputs()) inputs.push_back(&values[input]);
    }
    Tensor y(batch, costs.nodes[i].output);
    if (node.op() != v1::OPERATOR_ZERO) ComputeNode(node, inputs, seeds[i], &y);
    values[i] = std::move(y);
  }
  return folding != nullptr ? values[static_cast<size_t>(folding->output)].v : values.back().v;
}

}  // namespace frontier::testing
