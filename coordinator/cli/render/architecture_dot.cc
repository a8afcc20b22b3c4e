// ArchitectureDot.
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/architecture/graph.h"
#include "common/base/status.h"
#include "coordinator/cli/render/architecture_view.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

// For a string in double quotes.
std::string Quotable(absl::string_view text) {
  return absl::StrReplaceAll(Printable(text), {{"\\", "\\\\"}, {"\"", "\\\""}});
}

absl::string_view FillColor(v1::Operator op) {
  switch (op) {
    case v1::OPERATOR_CONVOLUTION:
    case v1::OPERATOR_LINEAR:
      return "lightblue";
    case v1::OPERATOR_MAX_POOL:
    case v1::OPERATOR_AVERAGE_POOL:
    case v1::OPERATOR_GLOBAL_AVERAGE_POOL:
      return "lightyellow";
    case v1::OPERATOR_ADD:
    case v1::OPERATOR_CONCAT:
    case v1::OPERATOR_MULTIPLY:
    case v1::OPERATOR_CHANNEL_SHUFFLE:
    case v1::OPERATOR_CHANNEL_SLICE:
      return "lightgrey";
    default:
      return "white";
  }
}

}  // namespace

absl::StatusOr<std::string> ArchitectureDot(const v1::Architecture& architecture) {
  ASSIGN_OR_RETURN(const GraphCosts costs, AnalyzeGraph(architecture));
  std::string out =
      "digraph architecture {\n"
      "  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\", fontsize=10];\n";
  for (int i = 0; i < architecture.nodes_size(); ++i) {
    const v1::Node& node = architecture.nodes(i);
    const std::string attributes = AttributesText(node);
    std::string label = absl::StrCat(Quotable(NodeName(architecture, i)), "\\n");
    if (i > 0) {
      absl::StrAppend(&label, EnumWord(node.op()), attributes.empty() ? "" : " ", attributes,
                      "\\n");
    }
    absl::StrAppend(&out, "  n", i, " [label=\"", label,
                    SpacedShape(costs.nodes[static_cast<size_t>(i)].output),
                    "\", fillcolor=", FillColor(node.op()), "];\n");
    for (const int input : node.inputs()) absl::StrAppend(&out, "  n", input, " -> n", i, ";\n");
  }
  absl::StrAppend(&out, "}\n");
  return out;
}

}  // namespace frontier::cli
