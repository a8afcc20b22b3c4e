#include "coordinator/cli/job_file/converter.h"

#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "coordinator/cli/job_file/schema.h"
#include "coordinator/cli/job_file/units.h"
#include "coordinator/cli/render/text.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;
using google::protobuf::Reflection;

std::string Join(const std::string& path, absl::string_view name) {
  return path.empty() ? std::string(name) : absl::StrCat(path, ".", name);
}

bool IsWhole(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return true;
    default:
      return false;
  }
}

std::string ExpectedValue(const FieldDescriptor& field, Unit unit) {
  if (unit == Unit::kDuration) return "a duration such as 90s, 4m or 2h30m";
  if (unit == Unit::kBytes) return "a size such as 512MiB or 2GiB";
  if (IsWhole(field)) return "a whole number";
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return "a number";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::StrCat("one of ", Listing(EnumWords(*field.enum_type())));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ExpectedForm(*field.message_type());
    default:
      return "text";
  }
}

class Converter {
 public:
  Converter(std::map<std::string, Position>* positions, std::vector<Problem>* problems)
      : positions_(positions), problems_(problems) {}

  // `shown` is the path as the file has it, `path` as the protocol has it.
  void ConvertMessage(Node node, const std::string& path, const std::string& shown,
                      Message* message) {
    const Descriptor& type = *message->GetDescriptor();
    if (!ExpandShortForm(type, shown, &node, problems_)) return;
    if (node.kind != Node::Kind::kMap && node.kind != Node::Kind::kNull) {
      Report(node.position, shown,
             absl::StrCat("expected ", ExpectedForm(type), ", found ", DescribeNode(node)));
      return;
    }
    std::map<const FieldDescriptor*, const Node::Entry*> given;
    std::map<const OneofDescriptor*, const Node::Entry*> chosen;
    std::set<const FieldDescriptor*> meant;  // by keys that are not known
    for (const Node::Entry& entry : node.entries) {
      const FieldName name = FindField(type, entry.key);
      const std::string key = Printable(entry.key);
      if (name.field == nullptr) {
        Report(entry.position, Join(shown, Shorten(key, 60)), UnknownKeyMessage(type, entry.key));
        if (const OneofDescriptor* oneof = MisspeltChoice(type, entry)) chosen[oneof] = &entry;
        if (const auto suggested = Suggest(entry.key, FileNames(type))) {
          meant.insert(FindField(type, *suggested).field);
        }
        continue;
      }
      const auto [earlier, first] = given.insert({name.field, &entry});
      if (!first) {
        Report(entry.position, Join(shown, key),
               absl::StrCat("given already as ", earlier->second->key));
        continue;
      }
      if (const OneofDescriptor* oneof = name.field->real_containing_oneof()) {
        const auto [other, only] = chosen.insert({oneof, &entry});
        if (!only) {
          Report(entry.position, Join(shown, key),
                 absl::StrCat("only one of ", other->second->key, " and ", key, " may be given"));
          continue;
        }
      }
      const std::string field_path = Join(path, name.field->name());
      (*positions_)[field_path] =
          entry.value.kind == Node::Kind::kNull ? entry.position : entry.value.position;
      ConvertField(name, entry, field_path, Join(shown, key), message);
    }
    ReportMissing(node, type, shown, given, chosen, meant);
  }

 private:
  void Report(const Position& position, const std::string& field, std::string message) {
    problems_->push_back({position, field, std::move(message)});
  }

  // The choice an unknown key seems to be meant for: it is not reported once more as missing.
  static const OneofDescriptor* MisspeltChoice(const Descriptor& type, const Node::Entry& entry) {
    if (type.real_oneof_decl_count() == 0) return nullptr;
    const std::optional<std::string> meant = Suggest(entry.key, FileNames(type));
    if (meant.has_value()) return FindField(type, *meant).field->real_containing_oneof();
    return entry.value.kind == Node::Kind::kScalar ? nullptr : type.oneof_decl(0);
  }

  void ReportMissing(const Node& node, const Descriptor& type, const std::string& shown,
                     const std::map<const FieldDescriptor*, const Node::Entry*>& given,
                     const std::map<const OneofDescriptor*, const Node::Entry*>& chosen,
                     const std::set<const FieldDescriptor*>& meant) {
    for (int i = 0; i < type.field_count(); ++i) {
      if (meant.count(type.field(i)) > 0) continue;
      if (RuleFor(*type.field(i)).required && given.count(type.field(i)) == 0) {
        Report(node.position, Join(shown, FileName(*type.field(i))), "missing");
      }
    }
    for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
      const OneofDescriptor* oneof = type.oneof_decl(i);
      if (chosen.count(oneof) > 0) continue;
      std::vector<std::string> names;
      for (int j = 0; j < oneof->field_count(); ++j) names.push_back(FileName(*oneof->field(j)));
      Report(node.position, shown,
             names.size() == 1 ? absl::StrCat("missing: ", names[0])
                               : absl::StrCat("missing: one of ", Listing(names)));
    }
  }

  void ConvertField(const FieldName& name, const Node::Entry& entry, const std::string& path,
                    const std::string& shown, Message* message) {
    const FieldDescriptor& field = *name.field;
    if (!field.is_repeated()) {
      if (entry.value.kind == Node::Kind::kNull &&
          field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
        Report(entry.position, shown,
               absl::StrCat("has no value; expected ", ExpectedValue(field, name.unit)));
        return;
      }
      ConvertValue(name, entry.value, path, shown, message);
      return;
    }
    if (entry.value.kind != Node::Kind::kSequence) {
      Report(entry.value.kind == Node::Kind::kNull ? entry.position : entry.value.position, shown,
             absl::StrCat("expected a list such as [...], found ", DescribeNode(entry.value)));
      return;
    }
    if (entry.value.items.empty() && RuleFor(field).required) {
      Report(entry.value.position, shown, "the list is empty");
    }
    std::set<std::string> seen;
    for (size_t i = 0; i < entry.value.items.size(); ++i) {
      const Node& item = entry.value.items[i];
      const std::string index = absl::StrCat("[", i, "]");
      (*positions_)[path + index] = item.position;
      ConvertValue(name, item, path + index, shown + index, message);
      if (RuleFor(field).distinct && item.kind == Node::Kind::kScalar &&
          !seen.insert(item.scalar).second) {
        Report(item.position, shown + index,
               absl::StrCat(DescribeNode(item), " is in the list already"));
      }
    }
  }

  void ConvertValue(const FieldName& name, const Node& node, const std::string& path,
                    const std::string& shown, Message* message) {
    const FieldDescriptor& field = *name.field;
    const Reflection& reflection = *message->GetReflection();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Message* child = field.is_repeated() ? reflection.AddMessage(message, &field)
                                           : reflection.MutableMessage(message, &field);
      ConvertMessage(node, path, shown, child);
      return;
    }
    if (node.kind != Node::Kind::kScalar) {
      Report(node.position, shown,
             absl::StrCat("expected ", ExpectedValue(field, name.unit), ", found ",
                          DescribeNode(node)));
      return;
    }
    if (!ConvertScalar(name, node, shown, message)) {
      Report(node.position, shown,
             absl::StrCat(DescribeNode(node), " is not ", ExpectedValue(field, name.unit),
                          field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM
                              ? Suggestion(node.scalar, EnumWords(*field.enum_type()))
                              : ""));
    }
  }

  // False if the text is no value of the field's type; what else is wrong is reported here.
  bool ConvertScalar(const FieldName& name, const Node& node, const std::string& shown,
                     Message* message) {
    const FieldDescriptor& field = *name.field;
    const std::string& text = node.scalar;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        if (text.empty()) {
          Report(node.position, shown, "is empty");
        } else {
          Set(field, text, message);
        }
        return true;
      case FieldDescriptor::CPPTYPE_BOOL:
        if (text != "true" && text != "false") return false;
        Set(field, text == "true", message);
        return true;
      case FieldDescriptor::CPPTYPE_ENUM: {
        const EnumValueDescriptor* value = FindEnumValue(*field.enum_type(), text);
        if (value == nullptr) return false;
        Set(field, value, message);
        return true;
      }
      case FieldDescriptor::CPPTYPE_DOUBLE: {
        const std::optional<double> value =
            name.unit == Unit::kDuration ? ParseDuration(text) : ParseNumber(text);
        if (!value.has_value()) return false;
        if (CheckRange(field, *value, node, shown)) Set(field, *value, message);
        return true;
      }
      case FieldDescriptor::CPPTYPE_UINT64: {
        uint64_t value = 0;
        if (!IsPlainInteger(text) || !absl::SimpleAtoi(text, &value)) {
          return ReportTooLarge(text, node, shown);
        }
        Set(field, value, message);
        return true;
      }
      case FieldDescriptor::CPPTYPE_INT32:
      case FieldDescriptor::CPPTYPE_INT64:
        return ConvertInteger(name, node, shown, message);
      default:
        return false;
    }
  }

  bool ConvertInteger(const FieldName& name, const Node& node, const std::string& shown,
                      Message* message) {
    const FieldDescriptor& field = *name.field;
    int64_t value = 0;
    if (name.unit == Unit::kBytes) {
      const std::optional<int64_t> bytes = ParseBytes(node.scalar);
      if (!bytes.has_value()) return false;
      value = *bytes;
    } else if (!IsPlainInteger(node.scalar) || !absl::SimpleAtoi(node.scalar, &value)) {
      return ReportTooLarge(node.scalar, node, shown);
    }
    const bool narrow = field.cpp_type() == FieldDescriptor::CPPTYPE_INT32;
    if (narrow && value != static_cast<int32_t>(value)) {
      return ReportTooLarge(node.scalar, node, shown);
    }
    if (!CheckRange(field, static_cast<double>(value), node, shown)) return true;
    if (RuleFor(field).odd && value % 2 == 0) {
      Report(node.position, shown, absl::StrCat(value, " is even; kernels are odd: 1, 3, 5, ..."));
      return true;
    }
    if (narrow) {
      Set(field, static_cast<int32_t>(value), message);
    } else {
      Set(field, value, message);
    }
    return true;
  }

  static bool IsPlainInteger(absl::string_view text) {
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
    return !text.empty() && text.find_first_not_of("0123456789") == absl::string_view::npos;
  }

  // True (reported) if `text` is a whole number, only one that does not fit.
  bool ReportTooLarge(const std::string& text, const Node& node, const std::string& shown) {
    if (!IsPlainInteger(text)) return false;
    Report(node.position, shown, absl::StrCat(DescribeNode(node), " is out of range"));
    return true;
  }

  bool CheckRange(const FieldDescriptor& field, double value, const Node& node,
                  const std::string& shown) {
    const absl::string_view range = RuleFor(field).range;
    if (InRange(range, value)) return true;
    std::string demand = absl::StrCat("must lie in ", range);
    if (range == "[0, inf)") demand = "must not be negative";
    if (range == "[1, inf)") demand = "must be at least 1";
    if (range == "[2, inf)") demand = "must be at least 2";
    if (range == "(0, inf)") demand = "must be positive";
    if (range == "(0, 1)") demand = "must lie between 0 and 1, both left out";
    if (range == "[0, 1)") demand = "must be at least 0 and less than 1";
    Report(node.position, shown, absl::StrCat(Printable(node.scalar), " ", demand));
    return false;
  }

  template <typename T>
  void Set(const FieldDescriptor& field, const T& value, Message* message) {
    const Reflection& r = *message->GetReflection();
    const bool add = field.is_repeated();
    if constexpr (std::is_same_v<T, std::string>) {
      add ? r.AddString(message, &field, value) : r.SetString(message, &field, value);
    } else if constexpr (std::is_same_v<T, bool>) {
      add ? r.AddBool(message, &field, value) : r.SetBool(message, &field, value);
    } else if constexpr (std::is_same_v<T, const EnumValueDescriptor*>) {
      add ? r.AddEnum(message, &field, value) : r.SetEnum(message, &field, value);
    } else if constexpr (std::is_same_v<T, double>) {
      add ? r.AddDouble(message, &field, value) : r.SetDouble(message, &field, value);
    } else if constexpr (std::is_same_v<T, int32_t>) {
      add ? r.AddInt32(message, &field, value) : r.SetInt32(message, &field, value);
    } else if constexpr (std::is_same_v<T, int64_t>) {
      add ? r.AddInt64(message, &field, value) : r.SetInt64(message, &field, value);
    } else {
      static_assert(std::is_same_v<T, uint64_t>);
      add ? r.AddUInt64(message, &field, value) : r.SetUInt64(message, &field, value);
    }
  }

  std::map<std::string, Position>* const positions_;
  std::vector<Problem>* const problems_;
};

}  // namespace

std::string UnknownKeyMessage(const Descriptor& type, const std::string& key) {
  const std::vector<std::string> names = FileNames(type);
  const std::string suggestion = Suggestion(key, names);
  if (!suggestion.empty()) return absl::StrCat("not known here", suggestion);
  return names.empty() ? "not known here; nothing is expected"
                       : absl::StrCat("not known here; known are ", Listing(names));
}

void ConvertDocument(const Node& root, Message* message, std::map<std::string, Position>* positions,
                     std::vector<Problem>* problems) {
  (*positions)[""] = root.position;
  Converter(positions, problems).ConvertMessage(root, "", "", message);
}

}  // namespace frontier::cli
