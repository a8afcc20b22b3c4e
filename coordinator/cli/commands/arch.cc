// frontier arch: architectures as tables, graphs and differences; needs no coordinator.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/architecture/architecture_argument.h"
#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "common/architecture/reference.h"
#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/commands/user_files.h"
#include "coordinator/cli/render/architecture_view.h"
#include "coordinator/cli/words.h"
#include "google/protobuf/struct.pb.h"

namespace frontier::cli {
namespace {

constexpr int kMostClasses = 1'000'000;
constexpr ArchitectureDefaults kDefaults = {"3x224x224", 1000};

struct ArchFlags {
  std::string architecture, other;
  std::string input;  // empty = by default, or as the file says
  int classes = 0;
  bool dot = false;
};

absl::StatusOr<v1::Architecture> Find(const std::string& argument, const ArchFlags& flags,
                                      const ArchitectureDefaults& defaults = kDefaults) {
  absl::StatusOr<v1::Architecture> found =
      OfUserFile(FindArchitecture(argument, flags.input, flags.classes, defaults));
  if (!absl::IsNotFound(found.status())) return found;
  return absl::NotFoundError(
      absl::StrCat(found.status().message(), Suggestion(argument, ReferenceNames())));
}

absl::StatusOr<ExitCode> ShowArchitecture(Session* session, const ArchFlags& flags) {
  ASSIGN_OR_RETURN(const v1::Architecture architecture, Find(flags.architecture, flags));
  if (session->json) {
    RETURN_IF_ERROR(session->PrintJson(architecture));
  } else if (flags.dot) {
    ASSIGN_OR_RETURN(const std::string dot, ArchitectureDot(architecture));
    session->out() << dot;
  } else {
    session->out() << RenderNamedArchitecture(session->look(), flags.architecture, architecture);
  }
  return ExitCode::kOk;
}

// What stands over a column: the names, without folders where that leaves them different.
std::pair<std::string, std::string> ShortNames(const std::string& a, const std::string& b) {
  const auto base = [](const std::string& path) { return path.substr(path.rfind('/') + 1); };
  if (base(a) == base(b) || base(a).empty() || base(b).empty()) return {a, b};
  return {base(a), base(b)};
}

google::protobuf::Struct SideJson(const ComparedArchitecture& side, const GraphCosts& costs) {
  google::protobuf::Struct json;
  auto& fields = *json.mutable_fields();
  fields["name"].set_string_value(side.name);
  fields["nodes"].set_number_value(side.architecture->nodes_size());
  fields["depth"].set_number_value(costs.depth);
  fields["parameters"].set_number_value(static_cast<double>(costs.parameters));
  fields["macs"].set_number_value(static_cast<double>(costs.macs));
  fields["activation_bytes"].set_number_value(static_cast<double>(costs.activation_bytes));
  fields["hash"].set_string_value(side.hash.ok() ? *side.hash : "");
  return json;
}

google::protobuf::Struct DifferenceJson(const ComparedArchitecture& a,
                                        const ComparedArchitecture& b,
                                        const ArchitectureDifference& difference) {
  google::protobuf::Struct json;
  auto& fields = *json.mutable_fields();
  fields["equal"].set_bool_value(a.hash.ok() && b.hash.ok() && *a.hash == *b.hash);
  *fields["a"].mutable_struct_value() = SideJson(a, difference.costs_a);
  *fields["b"].mutable_struct_value() = SideJson(b, difference.costs_b);
  auto* only_a = fields["only_a"].mutable_list_value();
  for (const int i : difference.only_a) {
    only_a->add_values()->set_string_value(NodeName(*a.architecture, i));
  }
  auto* only_b = fields["only_b"].mutable_list_value();
  for (const int j : difference.only_b) {
    only_b->add_values()->set_string_value(NodeName(*b.architecture, j));
  }
  auto* changed = fields["changed"].mutable_list_value();
  for (const NodeDifference& node : difference.changed) {
    for (const FieldDifference& field : node.fields) {
      auto& entry = *changed->add_values()->mutable_struct_value()->mutable_fields();
      entry["node_a"].set_string_value(NodeName(*a.architecture, node.a));
      entry["node_b"].set_string_value(NodeName(*b.architecture, node.b));
      entry["field"].set_string_value(field.field);
      entry["a"].set_string_value(field.a);
      entry["b"].set_string_value(field.b);
    }
  }
  fields["reshaped"].set_number_value(difference.reshaped);
  fields["renamed"].set_number_value(difference.renamed);
  return json;
}

bool IsReference(const std::string& name) {
  const std::vector<std::string> names = ReferenceNames();
  return std::binary_search(names.begin(), names.end(), name);
}

// A network by name is made for the samples of the file it is compared with.
absl::StatusOr<std::pair<v1::Architecture, v1::Architecture>> FindTwo(const ArchFlags& flags) {
  v1::Architecture left, right;
  if (IsReference(flags.architecture) && !IsReference(flags.other)) {
    ASSIGN_OR_RETURN(right, Find(flags.other, flags));
    const std::string input = ShapeText(right.input());
    ASSIGN_OR_RETURN(left, Find(flags.architecture, flags, {input, right.classes()}));
  } else {
    ASSIGN_OR_RETURN(left, Find(flags.architecture, flags));
    const std::string input = ShapeText(left.input());
    ASSIGN_OR_RETURN(right, Find(flags.other, flags, {input, left.classes()}));
  }
  return std::pair(std::move(left), std::move(right));
}

absl::StatusOr<ExitCode> CompareTwo(Session* session, const ArchFlags& flags) {
  ASSIGN_OR_RETURN(const auto found, FindTwo(flags));
  const auto& [left, right] = found;
  const auto [name_a, name_b] = ShortNames(flags.architecture, flags.other);
  const ComparedArchitecture a = {name_a, &left, CanonicalHash(left)};
  const ComparedArchitecture b = {name_b, &right, CanonicalHash(right)};
  ASSIGN_OR_RETURN(const ArchitectureDifference difference, CompareArchitectures(left, right));
  if (session->json) {
    RETURN_IF_ERROR(session->PrintJson(DifferenceJson(a, b, difference)));
  } else {
    session->out() << RenderDifference(session->look(), a, b, difference);
  }
  return ExitCode::kOk;
}

void AddSampleFlags(CLI::App* command, ArchFlags* flags) {
  command
      ->add_option("--input", flags->input,
                   absl::StrCat("Samples of a network given by name (default ",
                                std::string(kDefaults.input), "); a file's are checked against it"))
      ->type_name("CxHxW")
      ->check(CLI::Validator(
          [](std::string& text) { return std::string(ParseShape(text).status().message()); }, ""));
  command
      ->add_option("--classes", flags->classes,
                   absl::StrCat("Classes of a network given by name (default ", kDefaults.classes,
                                "); a file's are checked against it"))
      ->type_name("N")
      ->check(NumberUpTo(kMostClasses));
}

constexpr char kWhat[] = "Name of a reference network, or a file that holds an architecture";

}  // namespace

void AddArchCommand(CLI::App* app, Session* session) {
  CLI::App* group =
      app->add_subcommand("arch", "Show an architecture, or what differs between two");
  group->require_subcommand(1);
  group->footer(absl::StrCat(
      "Reference networks:\n  ", absl::StrJoin(ReferenceNames(), "\n  "),
      "\n\nA file holds an architecture as JSON (of frontier arch show --json, or of frontier show "
      "JOB\nTRIAL --json) or as protobuf text, or a model that frontier weights wrote.\n\n"
      "Examples:\n"
      "  frontier arch show resnet-18\n"
      "  frontier arch diff resnet-18 resnet-50"));

  auto show_flags = std::make_shared<ArchFlags>();
  CLI::App* show =
      group->add_subcommand("show", "Show the layers of an architecture with shapes and costs");
  show->add_option("ARCHITECTURE", show_flags->architecture, kWhat)->required()->type_name("FILE");
  AddSampleFlags(show, show_flags.get());
  show->add_flag("--dot", show_flags->dot, "Print a graph for Graphviz instead");
  show->footer(
      "MACs are multiply-accumulates of convolutions and linear layers for one sample. With --json "
      "the\n"
      "architecture itself is printed, which this command reads again.\n\n"
      "Examples:\n"
      "  frontier arch show mobilenetv2 --input 3x32x32 --classes 10\n"
      "  frontier arch show model.pb --dot | dot -Tsvg > model.svg\n"
      "  frontier arch show resnet-18 --json > resnet-18.json");
  show->callback([session, show_flags] {
    if (session->json && show_flags->dot) {
      throw CLI::ValidationError("--dot and --json are given: which is it?");
    }
    session->needs_coordinator = false;
    session->action = [session, show_flags] { return ShowArchitecture(session, *show_flags); };
  });

  auto diff_flags = std::make_shared<ArchFlags>();
  CLI::App* diff = group->add_subcommand("diff", "Compare two architectures");
  diff->add_option("A", diff_flags->architecture, kWhat)->required()->type_name("FILE");
  diff->add_option("B", diff_flags->other, "Likewise")->required()->type_name("FILE");
  AddSampleFlags(diff, diff_flags.get());
  diff->footer(
      "Layers are matched by name, then by what they are and read. Equal canonical hashes mean "
      "the\n"
      "same network, whatever the order and the names of its layers. A network by name is made for "
      "the\n"
      "samples of a file it is compared with.\n\n"
      "Examples:\n"
      "  frontier arch diff squeezenet-1.0 squeezenet-1.1\n"
      "  frontier arch diff resnet20 trial.json");
  diff->callback([session, diff_flags] {
    session->needs_coordinator = false;
    session->action = [session, diff_flags] { return CompareTwo(session, *diff_flags); };
  });
}

}  // namespace frontier::cli
