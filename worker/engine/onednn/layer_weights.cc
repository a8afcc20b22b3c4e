#include "worker/engine/onednn/layer_weights.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/model_io/parameters.h"
#include "worker/engine/kernels/depthwise_u8.h"
#include "worker/engine/kernels/number_format.h"
#include "worker/engine/onednn/geometry.h"

namespace frontier::worker::onednn {
namespace {

void LoadDepthwise(const PackedLayer& layer, const std::vector<int8_t>& weights,
                   std::vector<float> biases, Program* program) {
  const float output_scale = *layer.depthwise_output_scale;
  std::vector<float> scales = layer.weight_scales;
  for (float& scale : scales) scale *= layer.input_scale / output_scale;
  biases.resize(scales.size(), 0.0f);
  for (float& bias : biases) bias /= output_scale;
  PackDepthwiseU8(weights, scales, biases, program->address(layer.weight));
}

void LoadLayer(const ModelValues& values, const PackedLayer& layer, Program* program) {
  LayerWeights weights = values.Folded(layer.node, layer.batch_norm);
  const size_t outputs = layer.weight_scales.size();
  if (outputs == 0) {
    program->Load(weights.weight.data(), layer.plain, layer.weight);
  } else {
    const size_t per_output = weights.weight.size() / outputs;
    std::vector<int8_t> quantized(weights.weight.size());
    for (size_t o = 0; o < outputs; ++o) {
      FromFloat({NumberType::kS8, layer.weight_scales[o]}, weights.weight.data() + o * per_output,
                static_cast<int64_t>(per_output), quantized.data() + o * per_output);
    }
    if (layer.depthwise_output_scale.has_value()) {
      return LoadDepthwise(layer, quantized, std::move(weights.bias), program);
    }
    for (size_t o = 0; o < weights.bias.size(); ++o) {
      // The library adds the bias before it scales.
      weights.bias[o] /= layer.input_scale * layer.weight_scales[o];
    }
    program->Load(quantized.data(), OfType(layer.plain, dnnl::memory::data_type::s8), layer.weight);
  }
  if (layer.bias.has_value()) {
    program->Load(weights.bias.data(), layer.bias->md, *layer.bias);
  }
}

}  // namespace

ModelValues::ModelValues(const v1::Model& model) {
  for (const v1::Tensor& tensor : model.tensors()) {
    values_[{tensor.node(), tensor.name()}] = TensorValues(tensor);
  }
}

const std::vector<float>& ModelValues::Get(int node, const std::string& name) const {
  const auto it = values_.find({node, name});
  return it == values_.end() ? none_ : it->second;
}

LayerWeights ModelValues::Folded(int node, int batch_norm) const {
  LayerWeights folded{Get(node, "weight"), Get(node, "bias")};
  if (batch_norm < 0) return folded;
  const std::vector<float>& mean = Get(batch_norm, "mean");
  const std::vector<float>& variance = Get(batch_norm, "variance");
  const std::vector<float>& scale = Get(batch_norm, "scale");
  const std::vector<float>& shift = Get(batch_norm, "shift");
  const size_t outputs = mean.size();
  folded.bias.resize(outputs, 0.0f);
  const size_t per_output = folded.weight.size() / outputs;
  for (size_t o = 0; o < outputs; ++o) {
    const double factor =
        scale[o] / std::sqrt(static_cast<double>(variance[o]) + double{kBatchNormEpsilon});
    for (size_t i = o * per_output; i < (o + 1) * per_output; ++i) {
      folded.weight[i] = static_cast<float>(folded.weight[i] * factor);
    }
    folded.bias[o] =
        static_cast<float>((static_cast<double>(folded.bias[o]) - mean[o]) * factor + shift[o]);
  }
  return folded;
}

std::vector<float> WeightScales(absl::Span<const float> weight, size_t outputs, float limit) {
  const size_t per_output = weight.size() / outputs;
  std::vector<float> scales(outputs);
  for (size_t o = 0; o < outputs; ++o) {
    float largest = 0;
    for (const float w : weight.subspan(o * per_output, per_output)) {
      largest = std::max(largest, std::fabs(w));
    }
    // Smaller ones than this would make the bias overflow; they do nothing.
    scales[o] = largest > 1e-20f ? largest / limit : 1;
  }
  return scales;
}

void LoadWeights(const ModelValues& values, const GraphView& view,
                 const std::vector<PackedLayer>& packed_layers,
                 const std::vector<NormLayer>& norm_layers, Program* program) {
  for (const PackedLayer& layer : packed_layers) LoadLayer(values, layer, program);
  for (const NormLayer& layer : norm_layers) {
    const Md vector = PlainMd({view.shape(layer.node).channels()});
    program->Load(values.Get(layer.node, "mean").data(), vector, layer.mean);
    program->Load(values.Get(layer.node, "variance").data(), vector, layer.variance);
    program->Load(values.Get(layer.node, "scale").data(), vector, layer.scale);
    program->Load(values.Get(layer.node, "shift").data(), vector, layer.shift);
  }
}

}  // namespace frontier::worker::onednn
