#include "coordinator/space/hyperparameter_space.h"

#include <gmpxx.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/space/decisions.h"

namespace frontier::coordinator {
namespace {

class HyperparameterSpace final : public Space {
 public:
  HyperparameterSpace(std::unique_ptr<Space> architectures, Hyperparameters hyperparameters)
      : architectures_(std::move(architectures)),
        hyperparameters_(std::move(hyperparameters)),
        decisions_(architectures_->decisions()) {
    const auto first = static_cast<int>(decisions_.size());
    for (Decision decision : encoding().decisions()) {
      for (Condition& condition : decision.conditions) condition.decision += first;
      decisions_.push_back(std::move(decision));
    }
  }

  const std::vector<Decision>& decisions() const override { return decisions_; }

  std::string Size() const override {
    const mpz_class size = mpz_class(architectures_->Size()) * mpz_class(encoding().Size());
    return size.get_str();
  }

  v1::Genotype Sample(Rng* rng) const override {
    const v1::Genotype architecture = architectures_->Sample(rng);
    return Join(architecture, encoding().Sample(rng));
  }

  v1::Genotype Mutate(const v1::Genotype& parent, Rng* rng) const override {
    if (!Check(parent).ok()) return Sample(rng);
    Halves halves = Split(parent);
    const uint64_t first = CountOpen(0, Middle());
    const uint64_t second = CountOpen(Middle(), decisions_.size());
    if (first + second == 0) return parent;
    if (rng->Uniform(first + second) < first) {
      halves.architecture = architectures_->Mutate(halves.architecture, rng);
    } else {
      halves.training = encoding().Mutate(halves.training, rng);
    }
    return Join(halves.architecture, halves.training);
  }

  v1::Genotype Cross(const v1::Genotype& first, const v1::Genotype& second,
                     Rng* rng) const override {
    const bool known = Check(second).ok();
    if (!Check(first).ok()) return known ? second : Sample(rng);
    if (!known) return first;
    const Halves a = Split(first);
    const Halves b = Split(second);
    const v1::Genotype architecture = architectures_->Cross(a.architecture, b.architecture, rng);
    return Join(architecture, encoding().Cross(a.training, b.training, rng));
  }

  std::vector<v1::Genotype> Neighbours(const v1::Genotype& genotype) const override {
    std::vector<v1::Genotype> neighbours;
    if (!Check(genotype).ok()) return neighbours;
    const Halves halves = Split(genotype);
    for (const v1::Genotype& other : architectures_->Neighbours(halves.architecture)) {
      neighbours.push_back(Join(other, halves.training));
    }
    for (const v1::Genotype& other : encoding().Neighbours(halves.training)) {
      neighbours.push_back(Join(halves.architecture, other));
    }
    return neighbours;
  }

  std::vector<float> Features(const v1::Genotype& genotype) const override {
    const Halves halves = Check(genotype).ok() ? Split(genotype) : Halves();
    std::vector<float> features = architectures_->Features(halves.architecture);
    const std::vector<float> more = encoding().Features(halves.training);
    features.insert(features.end(), more.begin(), more.end());
    return features;
  }

  v1::Genotype First() const override { return Join(architectures_->First(), encoding().First()); }

  bool Advance(v1::Genotype* genotype) const override {
    if (!Check(*genotype).ok()) return false;
    Halves halves = Split(*genotype);
    if (!encoding().Advance(&halves.training)) {
      halves.training = encoding().First();
      if (!architectures_->Advance(&halves.architecture)) return false;
    }
    *genotype = Join(halves.architecture, halves.training);
    return true;
  }

  absl::StatusOr<v1::Architecture> Lower(const v1::Genotype& genotype) const override {
    RETURN_IF_ERROR(Check(genotype));
    return architectures_->Lower(Split(genotype).architecture);
  }

  std::string Summarize(const v1::Genotype& genotype) const override {
    const absl::Status status = Check(genotype);
    if (!status.ok()) return absl::StrCat("(", status.message(), ")");
    const Halves halves = Split(genotype);
    std::string text = architectures_->Summarize(halves.architecture);
    const char* separator = " | ";
    for (const v1::HyperparameterValue& value : hyperparameters_.Values(halves.training)) {
      absl::StrAppend(&text, separator, value.name(), " ", value.value());
      separator = ", ";
    }
    return text;
  }

  absl::StatusOr<v1::TrainingRecipe> Recipe(const v1::Genotype& genotype,
                                            const v1::TrainingRecipe& base) const override {
    RETURN_IF_ERROR(Check(genotype));
    return hyperparameters_.Apply(Split(genotype).training, base);
  }

  std::vector<v1::HyperparameterValue> HyperparameterValues(
      const v1::Genotype& genotype) const override {
    if (!Check(genotype).ok()) return {};
    return hyperparameters_.Values(Split(genotype).training);
  }

  v1::Compression CompressionOf(const v1::Genotype& genotype) const override {
    if (!Check(genotype).ok()) return {};
    return architectures_->CompressionOf(Split(genotype).architecture);
  }
  v1::InferencePrecision PrecisionOf(const v1::Genotype& genotype) const override {
    if (!Check(genotype).ok()) return v1::INFERENCE_PRECISION_UNSPECIFIED;
    return architectures_->PrecisionOf(Split(genotype).architecture);
  }

 private:
  struct Halves {
    v1::Genotype architecture;
    v1::Genotype training;
  };

  const Encoding& encoding() const { return hyperparameters_.encoding(); }
  size_t Middle() const { return architectures_->decisions().size(); }

  // That both halves have their lengths, the first its ranges, and the second is a genotype.
  absl::Status Check(const v1::Genotype& genotype) const {
    RETURN_IF_ERROR(CheckOptions(decisions_, genotype));
    return encoding().Check(Split(genotype).training);
  }

  Halves Split(const v1::Genotype& genotype) const {
    Halves halves;
    const auto middle = genotype.options().begin() + static_cast<int64_t>(Middle());
    halves.architecture.mutable_options()->Add(genotype.options().begin(), middle);
    halves.training.mutable_options()->Add(middle, genotype.options().end());
    return halves;
  }

  static v1::Genotype Join(const v1::Genotype& architecture, const v1::Genotype& training) {
    v1::Genotype genotype = architecture;
    genotype.MergeFrom(training);
    return genotype;
  }

  uint64_t CountOpen(size_t begin, size_t end) const {
    uint64_t open = 0;
    for (size_t i = begin; i < end; ++i) open += decisions_[i].options.size() > 1 ? 1 : 0;
    return open;
  }

  const std::unique_ptr<Space> architectures_;
  const Hyperparameters hyperparameters_;
  std::vector<Decision> decisions_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Space>> CreateHyperparameterSpace(
    std::unique_ptr<Space> architectures, const Hyperparameters::Specs& specs) {
  ASSIGN_OR_RETURN(Hyperparameters hyperparameters, Hyperparameters::Create(specs));
  return std::make_unique<HyperparameterSpace>(std::move(architectures),
                                               std::move(hyperparameters));
}

}  // namespace frontier::coordinator
