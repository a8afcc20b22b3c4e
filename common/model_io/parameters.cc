#include "common/model_io/parameters.h"

#include <bit>
#include <cstring>

namespace frontier {
namespace {

uint32_t LittleEndian(uint32_t word) {
  if constexpr (std::endian::native == std::endian::big) return __builtin_bswap32(word);
  return word;
}

}  // namespace

int64_t TensorSpec::elements() const {
  int64_t product = 1;
  for (const int64_t d : dimensions) product *= d;
  return product;
}

std::vector<TensorSpec> TensorSpecs(const v1::Architecture& architecture, const GraphCosts& costs) {
  std::vector<TensorSpec> specs;
  for (int i = 0; i < architecture.nodes_size(); ++i) {
    const v1::Node& node = architecture.nodes(i);
    if (node.op() == v1::OPERATOR_INPUT) continue;
    const v1::Shape& in = costs.nodes[static_cast<size_t>(node.inputs(0))].output;
    switch (node.op()) {
      case v1::OPERATOR_CONVOLUTION: {
        const v1::Convolution& c = node.convolution();
        if (c.bias()) specs.push_back({i, "bias", {c.out_channels()}, true});
        specs.push_back(
            {i,
             "weight",
             {c.out_channels(), in.channels() / c.groups(), c.kernel_height(), c.kernel_width()},
             true});
        break;
      }
      case v1::OPERATOR_LINEAR: {
        const v1::Linear& l = node.linear();
        if (l.bias()) specs.push_back({i, "bias", {l.out_features()}, true});
        specs.push_back({i,
                         "weight",
                         {l.out_features(), int64_t{in.channels()} * in.height() * in.width()},
                         true});
        break;
      }
      case v1::OPERATOR_BATCH_NORM:
        specs.push_back({i, "mean", {in.channels()}, false});
        specs.push_back({i, "scale", {in.channels()}, true});
        specs.push_back({i, "shift", {in.channels()}, true});
        specs.push_back({i, "variance", {in.channels()}, false});
        break;
      default:
        break;
    }
  }
  return specs;
}

std::vector<float> TensorValues(const v1::Tensor& tensor) {
  std::vector<float> values(tensor.data().size() / sizeof(float));
  for (size_t i = 0; i < values.size(); ++i) {
    uint32_t word;
    std::memcpy(&word, tensor.data().data() + i * sizeof(word), sizeof(word));
    values[i] = std::bit_cast<float>(LittleEndian(word));
  }
  return values;
}

void SetTensorValues(absl::Span<const float> values, v1::Tensor* tensor) {
  std::string* data = tensor->mutable_data();
  data->resize(values.size() * sizeof(float));
  for (size_t i = 0; i < values.size(); ++i) {
    const uint32_t word = LittleEndian(std::bit_cast<uint32_t>(values[i]));
    std::memcpy(data->data() + i * sizeof(word), &word, sizeof(word));
  }
}

}  // namespace frontier
