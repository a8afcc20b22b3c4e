#include "common/architecture/builder.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/architecture/graph.h"
#include "common/base/status.h"

namespace frontier {

v1::Convolution SquareConvolution(int out_channels, int kernel, int stride, int groups) {
  const int padding = (kernel - 1) / 2;
  v1::Convolution attributes;
  attributes.set_out_channels(out_channels);
  attributes.set_kernel_height(kernel);
  attributes.set_kernel_width(kernel);
  attributes.set_stride_height(stride);
  attributes.set_stride_width(stride);
  attributes.set_padding_height(padding);
  attributes.set_padding_width(padding);
  attributes.set_dilation_height(1);
  attributes.set_dilation_width(1);
  attributes.set_groups(groups == 0 ? out_channels : groups);
  return attributes;
}

v1::Pool SquarePool(int kernel, int stride) {
  const int padding = (kernel - 1) / 2;
  v1::Pool attributes;
  attributes.set_kernel_height(kernel);
  attributes.set_kernel_width(kernel);
  attributes.set_stride_height(stride);
  attributes.set_stride_width(stride);
  attributes.set_padding_height(padding);
  attributes.set_padding_width(padding);
  return attributes;
}

ArchitectureBuilder::ArchitectureBuilder(const v1::Shape& input, int classes) {
  *architecture_.mutable_input() = input;
  architecture_.set_classes(classes);
  v1::Node* node = architecture_.add_nodes();
  node->set_name("input");
  node->set_op(v1::OPERATOR_INPUT);
  shapes_.push_back(input);
}

const v1::Shape& ArchitectureBuilder::shape(int node) const {
  if (!status_.ok() || node < 0 || node >= static_cast<int>(shapes_.size())) {
    return v1::Shape::default_instance();
  }
  return shapes_[node];
}

v1::Node* ArchitectureBuilder::NewNode(absl::string_view name, v1::Operator op,
                                       absl::Span<const int> inputs) {
  v1::Node* node = architecture_.add_nodes();
  node->set_name(std::string(name));
  node->set_op(op);
  for (int input : inputs) node->add_inputs(input);
  return node;
}

int ArchitectureBuilder::Finish() {
  const int index = architecture_.nodes_size() - 1;
  const v1::Node& node = architecture_.nodes(index);
  if (status_.ok()) {
    std::vector<v1::Shape> inputs;
    inputs.reserve(node.inputs_size());
    for (int input : node.inputs()) {
      if (input < 0 || input >= index) {
        status_ = InvalidField("inputs", absl::StrCat(input, " is not an earlier node"));
        break;
      }
      inputs.push_back(shapes_[input]);
    }
    if (status_.ok()) {
      absl::StatusOr<NodeCosts> costs = AnalyzeNode(node, inputs);
      if (costs.ok()) {
        shapes_.push_back(std::move(costs->output));
        return index;
      }
      status_ = costs.status();
    }
    status_ = PrefixField(absl::StrCat("nodes[", index, "]"), status_);
  }
  architecture_.mutable_nodes()->RemoveLast();
  return 0;
}

int ArchitectureBuilder::AddPlain(absl::string_view name, v1::Operator op,
                                  absl::Span<const int> inputs) {
  NewNode(name, op, inputs);
  return Finish();
}

int ArchitectureBuilder::Convolution(absl::string_view name, int input,
                                     const v1::Convolution& attributes) {
  *NewNode(name, v1::OPERATOR_CONVOLUTION, {input})->mutable_convolution() = attributes;
  return Finish();
}

int ArchitectureBuilder::BatchNorm(absl::string_view name, int input) {
  return AddPlain(name, v1::OPERATOR_BATCH_NORM, {input});
}

int ArchitectureBuilder::Relu(absl::string_view name, int input) {
  return AddPlain(name, v1::OPERATOR_RELU, {input});
}

int ArchitectureBuilder::MaxPool(absl::string_view name, int input, const v1::Pool& attributes) {
  *NewNode(name, v1::OPERATOR_MAX_POOL, {input})->mutable_pool() = attributes;
  return Finish();
}

int ArchitectureBuilder::AveragePool(absl::string_view name, int input,
                                     const v1::Pool& attributes) {
  *NewNode(name, v1::OPERATOR_AVERAGE_POOL, {input})->mutable_pool() = attributes;
  return Finish();
}

int ArchitectureBuilder::GlobalAveragePool(absl::string_view name, int input) {
  return AddPlain(name, v1::OPERATOR_GLOBAL_AVERAGE_POOL, {input});
}

int ArchitectureBuilder::Add(absl::string_view name, absl::Span<const int> inputs) {
  return AddPlain(name, v1::OPERATOR_ADD, inputs);
}

int ArchitectureBuilder::Concat(absl::string_view name, absl::Span<const int> inputs) {
  return AddPlain(name, v1::OPERATOR_CONCAT, inputs);
}

int ArchitectureBuilder::Identity(absl::string_view name, int input) {
  return AddPlain(name, v1::OPERATOR_IDENTITY, {input});
}

int ArchitectureBuilder::Relu6(absl::string_view name, int input) {
  return AddPlain(name, v1::OPERATOR_RELU6, {input});
}

int ArchitectureBuilder::Sigmoid(absl::string_view name, int input) {
  return AddPlain(name, v1::OPERATOR_SIGMOID, {input});
}

int ArchitectureBuilder::Silu(absl::string_view name, int input) {
  return AddPlain(name, v1::OPERATOR_SILU, {input});
}

int ArchitectureBuilder::HardSwish(absl::string_view name, int input) {
  return AddPlain(name, v1::OPERATOR_HARD_SWISH, {input});
}

int ArchitectureBuilder::HardSigmoid(absl::string_view name, int input) {
  return AddPlain(name, v1::OPERATOR_HARD_SIGMOID, {input});
}

int ArchitectureBuilder::Gelu(absl::string_view name, int input) {
  return AddPlain(name, v1::OPERATOR_GELU, {input});
}

int ArchitectureBuilder::Zero(absl::string_view name, int input) {
  return AddPlain(name, v1::OPERATOR_ZERO, {input});
}

int ArchitectureBuilder::LeakyRelu(absl::string_view name, int input, float slope) {
  NewNode(name, v1::OPERATOR_LEAKY_RELU, {input})->mutable_leaky_relu()->set_slope(slope);
  return Finish();
}

int ArchitectureBuilder::Multiply(absl::string_view name, int input, int other) {
  return AddPlain(name, v1::OPERATOR_MULTIPLY, {input, other});
}

int ArchitectureBuilder::ChannelShuffle(absl::string_view name, int input, int groups) {
  NewNode(name, v1::OPERATOR_CHANNEL_SHUFFLE, {input})
      ->mutable_channel_shuffle()
      ->set_groups(groups);
  return Finish();
}

int ArchitectureBuilder::ChannelSlice(absl::string_view name, int input, int first, int channels) {
  v1::ChannelSlice* attributes =
      NewNode(name, v1::OPERATOR_CHANNEL_SLICE, {input})->mutable_channel_slice();
  attributes->set_first(first);
  attributes->set_channels(channels);
  return Finish();
}

int ArchitectureBuilder::Dropout(absl::string_view name, int input, float rate) {
  NewNode(name, v1::OPERATOR_DROPOUT, {input})->mutable_dropout()->set_rate(rate);
  return Finish();
}

int ArchitectureBuilder::Linear(absl::string_view name, int input, int out_features, bool bias) {
  v1::Linear* attributes = NewNode(name, v1::OPERATOR_LINEAR, {input})->mutable_linear();
  attributes->set_out_features(out_features);
  attributes->set_bias(bias);
  return Finish();
}

int ArchitectureBuilder::ConvolutionRelu(absl::string_view name, int input,
                                         v1::Convolution attributes) {
  attributes.set_bias(true);
  return Relu(absl::StrCat(name, ".relu"), Convolution(name, input, attributes));
}

int ArchitectureBuilder::ConvolutionNorm(absl::string_view name, int input,
                                         const v1::Convolution& attributes) {
  return BatchNorm(absl::StrCat(name, ".norm"), Convolution(name, input, attributes));
}

int ArchitectureBuilder::ConvolutionNormRelu(absl::string_view name, int input,
                                             const v1::Convolution& attributes) {
  return Relu(absl::StrCat(name, ".relu"), ConvolutionNorm(name, input, attributes));
}

int ArchitectureBuilder::Classifier(int input) {
  return Linear("classifier", GlobalAveragePool("pool", input), architecture_.classes());
}

absl::StatusOr<v1::Architecture> ArchitectureBuilder::Build() const {
  RETURN_IF_ERROR(status_);
  RETURN_IF_ERROR(AnalyzeGraph(architecture_).status());
  return architecture_;
}

}  // namespace frontier
