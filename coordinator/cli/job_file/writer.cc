// WriteJobFile: the job message as YAML in its short forms.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/cli/job_file/job_file.h"
#include "coordinator/cli/job_file/schema.h"
#include "coordinator/cli/job_file/units.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string ScalarText(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& r = *message.GetReflection();
  const bool list = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(list ? r.GetRepeatedInt32(message, &field, index)
                               : r.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(list ? r.GetRepeatedInt64(message, &field, index)
                               : r.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(list ? r.GetRepeatedUInt64(message, &field, index)
                               : r.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return WriteNumber(list ? r.GetRepeatedDouble(message, &field, index)
                              : r.GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return (list ? r.GetRepeatedBool(message, &field, index) : r.GetBool(message, &field))
                 ? "true"
                 : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumWord(
          *(list ? r.GetRepeatedEnum(message, &field, index) : r.GetEnum(message, &field)));
    default:
      return QuoteText(list ? r.GetRepeatedString(message, &field, index)
                            : r.GetString(message, &field));
  }
}

// The field's short name and value in units, if it has them and they are exact.
std::optional<std::string> UnitText(const Message& message, const FieldDescriptor& field) {
  const Reflection& r = *message.GetReflection();
  switch (RuleFor(field).unit) {
    case Unit::kDuration:
      return WriteDuration(r.GetDouble(message, &field));
    case Unit::kBytes:
      return WriteBytes(r.GetInt64(message, &field));
    case Unit::kNone:
      break;
  }
  return std::nullopt;
}

bool IsMessage(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

// Whether a file must give the field though its value is its default, 0.
bool MustBeWritten(const FieldDescriptor& field) {
  const FieldRule& rule = RuleFor(field);
  const bool number = !IsMessage(field) && field.cpp_type() != FieldDescriptor::CPPTYPE_STRING &&
                      field.cpp_type() != FieldDescriptor::CPPTYPE_ENUM;
  return rule.required && number && !field.is_repeated() && InRange(rule.range, 0);
}

std::vector<const FieldDescriptor*> WrittenFields(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    if (MustBeWritten(*field) && std::find(fields.begin(), fields.end(), field) == fields.end()) {
      fields.push_back(field);
    }
  }
  std::sort(fields.begin(), fields.end(), [](const FieldDescriptor* a, const FieldDescriptor* b) {
    return a->number() < b->number();
  });
  return fields;
}

// Whether a message's type holds only plain values, lists of them, and short forms.
bool IsFlat(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (!IsMessage(*field)) continue;
    if (field->is_repeated()) return false;
    const Message& child = message.GetReflection()->GetMessage(message, field);
    if (!WriteShortForm(child).has_value() && !IsFlat(child)) return false;
  }
  return true;
}

std::string Flow(const Message& message);

std::string FlowField(const Message& message, const FieldDescriptor& field) {
  const Reflection& r = *message.GetReflection();
  if (!field.is_repeated()) {
    if (IsMessage(field)) {
      return absl::StrCat(FileName(field), ": ", Flow(r.GetMessage(message, &field)));
    }
    if (const std::optional<std::string> text = UnitText(message, field)) {
      return absl::StrCat(FileName(field), ": ", *text);
    }
    return absl::StrCat(field.name(), ": ", ScalarText(message, field, 0));
  }
  std::vector<std::string> items;
  for (int i = 0; i < r.FieldSize(message, &field); ++i) {
    items.push_back(IsMessage(field) ? Flow(r.GetRepeatedMessage(message, &field, i))
                                     : ScalarText(message, field, i));
  }
  return absl::StrCat(field.name(), ": [", absl::StrJoin(items, ", "), "]");
}

std::string Flow(const Message& message) {
  if (const std::optional<std::string> text = WriteShortForm(message)) return *text;
  std::vector<std::string> parts;
  for (const FieldDescriptor* field : WrittenFields(message))
    parts.push_back(FlowField(message, *field));
  return absl::StrCat("{", absl::StrJoin(parts, ", "), "}");
}

void Block(const Message& message, int indent, std::string* out) {
  const std::string margin(indent, ' ');
  const Reflection& r = *message.GetReflection();
  for (const FieldDescriptor* field : WrittenFields(message)) {
    if (!IsMessage(*field)) {
      absl::StrAppend(out, margin, FlowField(message, *field), "\n");
    } else if (field->is_repeated()) {
      absl::StrAppend(out, margin, field->name(), ":\n");
      for (int i = 0; i < r.FieldSize(message, field); ++i) {
        absl::StrAppend(out, margin, "  - ", Flow(r.GetRepeatedMessage(message, field, i)), "\n");
      }
    } else if (IsFlat(r.GetMessage(message, field))) {
      absl::StrAppend(out, margin, FlowField(message, *field), "\n");
    } else {
      absl::StrAppend(out, margin, FileName(*field), ":\n");
      Block(r.GetMessage(message, field), indent + 2, out);
    }
  }
}

}  // namespace

std::string WriteJobFile(const v1::JobSpec& spec) {
  std::string text;
  Block(spec, 0, &text);
  return text;
}

}  // namespace frontier::cli
