#include "coordinator/space/choices.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace frontier::coordinator {

absl::Status CheckChoices(absl::string_view field, absl::Span<const int32_t> values, int least,
                          int most) {
  absl::flat_hash_set<int32_t> seen;
  for (size_t i = 0; i < values.size(); ++i) {
    const int32_t value = values[i];
    const std::string item = absl::StrCat(field, "[", i, "]");
    if (value < least || value > most) {
      return InvalidField(item, absl::StrCat("is ", value, ", must be ", least, " to ", most));
    }
    if (!seen.insert(value).second) {
      return InvalidField(item, absl::StrCat(value, " is listed twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSomeChoices(absl::string_view field, absl::Span<const int32_t> values, int least,
                              int most) {
  if (values.empty()) return InvalidField(field, "empty, name at least one value");
  return CheckChoices(field, values, least, most);
}

absl::Status CheckKernels(absl::string_view field, absl::Span<const int32_t> values) {
  RETURN_IF_ERROR(CheckChoices(field, values, 1, kMaxKernel));
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] % 2 == 0) {
      return InvalidField(absl::StrCat(field, "[", i, "]"),
                          absl::StrCat("is ", values[i], ", must be odd"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckActivations(absl::string_view field, absl::Span<const int32_t> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (ActivationName(values[i]).empty()) {
      return InvalidField(absl::StrCat(field, "[", i, "]"),
                          absl::StrCat("unknown activation ", values[i]));
    }
  }
  return CheckChoices(field, values, 1, v1::Activation_MAX);
}

absl::Status CheckSqueezeExcite(absl::string_view field, absl::Span<const int32_t> values) {
  return CheckChoices(field, values, 0, kMaxReduction);
}

absl::Status CheckFlags(absl::string_view field, absl::Span<const bool> values) {
  for (size_t i = 1; i < values.size(); ++i) {
    if (std::count(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(i), values[i]) >
        0) {
      return InvalidField(absl::StrCat(field, "[", i, "]"),
                          absl::StrCat(values[i] ? "true" : "false", " is listed twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckCount(absl::string_view field, int count) {
  if (count == 0) return InvalidField(field, "empty, name at least one");
  if (count > kMaxStages) {
    return InvalidField(field, absl::StrCat(count, " ", field, ", at most ", kMaxStages));
  }
  return absl::OkStatus();
}

absl::Status CheckDropout(absl::string_view field, double rate) {
  // NaN is in no range.
  if (rate >= 0 && rate < 1) return absl::OkStatus();
  return InvalidField(field, absl::StrCat("is ", rate, ", must be at least 0 and less than 1"));
}

absl::Status CheckStride(absl::string_view name, int stride, const v1::Shape& shape) {
  // A builder that has made a mistake has no shape; it tells that mistake.
  if (stride == 1 || shape.width() == 0 || stride <= std::max(shape.height(), shape.width())) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(name, ": stride ", stride, " on a map of ",
                                                 shape.height(), " x ", shape.width()));
}

absl::string_view ActivationName(int activation) {
  switch (activation) {
    case v1::ACTIVATION_RELU:
      return "relu";
    case v1::ACTIVATION_RELU6:
      return "relu6";
    case v1::ACTIVATION_HARD_SWISH:
      return "hard_swish";
    case v1::ACTIVATION_SILU:
      return "silu";
    case v1::ACTIVATION_GELU:
      return "gelu";
    default:
      return "";
  }
}

int DecisionList::Add(std::string name, std::vector<std::string> options,
                      std::vector<Condition> conditions) {
  decisions_.push_back({std::move(name), std::move(options), std::move(conditions)});
  return static_cast<int>(decisions_.size()) - 1;
}

int DecisionList::AddNumbers(std::string name, absl::Span<const int32_t> values,
                             std::vector<Condition> conditions) {
  std::vector<std::string> options;
  for (const int32_t value : values) options.push_back(absl::StrCat(value));
  return Add(std::move(name), std::move(options), std::move(conditions));
}

int DecisionList::AddActivations(std::string name, absl::Span<const int32_t> values,
                                 std::vector<Condition> conditions) {
  std::vector<std::string> options;
  for (const int32_t value : values) options.emplace_back(ActivationName(value));
  return Add(std::move(name), std::move(options), std::move(conditions));
}

int DecisionList::AddFlags(std::string name, absl::Span<const bool> values) {
  std::vector<std::string> options;
  for (const bool value : values) options.emplace_back(value ? "yes" : "no");
  return Add(std::move(name), std::move(options));
}

std::vector<Condition> IfAtLeast(int decision, absl::Span<const int32_t> values, int least) {
  Condition condition{decision, {}};
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] >= least) condition.options.push_back(static_cast<int32_t>(i));
  }
  return {condition};
}

}  // namespace frontier::coordinator
