#include "coordinator/cli/job_file/overrides.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "coordinator/cli/job_file/converter.h"
#include "coordinator/cli/job_file/schema.h"
#include "coordinator/cli/render/text.h"

namespace frontier::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

void MarkFlag(const std::string& flag, Node* node) {
  node->position = {0, 0, flag};
  for (Node& item : node->items) MarkFlag(flag, &item);
  for (Node::Entry& entry : node->entries) {
    entry.position = node->position;
    MarkFlag(flag, &entry.value);
  }
}

// One step of a path: a key, and the indices after it.
struct Step {
  std::string key;
  std::vector<size_t> indices;
};

std::optional<Step> ParseStep(absl::string_view text) {
  Step step;
  const size_t bracket = std::min(text.find('['), text.size());
  step.key = std::string(text.substr(0, bracket));
  text.remove_prefix(bracket);
  while (!text.empty()) {
    const size_t end = text.find(']');
    uint32_t index = 0;
    if (text[0] != '[' || end == absl::string_view::npos ||
        !absl::SimpleAtoi(text.substr(1, end - 1), &index)) {
      return std::nullopt;
    }
    step.indices.push_back(index);
    text.remove_prefix(end + 1);
  }
  if (step.key.empty()) return std::nullopt;
  return step;
}

// The value of `field` in the map `node`; made if it is missing.
Node* Reach(const Descriptor& type, const FieldDescriptor& field, const std::string& key,
            const Position& position, Node* node) {
  const auto* oneof = field.real_containing_oneof();
  auto& entries = node->entries;
  entries.erase(std::remove_if(entries.begin(), entries.end(),
                               [&](const Node::Entry& entry) {
                                 const FieldDescriptor* other = FindField(type, entry.key).field;
                                 return oneof != nullptr && other != nullptr && other != &field &&
                                        other->real_containing_oneof() == oneof;
                               }),
                entries.end());
  for (Node::Entry& entry : entries) {
    if (FindField(type, entry.key).field == &field) {
      entry.key = key;  // the unit goes with the name
      entry.position = position;
      return &entry.value;
    }
  }
  Node nothing;
  nothing.position = position;
  entries.push_back({key, position, std::move(nothing)});
  return &entries.back().value;
}

}  // namespace

bool ApplyOverride(const Descriptor& type, const Override& change, Node* root,
                   std::vector<Problem>* problems) {
  const Position position{0, 0, change.flag};
  const auto refuse = [&](absl::string_view message) {
    problems->push_back({position, "", std::string(message)});
    return false;
  };
  std::vector<Problem> value_problems;
  Node value;
  value.position = position;
  if (!absl::StripAsciiWhitespace(change.value).empty() &&
      (!ReadDocument(change.value, DocumentLimits(), &value, &value_problems) ||
       !value_problems.empty())) {
    return refuse(absl::StrCat("the value of ", change.path, ": ", value_problems[0].message));
  }
  MarkFlag(change.flag, &value);

  Node* node = root;
  const Descriptor* inside = &type;
  for (const absl::string_view part : absl::StrSplit(change.path, '.')) {
    const std::optional<Step> step = ParseStep(part);
    if (!step.has_value()) {
      return refuse(
          absl::StrCat("'", Printable(change.path),
                       "' is not a path such as training.epochs or objectives[0].metric"));
    }
    if (inside == nullptr) {
      return refuse(absl::StrCat(Printable(change.path), ": nothing is below a plain value"));
    }
    const FieldName name = FindField(*inside, step->key);
    if (name.field == nullptr) {
      return refuse(absl::StrCat(Printable(change.path), ": '", Printable(step->key), "' ",
                                 UnknownKeyMessage(*inside, step->key)));
    }
    if (!ExpandShortForm(*inside, change.path, node, problems)) return false;
    if (node->kind == Node::Kind::kNull) node->kind = Node::Kind::kMap;
    if (node->kind != Node::Kind::kMap) {
      return refuse(absl::StrCat(Printable(change.path), ": the file has ", DescribeNode(*node),
                                 " where a map is needed"));
    }
    node = Reach(*inside, *name.field, step->key, position, node);
    for (const size_t index : step->indices) {
      if (node->kind != Node::Kind::kSequence || index >= node->items.size()) {
        return refuse(absl::StrCat(
            Printable(change.path), ": there is no element ", index, "; the list has ",
            node->kind == Node::Kind::kSequence ? node->items.size() : 0, " elements"));
      }
      node = &node->items[index];
    }
    inside = name.field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE ? name.field->message_type()
                                                                        : nullptr;
  }
  if (!change.append) {
    *node = std::move(value);
    return true;
  }
  if (node->kind == Node::Kind::kNull) node->kind = Node::Kind::kSequence;
  if (node->kind != Node::Kind::kSequence || value.kind != Node::Kind::kSequence) {
    return refuse(absl::StrCat(Printable(change.path), " is no list"));
  }
  for (Node& item : value.items) node->items.push_back(std::move(item));
  return true;
}

}  // namespace frontier::cli
