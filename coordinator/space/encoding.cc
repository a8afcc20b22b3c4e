#include "coordinator/space/encoding.h"

#include <gmpxx.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/base/status.h"
#include "coordinator/space/decisions.h"

namespace frontier::coordinator {
namespace {

absl::Status CheckConditions(const std::vector<Decision>& decisions, size_t index) {
  const Decision& decision = decisions[index];
  const auto error = [&](const auto&... problem) {
    return absl::InvalidArgumentError(absl::StrCat("decision '", decision.name, "': ", problem...));
  };
  if (decision.options.empty()) return error("has no options");
  for (const Condition& condition : decision.conditions) {
    if (condition.decision < 0 || static_cast<size_t>(condition.decision) >= index) {
      return error("depends on decision ", condition.decision, ", but is itself number ", index,
                   " and may depend on earlier ones only");
    }
    const Decision& other = decisions[condition.decision];
    if (condition.options.empty()) {
      return error("can never be active: no option of '", other.name, "' allows it");
    }
    for (const int32_t option : condition.options) {
      if (option < 0 || static_cast<size_t>(option) >= other.options.size()) {
        return error("depends on option ", option, " of '", other.name, "', which has only 0 to ",
                     other.options.size() - 1);
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

Encoding::Encoding(std::vector<Decision> decisions) : decisions_(std::move(decisions)) {}

absl::StatusOr<Encoding> Encoding::Create(std::vector<Decision> decisions) {
  bool conditional = false;
  for (size_t i = 0; i < decisions.size(); ++i) {
    RETURN_IF_ERROR(CheckConditions(decisions, i));
    for (Condition& condition : decisions[i].conditions) {
      conditional = true;
      std::vector<int32_t>& options = condition.options;
      std::sort(options.begin(), options.end());
      options.erase(std::unique(options.begin(), options.end()), options.end());
    }
  }
  Encoding encoding(std::move(decisions));
  if (conditional) {
    ASSIGN_OR_RETURN(encoding.table_, GenotypeTable::Create(encoding.decisions_));
  }
  return encoding;
}

std::string Encoding::Size() const {
  if (table_.has_value()) return table_->size();
  mpz_class size = 1;
  for (const Decision& decision : decisions_) {
    size *= static_cast<unsigned long>(decision.options.size());
  }
  return size.get_str();
}

std::vector<bool> Encoding::Active(const v1::Genotype& genotype) const {
  if (!table_.has_value()) return std::vector<bool>(decisions_.size(), true);
  return ActiveDecisions(decisions_, genotype);
}

std::vector<int> Encoding::Open(const std::vector<bool>& active) const {
  std::vector<int> open;
  for (size_t i = 0; i < decisions_.size(); ++i) {
    if (active[i] && decisions_[i].options.size() > 1) open.push_back(static_cast<int>(i));
  }
  return open;
}

absl::Status Encoding::Check(const v1::Genotype& genotype) const {
  return table_.has_value() ? CheckDecisions(decisions_, genotype)
                            : CheckOptions(decisions_, genotype);
}

v1::Genotype Encoding::Sample(Rng* rng) const {
  v1::Genotype genotype = First();
  const absl::Span<int32_t> options(genotype.mutable_options()->mutable_data(), decisions_.size());
  if (table_.has_value()) {
    table_->Sample(rng, options);
    return genotype;
  }
  for (size_t i = 0; i < options.size(); ++i) {
    options[i] = static_cast<int32_t>(rng->Uniform(decisions_[i].options.size()));
  }
  return genotype;
}

v1::Genotype Encoding::Mutate(const v1::Genotype& parent, Rng* rng) const {
  if (!Check(parent).ok()) return Sample(rng);
  v1::Genotype child = parent;
  const std::vector<bool> before = Active(parent);
  const std::vector<int> open = Open(before);
  if (open.empty()) return child;
  const int decision = open[rng->Uniform(open.size())];
  // One of the other options: skip over the parent's.
  auto option = static_cast<int32_t>(rng->Uniform(decisions_[decision].options.size() - 1));
  if (option >= parent.options(decision)) ++option;
  child.set_options(decision, option);
  if (!table_.has_value()) return child;

  std::vector<bool> active = before;
  for (size_t i = static_cast<size_t>(decision) + 1; i < decisions_.size(); ++i) {
    active[i] = UnmetCondition(decisions_, i, child, active) == nullptr;
    if (active[i] == before[i]) continue;
    const int32_t drawn =
        active[i] ? static_cast<int32_t>(rng->Uniform(decisions_[i].options.size())) : 0;
    child.set_options(static_cast<int>(i), drawn);
  }
  return child;
}

v1::Genotype Encoding::Cross(const v1::Genotype& first, const v1::Genotype& second,
                             Rng* rng) const {
  const bool known = Check(second).ok();
  if (!Check(first).ok()) return known ? second : Sample(rng);
  v1::Genotype child = first;
  if (!known) return child;
  const std::vector<bool> in_first = Active(first);
  const std::vector<bool> in_second = Active(second);
  std::vector<bool> active(decisions_.size(), true);
  for (size_t i = 0; i < decisions_.size(); ++i) {
    const int decision = static_cast<int>(i);
    active[i] = UnmetCondition(decisions_, i, child, active) == nullptr;
    if (!active[i]) {
      child.set_options(decision, 0);
    } else if (decisions_[i].options.size() == 1) {
      continue;
    } else if (!in_first[i] && !in_second[i]) {
      child.set_options(decision, static_cast<int32_t>(rng->Uniform(decisions_[i].options.size())));
    } else if (!in_first[i] || (in_second[i] && rng->Uniform(2) == 1)) {
      child.set_options(decision, second.options(decision));
    }
  }
  return child;
}

std::vector<v1::Genotype> Encoding::Neighbours(const v1::Genotype& genotype) const {
  std::vector<v1::Genotype> neighbours;
  if (!Check(genotype).ok()) return neighbours;
  const std::vector<bool> before = Active(genotype);
  for (const int decision : Open(before)) {
    const auto options = static_cast<int32_t>(decisions_[decision].options.size());
    for (int32_t option = 0; option < options; ++option) {
      if (option == genotype.options(decision)) continue;
      neighbours.push_back(genotype);
      v1::Genotype& neighbour = neighbours.back();
      neighbour.set_options(decision, option);
      if (!table_.has_value()) continue;
      std::vector<bool> active = before;
      for (size_t i = static_cast<size_t>(decision) + 1; i < decisions_.size(); ++i) {
        active[i] = UnmetCondition(decisions_, i, neighbour, active) == nullptr;
        // Option 0, whether it has just become active or inactive.
        if (active[i] != before[i]) neighbour.set_options(static_cast<int>(i), 0);
      }
    }
  }
  return neighbours;
}

std::vector<float> Encoding::Features(const v1::Genotype& genotype) const {
  return OneHotFeatures(decisions_, genotype, Check(genotype).ok());
}

v1::Genotype Encoding::First() const {
  v1::Genotype genotype;
  genotype.mutable_options()->Resize(static_cast<int>(decisions_.size()), 0);
  return genotype;
}

bool Encoding::Advance(v1::Genotype* genotype) const {
  if (!Check(*genotype).ok()) return false;
  const std::vector<bool> active = Active(*genotype);
  for (size_t i = decisions_.size(); i-- > 0;) {
    if (!active[i]) continue;
    const int decision = static_cast<int>(i);
    const int32_t next = genotype->options(decision) + 1;
    if (static_cast<size_t>(next) < decisions_[i].options.size()) {
      // All later ones are 0 by now, which is right for active and inactive ones alike.
      genotype->set_options(decision, next);
      return true;
    }
    genotype->set_options(decision, 0);
  }
  return false;
}

}  // namespace frontier::coordinator
