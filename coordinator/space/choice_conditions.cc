#include "coordinator/space/choice_conditions.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"

namespace frontier::coordinator {
namespace {

constexpr size_t kShown = 100;  // characters of a user's text in a message

int FindOption(const Decision& decision, const std::string& text) {
  for (size_t i = 0; i < decision.options.size(); ++i) {
    if (decision.options[i] == text) return static_cast<int>(i);
  }
  double wanted = 0;
  if (!absl::SimpleAtod(text, &wanted)) return -1;
  for (size_t i = 0; i < decision.options.size(); ++i) {
    double value = 0;
    if (absl::SimpleAtod(decision.options[i], &value) && value == wanted) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

absl::StatusOr<Condition> Resolve(const v1::ChoiceCondition& spec,
                                  const std::vector<Decision>& earlier, absl::string_view prefix,
                                  absl::string_view what) {
  const std::string name = absl::StrCat(prefix, spec.choice());
  Condition condition;
  condition.decision = -1;
  for (size_t i = 0; i < earlier.size(); ++i) {
    if (earlier[i].name == name) condition.decision = static_cast<int>(i);
  }
  if (condition.decision < 0) {
    return InvalidField(
        "choice", absl::StrCat("'", spec.choice().substr(0, kShown), "' is no earlier ", what));
  }
  const Decision& decision = earlier[condition.decision];
  if (spec.options().empty()) {
    return InvalidField("options",
                        absl::StrCat("empty, name at least one option of ", spec.choice()));
  }
  for (int i = 0; i < spec.options_size(); ++i) {
    const int option = FindOption(decision, spec.options(i));
    if (option < 0) {
      const size_t shown = std::min<size_t>(decision.options.size(), 20);
      const std::vector<std::string> known(decision.options.begin(),
                                           decision.options.begin() + static_cast<int64_t>(shown));
      return InvalidField(
          absl::StrCat("options[", i, "]"),
          absl::StrCat(what, " ", spec.choice(), " has no option '",
                       spec.options(i).substr(0, kShown), "', only ", absl::StrJoin(known, ", "),
                       shown < decision.options.size() ? ", ..." : ""));
    }
    condition.options.push_back(option);
  }
  std::sort(condition.options.begin(), condition.options.end());
  condition.options.erase(std::unique(condition.options.begin(), condition.options.end()),
                          condition.options.end());
  return condition;
}

}  // namespace

absl::StatusOr<std::vector<Condition>> ResolveConditions(
    const google::protobuf::RepeatedPtrField<v1::ChoiceCondition>& conditions,
    const std::vector<Decision>& earlier, absl::string_view field, absl::string_view prefix,
    absl::string_view what) {
  std::vector<Condition> resolved;
  for (int i = 0; i < conditions.size(); ++i) {
    absl::StatusOr<Condition> condition = Resolve(conditions[i], earlier, prefix, what);
    if (!condition.ok()) {
      return PrefixField(absl::StrCat(field, "[", i, "]"), condition.status());
    }
    resolved.push_back(*std::move(condition));
  }
  return resolved;
}

}  // namespace frontier::coordinator
