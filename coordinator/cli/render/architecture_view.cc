#include "coordinator/cli/render/architecture_view.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "coordinator/cli/render/format.h"
#include "coordinator/cli/render/table.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

std::string Extent(int height, int width) { return absl::StrCat(height, "x", width); }

std::string KernelText(int height, int width, int stride_height, int stride_width) {
  std::string text = Extent(height, width);
  if (stride_height == stride_width) {
    if (stride_height > 1) absl::StrAppend(&text, ", stride ", stride_height);
  } else {
    absl::StrAppend(&text, ", stride ", Extent(stride_height, stride_width));
  }
  return text;
}

// Inputs are worth a word only where they are not simply the layer before.
std::string InputsText(const v1::Node& node, int index) {
  if (node.inputs_size() == 0) return "";
  if (node.inputs_size() == 1 && node.inputs(0) == index - 1) return "";
  return absl::StrJoin(node.inputs(), ", ");
}

std::string CountOrNothing(int64_t count) { return count == 0 ? "" : FormatCount(count); }

}  // namespace

std::string AttributesText(const v1::Node& node) {
  switch (node.attributes_case()) {
    case v1::Node::kConvolution: {
      const v1::Convolution& c = node.convolution();
      std::string text =
          KernelText(c.kernel_height(), c.kernel_width(), c.stride_height(), c.stride_width());
      if (c.dilation_height() > 1 || c.dilation_width() > 1) {
        absl::StrAppend(&text, ", dilation ", Extent(c.dilation_height(), c.dilation_width()));
      }
      if (c.groups() > 1) absl::StrAppend(&text, ", ", c.groups(), " groups");
      return text;
    }
    case v1::Node::kPool:
      return KernelText(node.pool().kernel_height(), node.pool().kernel_width(),
                        node.pool().stride_height(), node.pool().stride_width());
    case v1::Node::kLeakyRelu:
      return absl::StrCat("slope ", node.leaky_relu().slope());
    case v1::Node::kChannelShuffle:
      return absl::StrCat(node.channel_shuffle().groups(), " groups");
    case v1::Node::kDropout:
      return absl::StrCat("rate ", node.dropout().rate());
    case v1::Node::kChannelSlice:
      return absl::StrCat(
          "channels ", node.channel_slice().first(), " to ",
          int64_t{node.channel_slice().first()} + node.channel_slice().channels() - 1);
    case v1::Node::kLinear:
    case v1::Node::ATTRIBUTES_NOT_SET:
      break;
  }
  return "";
}

std::string SpacedShape(const v1::Shape& shape) {
  return absl::StrCat(shape.channels(), " x ", shape.height(), " x ", shape.width());
}

std::string NodeName(const v1::Architecture& architecture, int node) {
  const std::string& name = architecture.nodes(node).name();
  return name.empty() ? absl::StrCat("node ", node) : name;
}

std::string RenderArchitecture(const Look& look, const v1::Architecture& architecture) {
  const absl::StatusOr<GraphCosts> costs = AnalyzeGraph(architecture);
  Table table({{"#", Align::kRight},
               {"LAYER", Align::kLeft, 12},
               {"OPERATOR"},
               {"KERNEL"},
               {"FROM"},
               {"OUTPUT", Align::kRight},
               {"PARAMETERS", Align::kRight},
               {"MACS", Align::kRight}});
  for (int i = 0; i < architecture.nodes_size(); ++i) {
    const v1::Node& node = architecture.nodes(i);
    table.AddRow({absl::StrCat(i), node.name(), EnumWord(node.op()), AttributesText(node),
                  InputsText(node, i), costs.ok() ? SpacedShape(costs->nodes[i].output) : "",
                  costs.ok() ? CountOrNothing(costs->nodes[i].parameters) : "",
                  costs.ok() ? CountOrNothing(costs->nodes[i].macs) : ""});
  }
  std::string out = table.Render(look, 2);
  if (!costs.ok()) {
    absl::StrAppend(&out, "  shapes and costs unknown: ", Printable(costs.status().message()),
                    "\n");
    return out;
  }
  absl::StrAppend(&out, "  ", FormatCount(costs->parameters), " parameters, ",
                  FormatCount(costs->macs), " MACs, ", FormatBytes(costs->activation_bytes),
                  " of activations for one sample, depth ", costs->depth, "\n");
  return out;
}

std::string RenderNamedArchitecture(const Look& look, const std::string& name,
                                    const v1::Architecture& architecture) {
  std::string out = absl::StrCat(
      Paint(look, Tone::kBold, Printable(name)), "  input ", SpacedShape(architecture.input()),
      ", ", FormatCount(architecture.classes()), " classes, ",
      FormatCount(architecture.nodes_size()), " nodes\n", RenderArchitecture(look, architecture));
  const absl::StatusOr<std::string> hash = CanonicalHash(architecture);
  absl::StrAppend(&out, "  canonical hash ",
                  hash.ok() ? *hash : absl::StrCat("unknown: ", Printable(hash.status().message())),
                  "\n");
  return out;
}

}  // namespace frontier::cli
