#include "coordinator/space/graph_plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"
#include "coordinator/space/choice_conditions.h"

namespace frontier::coordinator {
namespace {

constexpr int kMaxChannels = 8192;
constexpr int kMaxFeatures = 65536;
constexpr int kMaxExtent = 64;  // of kernels, strides, padding and dilation
constexpr size_t kShown = 100;  // characters of a user's text in a message
constexpr int kMaxThen = 8;
constexpr int kMaxInputs = 32;
constexpr absl::string_view kOperatorPrefix = "OPERATOR_";

std::string Shown(absl::string_view text) { return absl::StrCat("'", text.substr(0, kShown), "'"); }

absl::Status CheckName(const std::string& name, absl::string_view what) {
  bool fine = !name.empty() && name.size() <= kMaxGraphName;
  for (const char c : name) {
    fine = fine && (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-');
  }
  if (fine) return absl::OkStatus();
  return InvalidField("name", absl::StrCat(what, " ", Shown(name), " must have 1 to ",
                                           kMaxGraphName, " of letters, digits, _ and -"));
}

absl::Status CheckOptions(const v1::GraphChoice& choice) {
  if (choice.options().empty()) {
    return InvalidField("options",
                        absl::StrCat("choice ", choice.name(), " has none, name at least one"));
  }
  if (choice.options_size() > kMaxGraphOptions) {
    return InvalidField("options",
                        absl::StrCat("choice ", choice.name(), " has ", choice.options_size(),
                                     ", at most ", kMaxGraphOptions));
  }
  std::set<std::string> seen;
  for (int i = 0; i < choice.options_size(); ++i) {
    const std::string& option = choice.options(i);
    const std::string path = absl::StrCat("options[", i, "]");
    const bool printable = std::all_of(option.begin(), option.end(), [](char c) {
      return absl::ascii_isprint(static_cast<unsigned char>(c));
    });
    if (option.empty() || option.size() > kMaxGraphName || !printable) {
      return InvalidField(
          path, absl::StrCat("choice ", choice.name(), ": ", Shown(option), " must have 1 to ",
                             kMaxGraphName, " printable characters"));
    }
    if (!seen.insert(option).second) {
      return InvalidField(path, absl::StrCat("choice ", choice.name(), " has ", option, " twice"));
    }
  }
  return absl::OkStatus();
}

// All but the sample, and what only makes sense beside nodes that are not written by hand.
bool MayBeWritten(v1::Operator op) {
  return op != v1::OPERATOR_UNSPECIFIED && op != v1::OPERATOR_INPUT &&
         op != v1::OPERATOR_CHANNEL_SLICE;
}

v1::Operator FindOperator(absl::string_view word) {
  v1::Operator op = v1::OPERATOR_UNSPECIFIED;
  const std::string name = absl::StrCat(kOperatorPrefix, absl::AsciiStrToUpper(word));
  // Only the word as it is written here, so that each operator has one.
  if (word != absl::AsciiStrToLower(word) || !v1::Operator_Parse(name, &op) || !MayBeWritten(op)) {
    return v1::OPERATOR_UNSPECIFIED;
  }
  return op;
}

std::string OperatorWords() {
  std::vector<std::string> words;
  for (int i = v1::Operator_MIN; i <= v1::Operator_MAX; ++i) {
    const auto op = static_cast<v1::Operator>(i);
    if (v1::Operator_IsValid(i) && MayBeWritten(op)) {
      words.push_back(OperatorWord(op));
    }
  }
  return absl::StrJoin(words, ", ");
}

// --- Values of attributes. Errors are the problem alone.

absl::StatusOr<v1::Operator> ParseOperator(absl::string_view text) {
  const v1::Operator op = FindOperator(text);
  if (op != v1::OPERATOR_UNSPECIFIED) return op;
  return absl::InvalidArgumentError(absl::StrCat("is no operator; known are: ", OperatorWords()));
}

absl::StatusOr<v1::Operator> ParseFollower(absl::string_view text) {
  ASSIGN_OR_RETURN(const v1::Operator op, ParseOperator(text));
  switch (op) {
    case v1::OPERATOR_BATCH_NORM:
    case v1::OPERATOR_RELU:
    case v1::OPERATOR_RELU6:
    case v1::OPERATOR_SIGMOID:
    case v1::OPERATOR_SILU:
    case v1::OPERATOR_HARD_SWISH:
    case v1::OPERATOR_HARD_SIGMOID:
    case v1::OPERATOR_GELU:
    case v1::OPERATOR_IDENTITY:
    case v1::OPERATOR_GLOBAL_AVERAGE_POOL:
      return op;
    default:
      return absl::InvalidArgumentError(
          "needs attributes or several inputs, so it must be a node of its own");
  }
}

absl::StatusOr<int> ParseWhole(absl::string_view text, int low, int high) {
  int value = 0;
  if (absl::SimpleAtoi(text, &value) && value >= low && value <= high) return value;
  return absl::InvalidArgumentError(
      absl::StrCat("must be a whole number from ", low, " to ", high));
}

absl::StatusOr<GraphExtent> ParseExtent(absl::string_view text, int low, int high) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('x', 1));
  GraphExtent extent;
  extent.square = parts.size() == 1;
  const absl::StatusOr<int> height = ParseWhole(parts.front(), low, high);
  const absl::StatusOr<int> width = ParseWhole(parts.back(), low, high);
  if (!height.ok() || !width.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("must be a whole number from ", low, " to ",
                                                   high, ", or height x width such as 3x1"));
  }
  extent.height = *height;
  extent.width = *width;
  return extent;
}

absl::StatusOr<int> ParseGroups(absl::string_view text) {
  if (text == "depthwise") return 0;
  const absl::StatusOr<int> groups = ParseWhole(text, 1, kMaxChannels);
  if (groups.ok()) return groups;
  return absl::InvalidArgumentError(absl::StrCat(groups.status().message(), ", or depthwise"));
}

absl::StatusOr<bool> ParseBool(absl::string_view text) {
  if (text == "true" || text == "false") return text == "true";
  return absl::InvalidArgumentError("must be true or false");
}

absl::StatusOr<float> ParseShare(absl::string_view text) {
  float value = 0;
  if (absl::SimpleAtof(text, &value) && value >= 0 && value < 1) return value;
  return absl::InvalidArgumentError("must be at least 0 and below 1");
}

// --- Nodes

struct AttributeRule {
  const char* name;
  bool (*given)(const GraphPlanNode& node);
  std::vector<v1::Operator> takers;
  std::vector<v1::Operator> needers;  // among the takers
};

const std::vector<AttributeRule>& AttributeRules() {
  using Node = GraphPlanNode;
  const v1::Operator conv = v1::OPERATOR_CONVOLUTION;
  const v1::Operator max = v1::OPERATOR_MAX_POOL;
  const v1::Operator average = v1::OPERATOR_AVERAGE_POOL;
  static const auto* const kRules = new std::vector<AttributeRule>{
      {"channels", [](const Node& n) { return n.channels.given(); }, {conv}, {}},
      {"kernel",
       [](const Node& n) { return n.kernel.given(); },
       {conv, max, average},
       {conv, max, average}},
      {"stride", [](const Node& n) { return n.stride.given(); }, {conv, max, average}, {}},
      {"padding", [](const Node& n) { return n.padding.given(); }, {conv, max, average}, {}},
      {"dilation", [](const Node& n) { return n.dilation.given(); }, {conv}, {}},
      {"groups",
       [](const Node& n) { return n.groups.given(); },
       {conv, v1::OPERATOR_CHANNEL_SHUFFLE},
       {v1::OPERATOR_CHANNEL_SHUFFLE}},
      {"bias", [](const Node& n) { return n.bias.given(); }, {conv, v1::OPERATOR_LINEAR}, {}},
      {"features", [](const Node& n) { return n.features.given(); }, {v1::OPERATOR_LINEAR}, {}},
      {"slope",
       [](const Node& n) { return n.slope.given(); },
       {v1::OPERATOR_LEAKY_RELU},
       {v1::OPERATOR_LEAKY_RELU}},
      {"rate",
       [](const Node& n) { return n.rate.given(); },
       {v1::OPERATOR_DROPOUT},
       {v1::OPERATOR_DROPOUT}},
  };
  return *kRules;
}

class PlanReader {
 public:
  PlanReader(const v1::GraphSpace& spec, const std::vector<Decision>& decisions)
      : spec_(spec), decisions_(decisions), used_(decisions.size(), false) {}

  absl::StatusOr<GraphPlan> Read() {
    if (spec_.nodes().empty()) return InvalidField("nodes", "empty, name at least one node");
    if (spec_.nodes_size() > kMaxGraphNodes) {
      return InvalidField("nodes",
                          absl::StrCat(spec_.nodes_size(), " nodes, at most ", kMaxGraphNodes));
    }
    for (int i = 0; i < spec_.nodes_size(); ++i) {
      const absl::Status status = NameNode(i);
      if (!status.ok()) return PrefixField(absl::StrCat("nodes[", i, "]"), status);
    }
    for (int i = 0; i < spec_.nodes_size(); ++i) {
      absl::StatusOr<GraphPlanNode> node = ReadNode(i);
      if (!node.ok()) return PrefixField(absl::StrCat("nodes[", i, "]"), node.status());
      plan_.nodes.push_back(*std::move(node));
    }
    RETURN_IF_ERROR(Order());
    RETURN_IF_ERROR(CheckUse());
    return std::move(plan_);
  }

 private:
  absl::Status NameNode(int index) {
    const std::string& name = spec_.nodes(index).name();
    RETURN_IF_ERROR(CheckName(name, "node"));
    if (name == "input") return InvalidField("name", "'input' is the sample; choose another name");
    const auto [known, is_new] = names_.insert({name, index});
    if (is_new) return absl::OkStatus();
    return InvalidField("name", absl::StrCat("'", name, "' is nodes[", known->second, "] already"));
  }

  // Index of the choice named by "$name"; -1 if `text` is written down.
  absl::StatusOr<int> FindChoice(absl::string_view text) {
    if (!absl::ConsumePrefix(&text, "$")) return -1;
    for (size_t i = 0; i < decisions_.size(); ++i) {
      if (decisions_[i].name != text) continue;
      used_[i] = true;
      return static_cast<int>(i);
    }
    return absl::InvalidArgumentError(absl::StrCat("there is no choice ", Shown(text)));
  }

  template <typename T, typename Parse>
  absl::Status ReadSetting(const std::string& node, absl::string_view field,
                           const std::string& text, const Parse& parse, GraphSetting<T>* setting) {
    if (text.empty()) return absl::OkStatus();
    const absl::StatusOr<int> choice = FindChoice(text);
    if (!choice.ok()) {
      return InvalidField(field, absl::StrCat("node '", node, "': ", choice.status().message()));
    }
    setting->choice = *choice;
    std::vector<std::string> texts = {text};
    if (*choice >= 0) texts = decisions_[*choice].options;
    for (const std::string& each : texts) {
      absl::StatusOr<T> value = parse(each);
      if (!value.ok()) {
        return InvalidField(
            field, absl::StrCat(
                       "node '", node, "': ",
                       *choice < 0 ? "" : absl::StrCat("choice '", decisions_[*choice].name, "': "),
                       Shown(each), " ", value.status().message()));
      }
      setting->values.push_back(*std::move(value));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<GraphPlanNode> ReadNode(int index) {
    const v1::GraphNode& spec = spec_.nodes(index);
    GraphPlanNode node;
    node.name = spec.name();
    if (spec.op().empty()) {
      return InvalidField("op", absl::StrCat("node '", spec.name(),
                                             "' has no operator; known are: ", OperatorWords()));
    }
    const auto whole = [](int low, int high) {
      return [low, high](absl::string_view text) { return ParseWhole(text, low, high); };
    };
    const auto extent = [](int low) {
      return [low](absl::string_view text) { return ParseExtent(text, low, kMaxExtent); };
    };
    const std::string& name = spec.name();
    RETURN_IF_ERROR(ReadSetting(name, "op", spec.op(), ParseOperator, &node.op));
    RETURN_IF_ERROR(ReadSetting(name, "repeat", spec.repeat(), whole(0, kMaxRepeat), &node.repeat));
    RETURN_IF_ERROR(
        ReadSetting(name, "channels", spec.channels(), whole(1, kMaxChannels), &node.channels));
    RETURN_IF_ERROR(ReadSetting(name, "kernel", spec.kernel(), extent(1), &node.kernel));
    RETURN_IF_ERROR(ReadSetting(name, "stride", spec.stride(), extent(1), &node.stride));
    RETURN_IF_ERROR(ReadSetting(name, "padding", spec.padding(), extent(0), &node.padding));
    RETURN_IF_ERROR(ReadSetting(name, "dilation", spec.dilation(), extent(1), &node.dilation));
    RETURN_IF_ERROR(ReadSetting(name, "groups", spec.groups(), ParseGroups, &node.groups));
    RETURN_IF_ERROR(ReadSetting(name, "bias", spec.bias(), ParseBool, &node.bias));
    RETURN_IF_ERROR(
        ReadSetting(name, "features", spec.features(), whole(1, kMaxFeatures), &node.features));
    RETURN_IF_ERROR(ReadSetting(name, "slope", spec.slope(), ParseShare, &node.slope));
    RETURN_IF_ERROR(ReadSetting(name, "rate", spec.rate(), ParseShare, &node.rate));
    if (spec.then_size() > kMaxThen) {
      return InvalidField("then", absl::StrCat("node '", name, "' has ", spec.then_size(),
                                               " operators after it, at most ", kMaxThen));
    }
    for (int i = 0; i < spec.then_size(); ++i) {
      RETURN_IF_ERROR(ReadSetting(name, absl::StrCat("then[", i, "]"), spec.then(i), ParseFollower,
                                  &node.then.emplace_back()));
      if (!node.then.back().given()) {
        return InvalidField(absl::StrCat("then[", i, "]"),
                            absl::StrCat("node '", name, "': names no operator"));
      }
    }
    ASSIGN_OR_RETURN(node.only_if,
                     ResolveConditions(spec.only_if(), decisions_, "only_if", "", "choice"));
    for (const Condition& condition : node.only_if) used_[condition.decision] = true;
    RETURN_IF_ERROR(ReadInputs(spec, index, &node));
    RETURN_IF_ERROR(CheckAttributes(node));
    return node;
  }

  absl::Status ReadInputs(const v1::GraphNode& spec, int index, GraphPlanNode* node) {
    if (spec.inputs_size() > kMaxInputs) {
      return InvalidField("inputs", absl::StrCat("node '", spec.name(), "' has ",
                                                 spec.inputs_size(), ", at most ", kMaxInputs));
    }
    if (spec.inputs().empty()) {
      node->inputs.push_back({-1, {index == 0 ? kGraphSample : index - 1}});
      return absl::OkStatus();
    }
    for (int i = 0; i < spec.inputs_size(); ++i) {
      const bool several = spec.inputs_size() > 1;
      const auto parse = [&](absl::string_view text) -> absl::StatusOr<int> {
        if (text == "input") return kGraphSample;
        if (text == "none" && several) return kGraphNoInput;
        const auto found = names_.find(std::string(text));
        if (found != names_.end()) return found->second;
        return absl::InvalidArgumentError("is no node");
      };
      const std::string path = absl::StrCat("inputs[", i, "]");
      RETURN_IF_ERROR(
          ReadSetting(spec.name(), path, spec.inputs(i), parse, &node->inputs.emplace_back()));
      if (!node->inputs.back().given()) {
        return InvalidField(path, absl::StrCat("node '", spec.name(), "': names no node"));
      }
    }
    return absl::OkStatus();
  }

  // By all operators a node may be: an attribute none of them takes, one that some need.
  absl::Status CheckAttributes(const GraphPlanNode& node) const {
    const auto may_be = [&](const std::vector<v1::Operator>& ops) {
      return std::find_first_of(node.op.values.begin(), node.op.values.end(), ops.begin(),
                                ops.end());
    };
    for (const AttributeRule& rule : AttributeRules()) {
      if (rule.given(node) && may_be(rule.takers) == node.op.values.end()) {
        return InvalidField(rule.name, absl::StrCat("node '", node.name,
                                                    "': ", OperatorWord(node.op.values.front()),
                                                    " has no ", rule.name));
      }
      const auto needer = may_be(rule.needers);
      if (!rule.given(node) && needer != node.op.values.end()) {
        return InvalidField(rule.name, absl::StrCat("node '", node.name, "': ",
                                                    OperatorWord(*needer), " needs a ", rule.name));
      }
    }
    const std::vector<v1::Operator> joins = {v1::OPERATOR_ADD, v1::OPERATOR_CONCAT,
                                             v1::OPERATOR_MULTIPLY};
    if (node.inputs.size() > 1 && may_be(joins) == node.op.values.end()) {
      return InvalidField(
          "inputs", absl::StrCat("node '", node.name, "': ", OperatorWord(node.op.values.front()),
                                 " has one input, not ", node.inputs.size()));
    }
    return absl::OkStatus();
  }

  // Depth first, so that a cycle is at hand when it closes.
  absl::Status Order() {
    marks_.assign(plan_.nodes.size(), Mark::kNew);
    for (size_t i = 0; i < plan_.nodes.size(); ++i) {
      RETURN_IF_ERROR(Visit(static_cast<int>(i)));
    }
    return absl::OkStatus();
  }

  absl::Status Visit(int node) {
    if (marks_[node] == Mark::kDone) return absl::OkStatus();
    if (marks_[node] == Mark::kOpen) return DescribeCycle(node);
    marks_[node] = Mark::kOpen;
    way_.push_back(node);
    for (const GraphSetting<int>& input : plan_.nodes[node].inputs) {
      for (const int from : input.values) {
        if (from >= 0) RETURN_IF_ERROR(Visit(from));
      }
    }
    way_.pop_back();
    marks_[node] = Mark::kDone;
    plan_.order.push_back(node);
    return absl::OkStatus();
  }

  absl::Status DescribeCycle(int node) const {
    auto begin = std::find(way_.begin(), way_.end(), node);
    std::vector<std::string> names;
    for (auto it = begin; it != way_.end(); ++it) names.push_back(plan_.nodes[*it].name);
    names.push_back(plan_.nodes[node].name);
    std::string text =
        absl::StrCat("nodes read each other in a cycle: ", absl::StrJoin(names, " reads "));
    for (auto it = begin; it != way_.end(); ++it) {
      for (const GraphSetting<int>& input : plan_.nodes[*it].inputs) {
        if (input.choice < 0) continue;
        absl::StrAppend(&text, "; '", plan_.nodes[*it].name, "' by choice '",
                        decisions_[input.choice].name, "'");
      }
    }
    return InvalidField(absl::StrCat("nodes[", node, "].inputs"), text);
  }

  absl::Status CheckUse() {
    for (size_t i = 0; i < decisions_.size(); ++i) {
      for (const Condition& condition : decisions_[i].conditions) used_[condition.decision] = true;
    }
    for (size_t i = 0; i < decisions_.size(); ++i) {
      if (used_[i]) continue;
      return InvalidField(
          absl::StrCat("choices[", i, "]"),
          absl::StrCat("choice '", decisions_[i].name, "' is used by no node; write $",
                       decisions_[i].name, " where its option belongs"));
    }
    return absl::OkStatus();
  }

  enum class Mark { kNew, kOpen, kDone };

  const v1::GraphSpace& spec_;
  const std::vector<Decision>& decisions_;
  std::vector<bool> used_;            // by decision
  std::map<std::string, int> names_;  // of nodes
  GraphPlan plan_;
  std::vector<Mark> marks_;
  std::vector<int> way_;
};

}  // namespace

std::string OperatorWord(v1::Operator op) {
  const std::string& name = v1::Operator_Name(op);
  return absl::AsciiStrToLower(absl::StripPrefix(name, kOperatorPrefix));
}

absl::StatusOr<std::vector<Decision>> ReadGraphChoices(const v1::GraphSpace& spec) {
  if (spec.choices_size() > kMaxGraphChoices) {
    return InvalidField("choices",
                        absl::StrCat(spec.choices_size(), " choices, at most ", kMaxGraphChoices));
  }
  std::vector<Decision> decisions;
  for (int i = 0; i < spec.choices_size(); ++i) {
    const v1::GraphChoice& choice = spec.choices(i);
    const auto read = [&]() -> absl::StatusOr<Decision> {
      RETURN_IF_ERROR(CheckName(choice.name(), "choice"));
      for (const Decision& other : decisions) {
        if (other.name != choice.name()) continue;
        return InvalidField("name", absl::StrCat("choice '", choice.name(), "' is given twice"));
      }
      RETURN_IF_ERROR(CheckOptions(choice));
      Decision decision;
      decision.name = choice.name();
      decision.options.assign(choice.options().begin(), choice.options().end());
      ASSIGN_OR_RETURN(decision.conditions,
                       ResolveConditions(choice.only_if(), decisions, "only_if", "", "choice"));
      return decision;
    };
    absl::StatusOr<Decision> decision = read();
    if (!decision.ok()) return PrefixField(absl::StrCat("choices[", i, "]"), decision.status());
    decisions.push_back(*std::move(decision));
  }
  return decisions;
}

absl::StatusOr<std::vector<std::vector<Condition>>> ReadGraphConstraints(
    const v1::GraphSpace& spec, const std::vector<Decision>& decisions) {
  if (spec.constraints_size() > kMaxGraphConstraints) {
    return InvalidField(
        "constraints",
        absl::StrCat(spec.constraints_size(), " constraints, at most ", kMaxGraphConstraints));
  }
  std::vector<std::vector<Condition>> constraints;
  for (int i = 0; i < spec.constraints_size(); ++i) {
    const std::string path = absl::StrCat("constraints[", i, "]");
    if (spec.constraints(i).never().empty()) {
      return InvalidField(absl::StrCat(path, ".never"), "empty, name what does not go together");
    }
    absl::StatusOr<std::vector<Condition>> conditions =
        ResolveConditions(spec.constraints(i).never(), decisions, "never", "", "choice");
    if (!conditions.ok()) return PrefixField(path, conditions.status());
    constraints.push_back(*std::move(conditions));
  }
  return constraints;
}

absl::StatusOr<GraphPlan> ReadGraphPlan(const v1::GraphSpace& spec,
                                        const std::vector<Decision>& decisions) {
  return PlanReader(spec, decisions).Read();
}

}  // namespace frontier::coordinator
