#include "coordinator/space/hyperparameters.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "coordinator/space/choice_conditions.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace frontier::coordinator {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;

const FieldDescriptor* FindRecipeField(const std::string& name) {
  const FieldDescriptor* field = v1::TrainingRecipe::descriptor()->FindFieldByName(name);
  return field == nullptr || field->is_repeated() ? nullptr : field;
}

std::string RecipeFieldNames() {
  std::vector<std::string> names;
  const auto* type = v1::TrainingRecipe::descriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    if (!type->field(i)->is_repeated()) names.push_back(type->field(i)->name());
  }
  return absl::StrJoin(names, ", ");
}

bool IsWhole(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_INT32;
}

// The word of an enum's value: its name without the enum's, in lower case.
std::string EnumWord(const EnumValueDescriptor& value) {
  const std::string& prefix = value.type()->value(0)->name();  // "OPTIMIZER_UNSPECIFIED"
  const size_t cut = prefix.rfind("UNSPECIFIED");
  return absl::AsciiStrToLower(absl::string_view(value.name()).substr(cut));
}

const EnumValueDescriptor* FindEnumWord(const FieldDescriptor& field, absl::string_view word) {
  for (int i = 1; i < field.enum_type()->value_count(); ++i) {
    if (EnumWord(*field.enum_type()->value(i)) == word) return field.enum_type()->value(i);
  }
  return nullptr;
}

// The text under which a value is an option, the same for equal values; nothing if `text` is none
// of the field's type.
std::optional<std::string> CanonicalValue(const FieldDescriptor& field, const std::string& text) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      double value = 0;
      if (!absl::SimpleAtod(text, &value) || !std::isfinite(value)) return std::nullopt;
      return absl::StrCat(value);
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      int32_t value = 0;
      if (!absl::SimpleAtoi(text, &value)) return std::nullopt;
      return absl::StrCat(value);
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "true" && text != "false") return std::nullopt;
      return text;
    case FieldDescriptor::CPPTYPE_ENUM:
      if (FindEnumWord(field, text) == nullptr) return std::nullopt;
      return text;
    default:
      return std::nullopt;
  }
}

std::string ExpectedValue(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return "a number";
    case FieldDescriptor::CPPTYPE_INT32:
      return "a whole number";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    default: {
      std::vector<std::string> words;
      for (int i = 1; i < field.enum_type()->value_count(); ++i) {
        words.push_back(EnumWord(*field.enum_type()->value(i)));
      }
      return absl::StrCat("one of ", absl::StrJoin(words, ", "));
    }
  }
}

// Puts a canonical value in.
void SetValue(const FieldDescriptor& field, const std::string& text, v1::TrainingRecipe* recipe) {
  const google::protobuf::Reflection& reflection = *recipe->GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      double value = 0;
      if (absl::SimpleAtod(text, &value)) reflection.SetDouble(recipe, &field, value);
      return;
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      int32_t value = 0;
      if (absl::SimpleAtoi(text, &value)) reflection.SetInt32(recipe, &field, value);
      return;
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      reflection.SetBool(recipe, &field, text == "true");
      return;
    default:
      reflection.SetEnum(recipe, &field, FindEnumWord(field, text));
      return;
  }
}

std::string NumberText(const FieldDescriptor& field, double value) {
  if (!IsWhole(field)) return absl::StrCat(value);
  return absl::StrCat(static_cast<int64_t>(std::llround(value)));
}

absl::Status CheckRange(const FieldDescriptor& field, double low, double high, int steps) {
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_DOUBLE && !IsWhole(field)) {
    return InvalidField(
        "low", absl::StrCat(field.name(),
                            " is no number, give categorical values: ", ExpectedValue(field)));
  }
  // Whole numbers beyond would not be exact.
  constexpr double kMost = std::numeric_limits<int32_t>::max();
  if (!(std::abs(low) <= kMost)) {
    return InvalidField("low", absl::StrCat("must be finite and at most ", kMost, ", is ", low));
  }
  if (!(high > low && high <= kMost)) {
    return InvalidField("high",
                        absl::StrCat("must be above ", low, " and at most ", kMost, ", is ", high));
  }
  if (steps < 2 || steps > kMaxHyperparameterValues) {
    return InvalidField("steps",
                        absl::StrCat("must be 2 to ", kMaxHyperparameterValues, ", is ", steps));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> LinearValues(const FieldDescriptor& field,
                                                      const v1::LinearRange& range) {
  RETURN_IF_ERROR(CheckRange(field, range.low(), range.high(), range.steps()));
  std::vector<std::string> values;
  for (int i = 0; i < range.steps(); ++i) {
    const double share = static_cast<double>(i) / (range.steps() - 1);
    values.push_back(NumberText(field, range.low() * (1 - share) + range.high() * share));
  }
  return values;
}

absl::StatusOr<std::vector<std::string>> LogValues(const FieldDescriptor& field,
                                                   const v1::LogRange& range) {
  RETURN_IF_ERROR(CheckRange(field, range.low(), range.high(), range.steps()));
  if (!(range.low() > 0)) {
    return InvalidField("low", absl::StrCat("must be above 0 for a log range, is ", range.low()));
  }
  std::vector<std::string> values;
  for (int i = 0; i < range.steps(); ++i) {
    const double share = static_cast<double>(i) / (range.steps() - 1);
    values.push_back(NumberText(
        field, std::exp(std::log(range.low()) * (1 - share) + std::log(range.high()) * share)));
  }
  return values;
}

absl::StatusOr<std::vector<std::string>> IntegerValues(const FieldDescriptor& field,
                                                       const v1::IntegerRange& range) {
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_DOUBLE && !IsWhole(field)) {
    return InvalidField(
        "low", absl::StrCat(field.name(),
                            " is no number, give categorical values: ", ExpectedValue(field)));
  }
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  if (range.low() < -kMost || range.low() > kMost) {
    return InvalidField("low",
                        absl::StrCat("must be ", -kMost, " to ", kMost, ", is ", range.low()));
  }
  if (range.high() < range.low() || range.high() > kMost) {
    return InvalidField(
        "high", absl::StrCat("must be ", range.low(), " to ", kMost, ", is ", range.high()));
  }
  const int64_t step = range.step() == 0 ? 1 : range.step();
  if (step < 1) return InvalidField("step", absl::StrCat("must be at least 1, is ", step));
  if ((range.high() - range.low()) / step >= kMaxHyperparameterValues) {
    return InvalidField("step",
                        absl::StrCat("from ", range.low(), " to ", range.high(), " by ", step,
                                     " there are more than ", kMaxHyperparameterValues, " values"));
  }
  std::vector<std::string> values;
  for (int64_t value = range.low(); value <= range.high(); value += step) {
    values.push_back(absl::StrCat(value));
    if (value > range.high() - step) break;
  }
  return values;
}

absl::StatusOr<std::vector<std::string>> ListValues(const FieldDescriptor& field,
                                                    const v1::Hyperparameter& spec) {
  switch (spec.range_case()) {
    case v1::Hyperparameter::kLinear: {
      auto values = LinearValues(field, spec.linear());
      if (!values.ok()) return PrefixField("linear", values.status());
      return values;
    }
    case v1::Hyperparameter::kLog: {
      auto values = LogValues(field, spec.log());
      if (!values.ok()) return PrefixField("log", values.status());
      return values;
    }
    case v1::Hyperparameter::kInteger: {
      auto values = IntegerValues(field, spec.integer());
      if (!values.ok()) return PrefixField("integer", values.status());
      return values;
    }
    case v1::Hyperparameter::kCategorical:
      if (spec.categorical().values().empty()) {
        return InvalidField("categorical.values", "empty, name at least one value");
      }
      if (spec.categorical().values_size() > kMaxHyperparameterValues) {
        return InvalidField("categorical.values",
                            absl::StrCat(spec.categorical().values_size(), " values, at most ",
                                         kMaxHyperparameterValues));
      }
      return std::vector<std::string>(spec.categorical().values().begin(),
                                      spec.categorical().values().end());
    case v1::Hyperparameter::RANGE_NOT_SET:
      break;
  }
  return InvalidField("range", absl::StrCat("no values given for ", spec.name(),
                                            "; give linear, log, integer or categorical"));
}

absl::StatusOr<Decision> MakeDecision(const v1::Hyperparameter& spec,
                                      const std::vector<Decision>& earlier) {
  const FieldDescriptor* field = FindRecipeField(spec.name());
  if (field == nullptr) {
    return InvalidField("name",
                        absl::StrCat("'", absl::string_view(spec.name()).substr(0, 100),
                                     "' is no hyperparameter; known are: ", RecipeFieldNames()));
  }
  Decision decision;
  decision.name = absl::StrCat("training.", spec.name());
  for (const Decision& other : earlier) {
    if (other.name == decision.name) {
      return InvalidField("name", absl::StrCat(spec.name(), " is given twice"));
    }
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> values, ListValues(*field, spec));
  const bool listed = spec.range_case() == v1::Hyperparameter::kCategorical;
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string path = listed ? absl::StrCat("categorical.values[", i, "]") : "range";
    std::optional<std::string> value = CanonicalValue(*field, values[i]);
    if (!value.has_value()) {
      return InvalidField(
          path, absl::StrCat("'", absl::string_view(values[i]).substr(0, 100), "' is no value of ",
                             spec.name(), ", expected ", ExpectedValue(*field)));
    }
    if (std::find(decision.options.begin(), decision.options.end(), *value) !=
        decision.options.end()) {
      return InvalidField(path, absl::StrCat(spec.name(), " has the value ", *value, " twice",
                                             listed ? "" : ", since it is rounded"));
    }
    decision.options.push_back(*std::move(value));
  }
  ASSIGN_OR_RETURN(decision.conditions, ResolveConditions(spec.only_if(), earlier, "only_if",
                                                          "training.", "hyperparameter"));
  return decision;
}

// What only one optimizer or schedule reads goes with it, unless it is searched.
void DropUnused(const std::vector<v1::HyperparameterValue>& searched, v1::TrainingRecipe* recipe) {
  std::vector<absl::string_view> unused;
  if (recipe->optimizer() != v1::OPTIMIZER_ADAMW) unused = {"beta2", "epsilon"};
  if (recipe->schedule() != v1::SCHEDULE_STEP) {
    unused.insert(unused.end(), {"step_epochs", "step_factor"});
  }
  for (const absl::string_view name : unused) {
    const bool keep = std::any_of(searched.begin(), searched.end(),
                                  [name](const auto& value) { return value.name() == name; });
    if (!keep) {
      recipe->GetReflection()->ClearField(recipe, FindRecipeField(std::string(name)));
    }
  }
}

}  // namespace

absl::StatusOr<Hyperparameters> Hyperparameters::Create(const Specs& specs) {
  if (specs.size() > kMaxHyperparameters) {
    return InvalidField("hyperparameters", absl::StrCat(specs.size(), " hyperparameters, at most ",
                                                        kMaxHyperparameters));
  }
  std::vector<std::string> names;
  std::vector<Decision> decisions;
  for (int i = 0; i < specs.size(); ++i) {
    absl::StatusOr<Decision> decision = MakeDecision(specs[i], decisions);
    if (!decision.ok())
      return PrefixField(absl::StrCat("hyperparameters[", i, "]"), decision.status());
    decisions.push_back(*std::move(decision));
    names.push_back(specs[i].name());
  }
  absl::StatusOr<Encoding> encoding = Encoding::Create(std::move(decisions));
  if (!encoding.ok()) return InvalidField("hyperparameters", encoding.status().message());
  return Hyperparameters(std::move(names), *std::move(encoding));
}

std::vector<v1::HyperparameterValue> Hyperparameters::Values(const v1::Genotype& genotype) const {
  const std::vector<bool> active = encoding_.Active(genotype);
  std::vector<v1::HyperparameterValue> values;
  for (size_t i = 0; i < names_.size(); ++i) {
    if (!active[i]) continue;
    v1::HyperparameterValue value;
    value.set_name(names_[i]);
    value.set_value(encoding_.decisions()[i].options[genotype.options(static_cast<int>(i))]);
    values.push_back(std::move(value));
  }
  return values;
}

v1::TrainingRecipe Hyperparameters::Apply(const v1::Genotype& genotype,
                                          const v1::TrainingRecipe& base) const {
  v1::TrainingRecipe recipe = base;
  const std::vector<v1::HyperparameterValue> values = Values(genotype);
  for (const v1::HyperparameterValue& value : values) {
    SetValue(*FindRecipeField(value.name()), value.value(), &recipe);
  }
  DropUnused(values, &recipe);
  return recipe;
}

}  // namespace frontier::coordinator
