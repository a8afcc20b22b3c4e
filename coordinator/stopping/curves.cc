#include "coordinator/stopping/curves.h"

#include <algorithm>
#include <utility>

namespace frontier::coordinator {
namespace {

constexpr int kMinTrials = 5;
constexpr int kPatienceEpochs = 5;
constexpr int kExtrapolationEpochs = 4;

int Or(int value, int otherwise) { return value == 0 ? otherwise : value; }

}  // namespace

void Curves::Add(absl::Span<const double> curve, bool whole) {
  if (!wanted() || curve.empty()) return;
  if (whole && (best_.empty() || curve.back() > best_.back())) {
    best_.assign(curve.begin(), curve.end());
  }
  std::vector<double> means;
  double sum = 0;
  for (const double accuracy : curve) {
    sum += accuracy;
    means.push_back(sum / static_cast<double>(means.size() + 1));
  }
  means_.push_back(std::move(means));
  if (means_.size() > size_t{kMostCurves}) means_.pop_front();
  rule_.reset();
}

const v1::StopRule& Curves::Rule() const {
  if (!rule_.has_value()) rule_ = MakeRule();
  return *rule_;
}

v1::StopRule Curves::MakeRule() const {
  v1::StopRule rule;
  switch (stopping_.kind_case()) {
    case v1::EarlyStopping::kMedian: {
      const std::vector<double> medians = Medians();
      rule.mutable_least_accuracy()->Add(medians.begin(), medians.end());
      break;
    }
    case v1::EarlyStopping::kPatience:
      rule.set_patience_epochs(Or(stopping_.patience().epochs(), kPatienceEpochs));
      rule.set_patience_gain(stopping_.patience().min_gain());
      break;
    case v1::EarlyStopping::kExtrapolation:
      if (best_.empty()) break;
      rule.set_extrapolation_epochs(
          Or(stopping_.extrapolation().min_epochs(), kExtrapolationEpochs));
      rule.set_margin(stopping_.extrapolation().margin());
      rule.mutable_best_curve()->Add(best_.begin(), best_.end());
      break;
    default:
      break;
  }
  return rule;
}

std::vector<double> Curves::Medians() const {
  std::vector<double> medians;
  const auto least = static_cast<size_t>(Or(stopping_.median().min_trials(), kMinTrials));
  for (size_t epoch = 0;; ++epoch) {
    std::vector<double> means;
    for (const std::vector<double>& curve : means_) {
      if (curve.size() > epoch) means.push_back(curve[epoch]);
    }
    if (means.size() < std::max<size_t>(1, least)) return medians;
    // The lower of two in the middle.
    const auto middle = means.begin() + static_cast<std::ptrdiff_t>((means.size() - 1) / 2);
    std::nth_element(means.begin(), middle, means.end());
    const bool too_early = static_cast<int>(epoch) + 1 < Or(stopping_.median().min_epochs(), 1);
    medians.push_back(too_early ? 0 : *middle);
  }
}

}  // namespace frontier::coordinator
