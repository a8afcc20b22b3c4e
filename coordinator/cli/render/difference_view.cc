// RenderDifference.
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "coordinator/cli/render/architecture_view.h"
#include "coordinator/cli/render/format.h"
#include "coordinator/cli/render/table.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

constexpr size_t kHashDigits = 12;

std::string HashText(const absl::StatusOr<std::string>& hash) {
  return hash.ok() ? hash->substr(0, kHashDigits) : "unknown";
}

std::string ChangeText(int64_t a, int64_t b) {
  if (a == b || a == 0) return "";
  return absl::StrFormat("%+.1f %%", (static_cast<double>(b) / static_cast<double>(a) - 1) * 100);
}

std::string RenderTotals(const Look& look, const ComparedArchitecture& a,
                         const ComparedArchitecture& b, const ArchitectureDifference& difference) {
  Table table({{"", Align::kLeft},
               {a.name, Align::kRight, 12},
               {b.name, Align::kRight, 12},
               {"CHANGE", Align::kRight}});
  table.AddRow(
      {"input", SpacedShape(a.architecture->input()), SpacedShape(b.architecture->input()), ""});
  const struct {
    const char* name;
    int64_t a, b;
  } rows[] = {
      {"classes", a.architecture->classes(), b.architecture->classes()},
      {"nodes", a.architecture->nodes_size(), b.architecture->nodes_size()},
      {"depth", difference.costs_a.depth, difference.costs_b.depth},
      {"parameters", difference.costs_a.parameters, difference.costs_b.parameters},
      {"MACs", difference.costs_a.macs, difference.costs_b.macs},
      {"activation bytes", difference.costs_a.activation_bytes,
       difference.costs_b.activation_bytes},
  };
  for (const auto& row : rows) {
    table.AddRow({row.name, FormatCount(row.a), FormatCount(row.b), ChangeText(row.a, row.b)});
  }
  table.AddRow({"canonical hash", HashText(a.hash), HashText(b.hash), ""});
  return table.Render(look);
}

std::string RenderOnly(const Look& look, const std::string& name,
                       const v1::Architecture& architecture, const GraphCosts& costs,
                       const std::vector<int>& nodes) {
  if (nodes.empty()) return "";
  Table table({{"#", Align::kRight},
               {"LAYER", Align::kLeft, 12},
               {"OPERATOR"},
               {"KERNEL"},
               {"OUTPUT", Align::kRight}});
  for (const int i : nodes) {
    const v1::Node& node = architecture.nodes(i);
    table.AddRow({absl::StrCat(i), node.name(), EnumWord(node.op()), AttributesText(node),
                  SpacedShape(costs.nodes[static_cast<size_t>(i)].output)});
  }
  return absl::StrCat("\n", Paint(look, Tone::kBold, absl::StrCat("Only in ", Printable(name))),
                      "\n", table.Render(look, 2));
}

// "stride height" for "convolution.stride_height", "max_pool" for "OPERATOR_MAX_POOL".
std::string FieldText(const std::string& field) {
  if (field == "op") return "operator";
  return absl::StrReplaceAll(field.substr(field.rfind('.') + 1), {{"_", " "}});
}

std::string ValueText(const FieldDifference& field, const std::string& value) {
  if (field.field != "op") return value;
  return absl::AsciiStrToLower(absl::StripPrefix(value, "OPERATOR_"));
}

std::string RenderChanged(const Look& look, const ComparedArchitecture& a,
                          const ComparedArchitecture& b, const ArchitectureDifference& difference) {
  if (difference.changed.empty()) return "";
  Table table({{"LAYER", Align::kLeft, 12},
               {"WHAT"},
               {a.name, Align::kLeft, 12},
               {b.name, Align::kLeft, 12}});
  for (const NodeDifference& node : difference.changed) {
    std::string name = NodeName(*a.architecture, node.a);
    const std::string other = NodeName(*b.architecture, node.b);
    if (other != name) absl::StrAppend(&name, " / ", other);
    for (const FieldDifference& field : node.fields) {
      table.AddRow(
          {name, FieldText(field.field), ValueText(field, field.a), ValueText(field, field.b)});
      name.clear();
    }
  }
  return absl::StrCat("\n", Paint(look, Tone::kBold, "Changed"), "\n", table.Render(look, 2));
}

}  // namespace

std::string RenderDifference(const Look& look, const ComparedArchitecture& a,
                             const ComparedArchitecture& b,
                             const ArchitectureDifference& difference) {
  std::string out = RenderTotals(look, a, b, difference);
  if (a.hash.ok() && b.hash.ok() && *a.hash == *b.hash) {
    absl::StrAppend(&out, "\nThe same architecture: the canonical hashes are equal.\n");
  }
  absl::StrAppend(&out,
                  RenderOnly(look, a.name, *a.architecture, difference.costs_a, difference.only_a),
                  RenderOnly(look, b.name, *b.architecture, difference.costs_b, difference.only_b),
                  RenderChanged(look, a, b, difference));
  const auto count = [&out](int number, const char* what) {
    if (number > 0) {
      absl::StrAppend(&out, "\n", number, number == 1 ? " layer " : " layers ", what, ".\n");
    }
  };
  count(difference.reshaped, "of equal attributes with another output shape");
  count(difference.renamed, "of another name");
  for (const ComparedArchitecture* side : {&a, &b}) {
    if (!side->hash.ok()) {
      absl::StrAppend(&out, "\nNo canonical hash of ", Printable(side->name), ": ",
                      Printable(side->hash.status().message()), "\n");
    }
  }
  return out;
}

}  // namespace frontier::cli
