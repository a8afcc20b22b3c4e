#include "coordinator/cli/job_file/protocol_json.h"

#include <algorithm>
#include <utility>

#include "coordinator/cli/job_file/schema.h"
#include "coordinator/cli/job_file/units.h"

namespace frontier::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

Node* FindEntry(absl::string_view key, Node* map) {
  for (Node::Entry& entry : map->entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

bool IsDefault(const FieldDescriptor& field, const Node& value) {
  if (field.is_repeated()) return value.kind == Node::Kind::kSequence && value.items.empty();
  if (value.kind != Node::Kind::kScalar) return false;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return value.scalar.empty();
    case FieldDescriptor::CPPTYPE_BOOL:
      return value.scalar == "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return value.scalar == field.enum_type()->value(0)->name();
    default:
      return ParseNumber(value.scalar) == 0.;
  }
}

void DropDefaults(const Descriptor& type, Node* node) {
  for (Node::Entry& entry : node->entries) {
    const FieldDescriptor* field = FindField(type, entry.key).field;
    if (field == nullptr || field->message_type() == nullptr) continue;
    DropDefaults(*field->message_type(), &entry.value);
    for (Node& item : entry.value.items) DropDefaults(*field->message_type(), &item);
  }
  const auto is_left_out = [&type](const Node::Entry& entry) {
    const FieldDescriptor* field = FindField(type, entry.key).field;
    return field != nullptr && !field->has_presence() && !RuleFor(*field).required &&
           IsDefault(*field, entry.value);
  };
  node->entries.erase(std::remove_if(node->entries.begin(), node->entries.end(), is_left_out),
                      node->entries.end());
}

}  // namespace

bool IsJson(absl::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != absl::string_view::npos && text[first] == '{';
}

void ReadAsProtocolJson(const Descriptor& type, Node* root) {
  if (Node* job = FindEntry("job", root)) {
    if (Node* found = FindEntry("spec", job)) {
      Node spec = std::move(*found);
      *root = std::move(spec);
    }
  }
  DropDefaults(type, root);
}

}  // namespace frontier::cli
