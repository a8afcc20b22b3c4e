#include "coordinator/space/decisions.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace frontier::coordinator {

absl::Status CheckOptions(const Decisions& decisions, const v1::Genotype& genotype) {
  if (genotype.options_size() != static_cast<int>(decisions.size())) {
    return absl::InvalidArgumentError(absl::StrCat("genotype: ", genotype.options_size(),
                                                   " options, the space has ", decisions.size(),
                                                   " decisions"));
  }
  for (size_t i = 0; i < decisions.size(); ++i) {
    const int32_t option = genotype.options(static_cast<int>(i));
    if (option < 0 || static_cast<size_t>(option) >= decisions[i].options.size()) {
      return absl::InvalidArgumentError(absl::StrCat("genotype: ", decisions[i].name,
                                                     " has no option ", option, ", only 0 to ",
                                                     decisions[i].options.size() - 1));
    }
  }
  return absl::OkStatus();
}

const Condition* UnmetCondition(const Decisions& decisions, size_t decision,
                                const v1::Genotype& genotype, const std::vector<bool>& active) {
  for (const Condition& condition : decisions[decision].conditions) {
    if (!active[condition.decision] ||
        !std::binary_search(condition.options.begin(), condition.options.end(),
                            genotype.options(condition.decision))) {
      return &condition;
    }
  }
  return nullptr;
}

std::vector<bool> ActiveDecisions(const Decisions& decisions, const v1::Genotype& genotype) {
  std::vector<bool> active(decisions.size(), true);
  for (size_t i = 0; i < decisions.size(); ++i) {
    active[i] = UnmetCondition(decisions, i, genotype, active) == nullptr;
  }
  return active;
}

absl::Status CheckDecisions(const Decisions& decisions, const v1::Genotype& genotype) {
  RETURN_IF_ERROR(CheckOptions(decisions, genotype));
  std::vector<bool> active(decisions.size(), true);
  for (size_t i = 0; i < decisions.size(); ++i) {
    const Condition* unmet = UnmetCondition(decisions, i, genotype, active);
    active[i] = unmet == nullptr;
    const int32_t option = genotype.options(static_cast<int>(i));
    if (active[i] || option == 0) continue;
    const Decision& other = decisions[unmet->decision];
    return absl::InvalidArgumentError(absl::StrCat(
        "genotype: ", decisions[i].name, " is inactive, since ", other.name, " is ",
        active[unmet->decision] ? other.options[genotype.options(unmet->decision)] : "inactive",
        "; its option must be 0, not ", option));
  }
  return absl::OkStatus();
}

std::vector<float> OneHotFeatures(const Decisions& decisions, const v1::Genotype& genotype,
                                  bool known) {
  std::vector<bool> active;
  if (known) active = ActiveDecisions(decisions, genotype);
  std::vector<float> features;
  for (size_t i = 0; i < decisions.size(); ++i) {
    const size_t first = features.size();
    features.resize(first + decisions[i].options.size());
    if (known && active[i]) features[first + genotype.options(static_cast<int>(i))] = 1;
  }
  return features;
}

}  // namespace frontier::coordinator
