#include "coordinator/space/encoding.h"

#include <gmpxx.h>

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"

namespace frontier::coordinator {

Encoding::Encoding(std::vector<Decision> decisions) : decisions_(std::move(decisions)) {
  for (size_t i = 0; i < decisions_.size(); ++i) {
    if (decisions_[i].options.size() > 1) open_.push_back(static_cast<int>(i));
  }
}

std::string Encoding::Size() const {
  mpz_class size = 1;
  for (const Decision& decision : decisions_) {
    size *= static_cast<unsigned long>(decision.options.size());
  }
  return size.get_str();
}

absl::Status Encoding::Check(const v1::Genotype& genotype) const {
  if (genotype.options_size() != static_cast<int>(decisions_.size())) {
    return absl::InvalidArgumentError(absl::StrCat("genotype: ", genotype.options_size(),
                                                   " options, the space has ", decisions_.size(),
                                                   " decisions"));
  }
  for (size_t i = 0; i < decisions_.size(); ++i) {
    const int32_t option = genotype.options(static_cast<int>(i));
    if (option < 0 || static_cast<size_t>(option) >= decisions_[i].options.size()) {
      return absl::InvalidArgumentError(absl::StrCat("genotype: ", decisions_[i].name,
                                                     " has no option ", option, ", only 0 to ",
                                                     decisions_[i].options.size() - 1));
    }
  }
  return absl::OkStatus();
}

v1::Genotype Encoding::Sample(Rng* rng) const {
  v1::Genotype genotype;
  genotype.mutable_options()->Reserve(static_cast<int>(decisions_.size()));
  for (const Decision& decision : decisions_) {
    genotype.add_options(static_cast<int32_t>(rng->Uniform(decision.options.size())));
  }
  return genotype;
}

v1::Genotype Encoding::Mutate(const v1::Genotype& parent, Rng* rng) const {
  if (!Check(parent).ok()) return Sample(rng);
  v1::Genotype child = parent;
  if (open_.empty()) return child;
  const int decision = open_[rng->Uniform(open_.size())];
  // One of the other options: skip over the parent's.
  auto option = static_cast<int32_t>(rng->Uniform(decisions_[decision].options.size() - 1));
  if (option >= parent.options(decision)) ++option;
  child.set_options(decision, option);
  return child;
}

v1::Genotype Encoding::Cross(const v1::Genotype& first, const v1::Genotype& second,
                             Rng* rng) const {
  const bool known = Check(second).ok();
  if (!Check(first).ok()) return known ? second : Sample(rng);
  v1::Genotype child = first;
  if (!known) return child;
  for (const int decision : open_) {
    if (rng->Uniform(2) == 1) child.set_options(decision, second.options(decision));
  }
  return child;
}

std::vector<v1::Genotype> Encoding::Neighbours(const v1::Genotype& genotype) const {
  std::vector<v1::Genotype> neighbours;
  if (!Check(genotype).ok()) return neighbours;
  for (const int decision : open_) {
    const auto options = static_cast<int32_t>(decisions_[decision].options.size());
    for (int32_t option = 0; option < options; ++option) {
      if (option == genotype.options(decision)) continue;
      neighbours.push_back(genotype);
      neighbours.back().set_options(decision, option);
    }
  }
  return neighbours;
}

std::vector<float> Encoding::Features(const v1::Genotype& genotype) const {
  const bool known = Check(genotype).ok();
  std::vector<float> features;
  for (size_t i = 0; i < decisions_.size(); ++i) {
    const size_t first = features.size();
    features.resize(first + decisions_[i].options.size());
    if (known) features[first + genotype.options(static_cast<int>(i))] = 1;
  }
  return features;
}

v1::Genotype Encoding::First() const {
  v1::Genotype genotype;
  genotype.mutable_options()->Resize(static_cast<int>(decisions_.size()), 0);
  return genotype;
}

bool Encoding::Advance(v1::Genotype* genotype) const {
  if (!Check(*genotype).ok()) return false;
  for (size_t i = decisions_.size(); i-- > 0;) {
    const int decision = static_cast<int>(i);
    const int32_t next = genotype->options(decision) + 1;
    if (static_cast<size_t>(next) < decisions_[i].options.size()) {
      genotype->set_options(decision, next);
      return true;
    }
    genotype->set_options(decision, 0);
  }
  return false;
}

}  // namespace frontier::coordinator
