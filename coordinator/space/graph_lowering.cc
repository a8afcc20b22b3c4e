#include "coordinator/space/graph_lowering.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/architecture/builder.h"
#include "common/base/status.h"

namespace frontier::coordinator {
namespace {

class GraphLowering {
 public:
  GraphLowering(const GraphPlan& plan, const v1::Genotype& genotype,
                const std::vector<bool>& active, const v1::Shape& input, int classes)
      : plan_(plan),
        genotype_(genotype),
        active_(active),
        signal_(input.height() == 1),
        classes_(classes),
        b_(input, classes) {}

  absl::StatusOr<v1::Architecture> Run() {
    ListPresent();
    std::vector<bool> needed(plan_.nodes.size(), false);
    const int output = StandsFor(static_cast<int>(plan_.nodes.size()) - 1);
    if (output != kGraphSample) needed[output] = true;
    for (auto it = plan_.order.rbegin(); it != plan_.order.rend(); ++it) {
      if (!needed[*it]) continue;
      for (const int from : Inputs(*it)) {
        if (from != kGraphSample) needed[from] = true;
      }
    }
    layer_of_.assign(plan_.nodes.size(), 0);
    for (const int index : plan_.order) {
      if (needed[index]) RETURN_IF_ERROR(AddNode(index));
    }
    const absl::StatusOr<v1::Architecture> built = b_.Build();
    if (!built.ok()) {
      return Explain(output == kGraphSample ? "input" : plan_.nodes[output].name, built.status());
    }
    return built;
  }

 private:
  // Nothing if it is not given or its choice is not made.
  template <typename T>
  std::optional<T> Get(const GraphSetting<T>& setting) const {
    if (!setting.given()) return std::nullopt;
    if (setting.choice < 0) return setting.values.front();
    if (!active_[setting.choice]) return std::nullopt;
    return setting.values[genotype_.options(setting.choice)];
  }

  void ListPresent() {
    for (const GraphPlanNode& node : plan_.nodes) {
      bool present = Get(node.op).has_value();
      for (const Condition& condition : node.only_if) {
        present = present && active_[condition.decision] &&
                  std::binary_search(condition.options.begin(), condition.options.end(),
                                     genotype_.options(condition.decision));
      }
      present_.push_back(present);
    }
  }

  // What a node reads, absent ones among it.
  std::vector<int> Written(const GraphPlanNode& node) const {
    std::vector<int> written;
    for (const GraphSetting<int>& input : node.inputs) {
      const std::optional<int> from = Get(input);
      if (from.has_value() && *from != kGraphNoInput) written.push_back(*from);
    }
    // Nothing is left of its choices: the first that it might have read.
    if (written.empty()) {
      const int first = node.inputs.front().values.front();
      written.push_back(first == kGraphNoInput ? kGraphSample : first);
    }
    return written;
  }

  // The present node, or the sample, that stands for `index`.
  int StandsFor(int index) const {
    while (index != kGraphSample && !present_[index]) index = Written(plan_.nodes[index]).front();
    return index;
  }

  std::vector<int> Inputs(int index) const {
    const GraphPlanNode& node = plan_.nodes[index];
    const std::vector<int> written = Written(node);
    std::vector<int> inputs;
    if (node.inputs.size() > 1) {
      for (const int from : written) {
        if (from == kGraphSample || present_[from]) inputs.push_back(from);
      }
    }
    if (inputs.empty()) inputs.push_back(StandsFor(written.front()));
    return inputs;
  }

  absl::Status AddNode(int index) {
    const GraphPlanNode& node = plan_.nodes[index];
    std::vector<int> inputs;
    for (const int from : Inputs(index)) {
      inputs.push_back(from == kGraphSample ? b_.input() : layer_of_[from]);
    }
    const int repeat = Get(node.repeat).value_or(1);
    int layer = inputs.front();
    for (int i = 0; i < repeat; ++i) {
      const std::string name = repeat == 1 ? node.name : absl::StrCat(node.name, ".", i);
      ASSIGN_OR_RETURN(layer, AddLayer(node, *Get(node.op), name, inputs, /*first=*/i == 0));
      for (const GraphSetting<v1::Operator>& then : node.then) {
        const v1::Operator op = Get(then).value_or(v1::OPERATOR_IDENTITY);
        ASSIGN_OR_RETURN(layer, AddLayer(node, op, absl::StrCat(name, ".", OperatorWord(op)),
                                         {layer}, /*first=*/false));
      }
      inputs = {layer};
    }
    layer_of_[index] = layer;
    return absl::OkStatus();
  }

  absl::StatusOr<int> AddLayer(const GraphPlanNode& node, v1::Operator op, const std::string& name,
                               const std::vector<int>& inputs, bool first) {
    const bool joins =
        op == v1::OPERATOR_ADD || op == v1::OPERATOR_CONCAT || op == v1::OPERATOR_MULTIPLY;
    if (op == v1::OPERATOR_IDENTITY || (joins && inputs.size() == 1)) return inputs.front();
    if (!joins && inputs.size() > 1) {
      return absl::InvalidArgumentError(absl::StrCat("node '", node.name, "': ", OperatorWord(op),
                                                     " has one input, not ", inputs.size()));
    }
    if (op == v1::OPERATOR_MULTIPLY && inputs.size() > 2) {
      return absl::InvalidArgumentError(
          absl::StrCat("node '", node.name, "': multiply has two inputs, not ", inputs.size()));
    }
    if (++layers_ > kMaxGraphLayers) {
      return absl::InvalidArgumentError(
          absl::StrCat("node '", node.name, "': more than ", kMaxGraphLayers, " layers"));
    }
    const int layer = Build(node, op, Unused(name), inputs, first);
    if (b_.shape(layer).channels() == 0 || layer == 0) {
      return Explain(absl::StrCat(node.name, "' (", OperatorWord(op), ")"), b_.Build().status());
    }
    return layer;
  }

  // [relu, relu] gives two layers of one name.
  std::string Unused(const std::string& name) {
    return name == last_name_ ? absl::StrCat(name, layers_) : (last_name_ = name);
  }

  int Build(const GraphPlanNode& node, v1::Operator op, const std::string& name,
            const std::vector<int>& inputs, bool first) {
    const int x = inputs.front();
    switch (op) {
      case v1::OPERATOR_CONVOLUTION:
        return b_.Convolution(name, x, ConvolutionOf(node, b_.shape(x).channels(), first));
      case v1::OPERATOR_LINEAR:
        return b_.Linear(name, x, Get(node.features).value_or(classes_),
                         Get(node.bias).value_or(true));
      case v1::OPERATOR_BATCH_NORM:
        return b_.BatchNorm(name, x);
      case v1::OPERATOR_RELU:
        return b_.Relu(name, x);
      case v1::OPERATOR_MAX_POOL:
        return b_.MaxPool(name, x, PoolOf(node, first));
      case v1::OPERATOR_AVERAGE_POOL:
        return b_.AveragePool(name, x, PoolOf(node, first));
      case v1::OPERATOR_GLOBAL_AVERAGE_POOL:
        return b_.GlobalAveragePool(name, x);
      case v1::OPERATOR_ADD:
        return b_.Add(name, inputs);
      case v1::OPERATOR_CONCAT:
        return b_.Concat(name, inputs);
      case v1::OPERATOR_RELU6:
        return b_.Relu6(name, x);
      case v1::OPERATOR_LEAKY_RELU:
        return b_.LeakyRelu(name, x, Get(node.slope).value_or(0));
      case v1::OPERATOR_SIGMOID:
        return b_.Sigmoid(name, x);
      case v1::OPERATOR_SILU:
        return b_.Silu(name, x);
      case v1::OPERATOR_HARD_SWISH:
        return b_.HardSwish(name, x);
      case v1::OPERATOR_HARD_SIGMOID:
        return b_.HardSigmoid(name, x);
      case v1::OPERATOR_GELU:
        return b_.Gelu(name, x);
      case v1::OPERATOR_MULTIPLY:
        return b_.Multiply(name, inputs[0], inputs[1]);
      case v1::OPERATOR_CHANNEL_SHUFFLE:
        return b_.ChannelShuffle(name, x, GroupsOf(node, b_.shape(x).channels()));
      case v1::OPERATOR_DROPOUT:
        return b_.Dropout(name, x, Get(node.rate).value_or(0));
      case v1::OPERATOR_ZERO:
        return b_.Zero(name, x);
      default:
        return b_.Identity(name, x);
    }
  }

  GraphExtent ExtentOf(const GraphSetting<GraphExtent>& setting, int fallback, int flat) const {
    GraphExtent extent = Get(setting).value_or(GraphExtent{fallback, fallback, true});
    if (signal_ && extent.square) extent.height = flat;
    return extent;
  }

  GraphExtent PaddingOf(const GraphPlanNode& node, const GraphExtent& kernel,
                        const GraphExtent& dilation) const {
    if (Get(node.padding).has_value()) return ExtentOf(node.padding, 0, /*flat=*/0);
    return {dilation.height * (kernel.height - 1) / 2, dilation.width * (kernel.width - 1) / 2,
            false};
  }

  int GroupsOf(const GraphPlanNode& node, int channels) const {
    const int groups = Get(node.groups).value_or(1);
    return groups == 0 ? channels : groups;
  }

  v1::Convolution ConvolutionOf(const GraphPlanNode& node, int channels, bool first) const {
    const GraphExtent kernel = ExtentOf(node.kernel, 1, 1);
    const GraphExtent stride = first ? ExtentOf(node.stride, 1, 1) : GraphExtent{1, 1, true};
    const GraphExtent dilation = ExtentOf(node.dilation, 1, 1);
    const GraphExtent padding = PaddingOf(node, kernel, dilation);
    v1::Convolution attributes;
    attributes.set_out_channels(Get(node.channels).value_or(channels));
    attributes.set_kernel_height(kernel.height);
    attributes.set_kernel_width(kernel.width);
    attributes.set_stride_height(stride.height);
    attributes.set_stride_width(stride.width);
    attributes.set_padding_height(padding.height);
    attributes.set_padding_width(padding.width);
    attributes.set_dilation_height(dilation.height);
    attributes.set_dilation_width(dilation.width);
    attributes.set_groups(GroupsOf(node, channels));
    attributes.set_bias(Get(node.bias).value_or(false));
    return attributes;
  }

  v1::Pool PoolOf(const GraphPlanNode& node, bool first) const {
    const GraphExtent kernel = ExtentOf(node.kernel, 1, 1);
    const GraphExtent stride = first ? ExtentOf(node.stride, 1, 1) : GraphExtent{1, 1, true};
    const GraphExtent padding = PaddingOf(node, kernel, {1, 1, true});
    v1::Pool attributes;
    attributes.set_kernel_height(kernel.height);
    attributes.set_kernel_width(kernel.width);
    attributes.set_stride_height(stride.height);
    attributes.set_stride_width(stride.width);
    attributes.set_padding_height(padding.height);
    attributes.set_padding_width(padding.width);
    return attributes;
  }

  // The builder's own index of the layer means nothing to people.
  static absl::Status Explain(absl::string_view node, const absl::Status& status) {
    absl::string_view message = status.message();
    if (absl::ConsumePrefix(&message, "nodes[")) {
      message.remove_prefix(std::min(message.size(), message.find(']') + 1));
      absl::ConsumePrefix(&message, ".");
      absl::ConsumePrefix(&message, ": ");
    }
    const bool closed = absl::EndsWith(node, ")");
    return absl::InvalidArgumentError(
        absl::StrCat("node '", node, closed ? "" : "'", ": ", message));
  }

  const GraphPlan& plan_;
  const v1::Genotype& genotype_;
  const std::vector<bool>& active_;
  const bool signal_;  // samples of height 1
  const int classes_;
  ArchitectureBuilder b_;
  std::vector<bool> present_;  // by node
  std::vector<int> layer_of_;  // by node, once added
  int layers_ = 0;
  std::string last_name_;
};

}  // namespace

absl::StatusOr<v1::Architecture> LowerGraph(const GraphPlan& plan, const v1::Genotype& genotype,
                                            const std::vector<bool>& active, const v1::Shape& input,
                                            int classes) {
  return GraphLowering(plan, genotype, active, input, classes).Run();
}

}  // namespace frontier::coordinator
