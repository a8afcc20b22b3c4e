#include "common/architecture/difference.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <cstddef>
#include <map>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"

namespace frontier {
namespace {

constexpr int kNone = -1;

// Operator and attributes, without name and inputs.
std::string Kind(const v1::Node& node) {
  v1::Node kind = node;
  kind.clear_name();
  kind.clear_inputs();
  return kind.SerializeAsString();
}

class Pairing {
 public:
  Pairing(const v1::Architecture& a, const v1::Architecture& b)
      : a_(a), b_(b), to_b_(Size(a), kNone), to_a_(Size(b), kNone) {
    for (const v1::Node& node : a.nodes()) kinds_a_.push_back(Kind(node));
    for (const v1::Node& node : b.nodes()) kinds_b_.push_back(Kind(node));
    Pair(0, 0);  // the inputs
    PairByName();
    PairForwards(/*same_attributes=*/true);
    PairForwards(/*same_attributes=*/false);
    PairBackwards();
  }

  int to_b(int i) const { return to_b_[static_cast<size_t>(i)]; }
  int to_a(int j) const { return to_a_[static_cast<size_t>(j)]; }

 private:
  static size_t Size(const v1::Architecture& architecture) {
    return static_cast<size_t>(architecture.nodes_size());
  }

  void Pair(int i, int j) {
    to_b_[static_cast<size_t>(i)] = j;
    to_a_[static_cast<size_t>(j)] = i;
  }

  void PairByName() {
    absl::flat_hash_map<std::string, int> names;
    for (int j = 1; j < b_.nodes_size(); ++j) {
      if (!b_.nodes(j).name().empty()) names[b_.nodes(j).name()] = j;
    }
    for (int i = 1; i < a_.nodes_size(); ++i) {
      const auto found = names.find(a_.nodes(i).name());
      if (found != names.end()) Pair(i, found->second);
    }
  }

  // What a node is and reads, in indices of b.
  std::string Key(const std::string& what, const std::vector<int>& inputs) const {
    return absl::StrCat(absl::StrJoin(inputs, ","), ":", what);
  }

  // Nodes of one kind, or with attributes aside of one operator, that read the same.
  void PairForwards(bool same_attributes) {
    const auto what = [same_attributes](const v1::Architecture& architecture,
                                        const std::vector<std::string>& kinds, int n) {
      return same_attributes ? kinds[static_cast<size_t>(n)]
                             : absl::StrCat(static_cast<int>(architecture.nodes(n).op()));
    };
    std::map<std::string, std::vector<int>> open;  // last first
    for (int j = b_.nodes_size() - 1; j > 0; --j) {
      if (to_a(j) != kNone) continue;
      const std::vector<int> inputs(b_.nodes(j).inputs().begin(), b_.nodes(j).inputs().end());
      open[Key(what(b_, kinds_b_, j), inputs)].push_back(j);
    }
    for (int i = 1; i < a_.nodes_size(); ++i) {
      if (to_b(i) != kNone) continue;
      std::vector<int> inputs;
      for (const int input : a_.nodes(i).inputs()) inputs.push_back(to_b(input));
      const auto found = open.find(Key(what(a_, kinds_a_, i), inputs));
      if (found == open.end() || found->second.empty()) continue;
      Pair(i, found->second.back());
      found->second.pop_back();
    }
  }

  // Nodes of one kind that are read by a pair at the same place.
  void PairBackwards() {
    PairIfAlike(a_.nodes_size() - 1, b_.nodes_size() - 1);
    for (int i = a_.nodes_size() - 1; i > 0; --i) {
      const int j = to_b(i);
      if (j == kNone) continue;
      const int inputs = std::min(a_.nodes(i).inputs_size(), b_.nodes(j).inputs_size());
      for (int k = 0; k < inputs; ++k) PairIfAlike(a_.nodes(i).inputs(k), b_.nodes(j).inputs(k));
    }
  }

  void PairIfAlike(int i, int j) {
    if (to_b(i) != kNone || to_a(j) != kNone) return;
    if (kinds_a_[static_cast<size_t>(i)] == kinds_b_[static_cast<size_t>(j)]) Pair(i, j);
  }

  const v1::Architecture& a_;
  const v1::Architecture& b_;
  std::vector<std::string> kinds_a_, kinds_b_;
  std::vector<int> to_b_, to_a_;
};

std::string InputNames(const v1::Architecture& architecture, const v1::Node& node) {
  std::vector<std::string> names;
  for (const int input : node.inputs()) {
    const std::string& name = architecture.nodes(input).name();
    names.push_back(name.empty() ? absl::StrCat("node ", input) : name);
  }
  return absl::StrJoin(names, ", ");
}

// The set attributes of `node` by field, "convolution.groups" to "2".
std::map<std::string, std::string> Attributes(const v1::Node& node) {
  std::map<std::string, std::string> attributes;
  const google::protobuf::Reflection* outer = node.GetReflection();
  const google::protobuf::FieldDescriptor* set =
      outer->GetOneofFieldDescriptor(node, v1::Node::descriptor()->oneof_decl(0));
  if (set == nullptr) return attributes;
  const google::protobuf::Message& message = outer->GetMessage(node, set);
  const google::protobuf::Reflection* inner = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = message.GetDescriptor()->field(i);
    std::string& text = attributes[absl::StrCat(set->name(), ".", field->name())];
    switch (field->cpp_type()) {
      case google::protobuf::FieldDescriptor::CPPTYPE_INT32:
        text = absl::StrCat(inner->GetInt32(message, field));
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_FLOAT:
        text = absl::StrCat(inner->GetFloat(message, field));
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_BOOL:
        text = inner->GetBool(message, field) ? "true" : "false";
        break;
      default:
        text = field->cpp_type_name();
        break;
    }
  }
  return attributes;
}

std::vector<FieldDifference> CompareNodes(const v1::Architecture& a, const v1::Architecture& b,
                                          int i, int j, const Pairing& pairing) {
  const v1::Node& left = a.nodes(i);
  const v1::Node& right = b.nodes(j);
  std::vector<FieldDifference> fields;
  if (left.op() != right.op()) {
    fields.push_back({"op", v1::Operator_Name(left.op()), v1::Operator_Name(right.op())});
  } else {
    const std::map<std::string, std::string> before = Attributes(left), after = Attributes(right);
    for (const auto& [field, value] : before) {
      const auto other = after.find(field);
      if (other != after.end() && other->second != value) {
        fields.push_back({field, value, other->second});
      }
    }
  }
  std::vector<int> inputs, other_inputs(right.inputs().begin(), right.inputs().end());
  for (const int input : left.inputs()) inputs.push_back(pairing.to_b(input));
  if (left.op() == v1::OPERATOR_ADD || left.op() == v1::OPERATOR_MULTIPLY) {  // in any order
    std::sort(inputs.begin(), inputs.end());
    std::sort(other_inputs.begin(), other_inputs.end());
  }
  if (inputs != other_inputs) {
    fields.push_back({"inputs", InputNames(a, left), InputNames(b, right)});
  }
  return fields;
}

}  // namespace

absl::StatusOr<ArchitectureDifference> CompareArchitectures(const v1::Architecture& a,
                                                            const v1::Architecture& b) {
  ArchitectureDifference difference;
  absl::StatusOr<GraphCosts> costs = AnalyzeGraph(a);
  if (!costs.ok()) return PrefixField("a", costs.status());
  difference.costs_a = *std::move(costs);
  costs = AnalyzeGraph(b);
  if (!costs.ok()) return PrefixField("b", costs.status());
  difference.costs_b = *std::move(costs);

  const Pairing pairing(a, b);
  for (int i = 0; i < a.nodes_size(); ++i) {
    const int j = pairing.to_b(i);
    if (j == kNone) {
      difference.only_a.push_back(i);
      continue;
    }
    difference.pairs.emplace_back(i, j);
    if (a.nodes(i).name() != b.nodes(j).name()) ++difference.renamed;
    std::vector<FieldDifference> fields = CompareNodes(a, b, i, j, pairing);
    if (!fields.empty()) {
      difference.changed.push_back({i, j, std::move(fields)});
    } else if (ShapeText(difference.costs_a.nodes[static_cast<size_t>(i)].output) !=
               ShapeText(difference.costs_b.nodes[static_cast<size_t>(j)].output)) {
      ++difference.reshaped;
    }
  }
  for (int j = 0; j < b.nodes_size(); ++j) {
    if (pairing.to_a(j) == kNone) difference.only_b.push_back(j);
  }
  return difference;
}

}  // namespace frontier
