#include "common/architecture/graph.h"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status.h"

namespace frontier {
namespace {

constexpr int64_t kMaxExtent = std::numeric_limits<int32_t>::max();

bool SameShape(const v1::Shape& a, const v1::Shape& b) {
  return a.channels() == b.channels() && a.height() == b.height() && a.width() == b.width();
}

// False if the product does not fit; factors are not negative.
bool Product(std::initializer_list<int64_t> factors, int64_t* result) {
  *result = 1;
  for (int64_t factor : factors) {
    if (__builtin_mul_overflow(*result, factor, result)) return false;
  }
  return true;
}

bool Increase(int64_t* total, int64_t amount) {
  return !__builtin_add_overflow(*total, amount, total);
}

bool Elements(const v1::Shape& shape, int64_t* result) {
  return Product({shape.channels(), shape.height(), shape.width()}, result);
}

void SetShape(int64_t channels, int64_t height, int64_t width, v1::Shape* shape) {
  shape->set_channels(static_cast<int32_t>(channels));
  shape->set_height(static_cast<int32_t>(height));
  shape->set_width(static_cast<int32_t>(width));
}

// Shapes of the inputs of a node. They and costs are handed about by address: this runs for every
// node of every proposal.
using Inputs = absl::Span<const v1::Shape* const>;

absl::Status AtLeast(absl::string_view field, int64_t value, int64_t least) {
  if (value >= least) return absl::OkStatus();
  return InvalidField(field, absl::StrCat("is ", value, ", must be at least ", least));
}

// One spatial axis of a convolution or pool; `prefix` and `axis` make field names.
struct Window {
  absl::string_view prefix;
  absl::string_view axis;
  int64_t kernel;
  int64_t stride;
  int64_t padding;
  int64_t dilation;

  std::string Field(absl::string_view name) const { return absl::StrCat(prefix, ".", name, axis); }
};

// Positions of the window on an axis of `extent` pixels.
absl::StatusOr<int64_t> OutputExtent(const Window& window, int64_t extent) {
  // Names are made for errors only: this is called for every node of every proposal.
  if (window.kernel < 1) return AtLeast(window.Field("kernel"), window.kernel, 1);
  if (window.stride < 1) return AtLeast(window.Field("stride"), window.stride, 1);
  if (window.padding < 0) return AtLeast(window.Field("padding"), window.padding, 0);
  if (window.dilation < 1) return AtLeast(window.Field("dilation"), window.dilation, 1);
  // All operands fit in 31 bits, so nothing here leaves 64.
  const int64_t reach = window.dilation * (window.kernel - 1) + 1;
  const int64_t padded = extent + 2 * window.padding;
  if (reach > padded) {
    return InvalidField(window.Field("kernel"),
                        absl::StrCat("reaches over ", reach, " pixels, more than the ", padded,
                                     " of its padded input"));
  }
  const int64_t output = (padded - reach) / window.stride + 1;
  if (output > kMaxExtent) {
    return InvalidField(window.Field("padding"),
                        absl::StrCat(window.padding, " makes an output of ", output, " pixels"));
  }
  return output;
}

absl::Status Overflow(absl::string_view field, absl::string_view what) {
  return InvalidField(field, absl::StrCat("number of ", what, " does not fit in 63 bits"));
}

absl::Status AnalyzeConvolution(const v1::Convolution& attributes, const v1::Shape& input,
                                NodeCosts* costs) {
  const int64_t out_channels = attributes.out_channels();
  const int64_t groups = attributes.groups();
  RETURN_IF_ERROR(AtLeast("convolution.out_channels", out_channels, 1));
  RETURN_IF_ERROR(AtLeast("convolution.groups", groups, 1));
  if (input.channels() % groups != 0) {
    return InvalidField("convolution.groups", absl::StrCat(groups, " does not divide the ",
                                                           input.channels(), " input channels"));
  }
  if (out_channels % groups != 0) {
    return InvalidField("convolution.groups", absl::StrCat(groups, " does not divide the ",
                                                           out_channels, " output channels"));
  }
  ASSIGN_OR_RETURN(const int64_t height,
                   OutputExtent({"convolution", "_height", attributes.kernel_height(),
                                 attributes.stride_height(), attributes.padding_height(),
                                 attributes.dilation_height()},
                                input.height()));
  ASSIGN_OR_RETURN(
      const int64_t width,
      OutputExtent({"convolution", "_width", attributes.kernel_width(), attributes.stride_width(),
                    attributes.padding_width(), attributes.dilation_width()},
                   input.width()));
  SetShape(out_channels, height, width, &costs->output);
  int64_t weights = 0;
  if (!Product({out_channels, input.channels() / groups, attributes.kernel_height(),
                attributes.kernel_width()},
               &weights)) {
    return Overflow("convolution", "parameters");
  }
  costs->parameters = weights;
  if (attributes.bias() && !Increase(&costs->parameters, out_channels)) {
    return Overflow("convolution", "parameters");
  }
  if (!Product({weights, height, width}, &costs->macs)) {
    return Overflow("convolution", "multiply-accumulates");
  }
  return absl::OkStatus();
}

absl::Status AnalyzeLinear(const v1::Linear& attributes, const v1::Shape& input, NodeCosts* costs) {
  const int64_t out_features = attributes.out_features();
  RETURN_IF_ERROR(AtLeast("linear.out_features", out_features, 1));
  SetShape(out_features, 1, 1, &costs->output);
  int64_t in_features = 0;
  if (!Elements(input, &in_features) || !Product({in_features, out_features}, &costs->macs)) {
    return Overflow("linear", "parameters");
  }
  costs->parameters = costs->macs;
  if (attributes.bias() && !Increase(&costs->parameters, out_features)) {
    return Overflow("linear", "parameters");
  }
  return absl::OkStatus();
}

absl::Status AnalyzePool(const v1::Pool& attributes, const v1::Shape& input, NodeCosts* costs) {
  const Window vertical{"pool",
                        "_height",
                        attributes.kernel_height(),
                        attributes.stride_height(),
                        attributes.padding_height(),
                        1};
  const Window horizontal{"pool",
                          "_width",
                          attributes.kernel_width(),
                          attributes.stride_width(),
                          attributes.padding_width(),
                          1};
  ASSIGN_OR_RETURN(const int64_t height, OutputExtent(vertical, input.height()));
  ASSIGN_OR_RETURN(const int64_t width, OutputExtent(horizontal, input.width()));
  // Otherwise some windows would hold padding only, and have no maximum and no mean.
  for (const Window& window : {vertical, horizontal}) {
    if (window.padding >= window.kernel) {
      return InvalidField(
          window.Field("padding"),
          absl::StrCat(window.padding, " is not below the ", window.kernel, " of the kernel"));
    }
  }
  SetShape(input.channels(), height, width, &costs->output);
  return absl::OkStatus();
}

absl::Status AnalyzeAdd(Inputs inputs, NodeCosts* costs) {
  for (size_t i = 1; i < inputs.size(); ++i) {
    if (!SameShape(*inputs[0], *inputs[i])) {
      return InvalidField(absl::StrCat("inputs[", i, "]"),
                          absl::StrCat("has shape ", ShapeText(*inputs[i]), ", the first has ",
                                       ShapeText(*inputs[0])));
    }
  }
  costs->output = *inputs[0];
  return absl::OkStatus();
}

absl::Status AnalyzeConcat(Inputs inputs, NodeCosts* costs) {
  int64_t channels = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i]->height() != inputs[0]->height() || inputs[i]->width() != inputs[0]->width()) {
      return InvalidField(absl::StrCat("inputs[", i, "]"),
                          absl::StrCat("has shape ", ShapeText(*inputs[i]), ", the first has ",
                                       ShapeText(*inputs[0]), ": height and width must agree"));
    }
    channels += inputs[i]->channels();
    if (channels > kMaxExtent) {
      return InvalidField("inputs",
                          absl::StrCat("make ", channels, " channels, more than ", kMaxExtent));
    }
  }
  SetShape(channels, inputs[0]->height(), inputs[0]->width(), &costs->output);
  return absl::OkStatus();
}

// A gate of C x 1 x 1 is broadcast over the other input's pixels, whichever comes first.
absl::Status AnalyzeMultiply(Inputs inputs, NodeCosts* costs) {
  const auto gates = [](const v1::Shape& gate, const v1::Shape& other) {
    return gate.channels() == other.channels() && gate.height() == 1 && gate.width() == 1;
  };
  if (SameShape(*inputs[0], *inputs[1]) || gates(*inputs[1], *inputs[0])) {
    costs->output = *inputs[0];
  } else if (gates(*inputs[0], *inputs[1])) {
    costs->output = *inputs[1];
  } else {
    return InvalidField(
        "inputs[1]",
        absl::StrCat("has shape ", ShapeText(*inputs[1]), ", the first has ", ShapeText(*inputs[0]),
                     ": neither equal nor one of them C x 1 x 1 of the other"));
  }
  return absl::OkStatus();
}

absl::Status CheckChannelShuffle(const v1::ChannelShuffle& attributes, const v1::Shape& input) {
  RETURN_IF_ERROR(AtLeast("channel_shuffle.groups", attributes.groups(), 1));
  if (input.channels() % attributes.groups() != 0) {
    return InvalidField(
        "channel_shuffle.groups",
        absl::StrCat(attributes.groups(), " does not divide the ", input.channels(), " channels"));
  }
  return absl::OkStatus();
}

absl::Status CheckChannelSlice(const v1::ChannelSlice& attributes, const v1::Shape& input) {
  RETURN_IF_ERROR(AtLeast("channel_slice.first", attributes.first(), 0));
  RETURN_IF_ERROR(AtLeast("channel_slice.channels", attributes.channels(), 1));
  const int64_t end = int64_t{attributes.first()} + attributes.channels();
  if (end > input.channels()) {
    return InvalidField(
        "channel_slice.channels",
        absl::StrCat("ends at channel ", end, ", past the ", input.channels(), " of the input"));
  }
  return absl::OkStatus();
}

absl::Status CheckFraction(absl::string_view field, float value) {
  // A comparison that NaN fails.
  if (value >= 0.0f && value < 1.0f) return absl::OkStatus();
  return InvalidField(field, absl::StrCat("is ", value, ", must be at least 0 and below 1"));
}

// Which attributes the operator takes.
v1::Node::AttributesCase ExpectedAttributes(v1::Operator op) {
  switch (op) {
    case v1::OPERATOR_CONVOLUTION:
      return v1::Node::kConvolution;
    case v1::OPERATOR_LINEAR:
      return v1::Node::kLinear;
    case v1::OPERATOR_MAX_POOL:
    case v1::OPERATOR_AVERAGE_POOL:
      return v1::Node::kPool;
    case v1::OPERATOR_LEAKY_RELU:
      return v1::Node::kLeakyRelu;
    case v1::OPERATOR_CHANNEL_SHUFFLE:
      return v1::Node::kChannelShuffle;
    case v1::OPERATOR_DROPOUT:
      return v1::Node::kDropout;
    case v1::OPERATOR_CHANNEL_SLICE:
      return v1::Node::kChannelSlice;
    default:
      return v1::Node::ATTRIBUTES_NOT_SET;
  }
}

absl::string_view AttributesName(v1::Node::AttributesCase attributes) {
  switch (attributes) {
    case v1::Node::kConvolution:
      return "convolution";
    case v1::Node::kLinear:
      return "linear";
    case v1::Node::kPool:
      return "pool";
    case v1::Node::kLeakyRelu:
      return "leaky_relu";
    case v1::Node::kChannelShuffle:
      return "channel_shuffle";
    case v1::Node::kDropout:
      return "dropout";
    case v1::Node::kChannelSlice:
      return "channel_slice";
    case v1::Node::ATTRIBUTES_NOT_SET:
      break;
  }
  return "none";
}

absl::Status CheckForm(const v1::Node& node, size_t inputs) {
  if (node.op() == v1::OPERATOR_UNSPECIFIED || !v1::Operator_IsValid(node.op())) {
    return InvalidField("op", absl::StrCat("unknown operator ", static_cast<int>(node.op())));
  }
  const v1::Node::AttributesCase expected = ExpectedAttributes(node.op());
  if (node.attributes_case() != expected) {
    const bool missing = node.attributes_case() == v1::Node::ATTRIBUTES_NOT_SET;
    return InvalidField(AttributesName(missing ? expected : node.attributes_case()),
                        absl::StrCat(missing ? "missing for " : "not an attribute of ",
                                     v1::Operator_Name(node.op())));
  }
  bool fits = inputs == 1;
  absl::string_view takes = "one";
  switch (node.op()) {
    case v1::OPERATOR_INPUT:
      fits = inputs == 0;
      takes = "none";
      break;
    case v1::OPERATOR_ADD:
    case v1::OPERATOR_CONCAT:
      fits = inputs >= 2;
      takes = "two or more";
      break;
    case v1::OPERATOR_MULTIPLY:
      fits = inputs == 2;
      takes = "two";
      break;
    default:
      break;
  }
  if (fits) return absl::OkStatus();
  return InvalidField("inputs", absl::StrCat("has ", inputs, " entries, ",
                                             v1::Operator_Name(node.op()), " takes ", takes));
}

absl::Status MeasureNode(const v1::Node& node, Inputs inputs, NodeCosts* costs) {
  if (node.op() == v1::OPERATOR_INPUT) {
    return InvalidField("op", "OPERATOR_INPUT stands for node 0 and only for it");
  }
  RETURN_IF_ERROR(CheckForm(node, inputs.size()));
  const v1::Shape& first = *inputs[0];
  switch (node.op()) {
    case v1::OPERATOR_CONVOLUTION:
      return AnalyzeConvolution(node.convolution(), first, costs);
    case v1::OPERATOR_LINEAR:
      return AnalyzeLinear(node.linear(), first, costs);
    case v1::OPERATOR_MAX_POOL:
    case v1::OPERATOR_AVERAGE_POOL:
      return AnalyzePool(node.pool(), first, costs);
    case v1::OPERATOR_ADD:
      return AnalyzeAdd(inputs, costs);
    case v1::OPERATOR_CONCAT:
      return AnalyzeConcat(inputs, costs);
    case v1::OPERATOR_GLOBAL_AVERAGE_POOL:
      SetShape(first.channels(), 1, 1, &costs->output);
      return absl::OkStatus();
    case v1::OPERATOR_BATCH_NORM:
      costs->parameters = 2 * static_cast<int64_t>(first.channels());
      break;
    case v1::OPERATOR_MULTIPLY:
      return AnalyzeMultiply(inputs, costs);
    case v1::OPERATOR_LEAKY_RELU:
      RETURN_IF_ERROR(CheckFraction("leaky_relu.slope", node.leaky_relu().slope()));
      break;
    case v1::OPERATOR_CHANNEL_SHUFFLE:
      RETURN_IF_ERROR(CheckChannelShuffle(node.channel_shuffle(), first));
      break;
    case v1::OPERATOR_DROPOUT:
      RETURN_IF_ERROR(CheckFraction("dropout.rate", node.dropout().rate()));
      break;
    case v1::OPERATOR_CHANNEL_SLICE:
      RETURN_IF_ERROR(CheckChannelSlice(node.channel_slice(), first));
      SetShape(node.channel_slice().channels(), first.height(), first.width(), &costs->output);
      return absl::OkStatus();
    case v1::OPERATOR_RELU:
    case v1::OPERATOR_RELU6:
    case v1::OPERATOR_SIGMOID:
    case v1::OPERATOR_HARD_SIGMOID:
    case v1::OPERATOR_SILU:
    case v1::OPERATOR_HARD_SWISH:
    case v1::OPERATOR_GELU:
    case v1::OPERATOR_IDENTITY:
    case v1::OPERATOR_ZERO:
      break;
    default:
      return InvalidField("op", absl::StrCat("unknown operator ", static_cast<int>(node.op())));
  }
  SetShape(first.channels(), first.height(), first.width(), &costs->output);
  return absl::OkStatus();
}

}  // namespace

std::string ShapeText(const v1::Shape& shape) {
  return absl::StrCat(shape.channels(), "x", shape.height(), "x", shape.width());
}

absl::StatusOr<NodeCosts> AnalyzeNode(const v1::Node& node, absl::Span<const v1::Shape> inputs) {
  std::vector<const v1::Shape*> addresses;
  addresses.reserve(inputs.size());
  for (const v1::Shape& input : inputs) addresses.push_back(&input);
  NodeCosts costs;
  RETURN_IF_ERROR(MeasureNode(node, addresses, &costs));
  return costs;
}

absl::StatusOr<GraphCosts> AnalyzeGraph(const v1::Architecture& architecture) {
  const v1::Shape& input = architecture.input();
  RETURN_IF_ERROR(AtLeast("input.channels", input.channels(), 1));
  RETURN_IF_ERROR(AtLeast("input.height", input.height(), 1));
  RETURN_IF_ERROR(AtLeast("input.width", input.width(), 1));
  RETURN_IF_ERROR(AtLeast("classes", architecture.classes(), 1));
  if (architecture.nodes().empty()) return InvalidField("nodes", "empty");
  if (architecture.nodes(0).op() != v1::OPERATOR_INPUT) {
    return InvalidField("nodes[0].op", "the first node must be OPERATOR_INPUT");
  }

  GraphCosts graph;
  graph.nodes.reserve(architecture.nodes_size());
  std::vector<int32_t> depths;
  depths.reserve(architecture.nodes_size());
  absl::flat_hash_set<absl::string_view> names;
  names.reserve(architecture.nodes_size());
  std::vector<const v1::Shape*> shapes;
  for (int i = 0; i < architecture.nodes_size(); ++i) {
    const v1::Node& node = architecture.nodes(i);
    const auto in_node = [i](const absl::Status& status) {
      return PrefixField(absl::StrCat("nodes[", i, "]"), status);
    };
    if (!node.name().empty() && !names.insert(node.name()).second) {
      return in_node(InvalidField("name", absl::StrCat("'", node.name(), "' is used twice")));
    }
    int32_t depth = 0;
    shapes.clear();
    for (int k = 0; k < node.inputs_size(); ++k) {
      const int32_t source = node.inputs(k);
      if (source < 0 || source >= i) {
        return in_node(InvalidField(absl::StrCat("inputs[", k, "]"),
                                    absl::StrCat(source, " is not an earlier node")));
      }
      shapes.push_back(&graph.nodes[source].output);
      depth = std::max(depth, depths[source]);
    }
    NodeCosts& costs = graph.nodes.emplace_back();  // room is reserved: addresses stay
    if (i == 0) {
      absl::Status form = CheckForm(node, static_cast<size_t>(node.inputs_size()));
      if (!form.ok()) return in_node(form);
      costs.output = input;
    } else {
      const absl::Status status = MeasureNode(node, shapes, &costs);
      if (!status.ok()) return in_node(status);
    }
    if (node.op() == v1::OPERATOR_CONVOLUTION || node.op() == v1::OPERATOR_LINEAR) ++depth;
    int64_t elements = 0;
    int64_t bytes = 0;
    if (!Elements(costs.output, &elements) || !Product({elements, sizeof(float)}, &bytes) ||
        !Increase(&graph.activation_bytes, bytes)) {
      return in_node(Overflow("op", "activation bytes"));
    }
    if (!Increase(&graph.parameters, costs.parameters)) {
      return in_node(Overflow("op", "parameters"));
    }
    if (!Increase(&graph.macs, costs.macs)) {
      return in_node(Overflow("op", "multiply-accumulates"));
    }
    depths.push_back(depth);
  }
  const v1::Shape& output = graph.nodes.back().output;
  if (output.channels() != architecture.classes() || output.height() != 1 || output.width() != 1) {
    return InvalidField(absl::StrCat("nodes[", architecture.nodes_size() - 1, "]"),
                        absl::StrCat("is the output and has shape ", ShapeText(output), ", not ",
                                     architecture.classes(), "x1x1"));
  }
  graph.depth = depths.back();
  return graph;
}

}  // namespace frontier
