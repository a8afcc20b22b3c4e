#include "coordinator/stopping/ladders.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/stopping/curves.h"

namespace frontier::coordinator {
namespace {

constexpr int kMinEpochs = 1;
constexpr int kReduction = 3;
constexpr int kMostReduction = 1000;
constexpr int kMostPool = 100;
constexpr int kLeastCurve = 4;

template <typename Number>
Number Or(Number value, Number otherwise) {
  return value == 0 ? otherwise : value;
}

// `first` and its multiples by powers of `factor`, as long as they are below `epochs`; then that.
Ladder Multiples(int first, int factor, int epochs) {
  Ladder ladder;
  for (int64_t rung = first; rung < epochs; rung *= factor) {
    ladder.push_back(static_cast<int>(rung));
  }
  ladder.push_back(epochs);
  return ladder;
}

absl::Status CheckHalving(absl::string_view path, int min_epochs, int reduction, int epochs) {
  if (min_epochs < 0 || Or(min_epochs, kMinEpochs) >= epochs) {
    return InvalidField(absl::StrCat(path, ".min_epochs"),
                        absl::StrCat(Or(min_epochs, kMinEpochs), " is not from 1 to below the ",
                                     epochs, " epochs of the training"));
  }
  if (reduction != 0 && (reduction < 2 || reduction > kMostReduction)) {
    return InvalidField(absl::StrCat(path, ".reduction"),
                        absl::StrCat(reduction, " is not from 2 to ", kMostReduction));
  }
  return absl::OkStatus();
}

absl::Status CheckAsha(const v1::AshaStopping& asha, int epochs) {
  const char* path = "early_stopping.asha";
  if (asha.rungs().empty()) {
    return CheckHalving(path, asha.min_epochs(), asha.reduction(), epochs);
  }
  RETURN_IF_ERROR(CheckHalving(path, 0, asha.reduction(), epochs));
  if (asha.min_epochs() != 0) {
    return InvalidField(absl::StrCat(path, ".min_epochs"), "is given beside rungs");
  }
  int last = 0;
  for (int i = 0; i < asha.rungs_size(); ++i) {
    if (asha.rungs(i) <= last || asha.rungs(i) >= epochs) {
      return InvalidField(absl::StrCat(path, ".rungs[", i, "]"),
                          absl::StrCat(asha.rungs(i), " is not above ", last, " and below the ",
                                       epochs, " epochs of the training"));
    }
    last = asha.rungs(i);
  }
  return absl::OkStatus();
}

// Rules that compare accuracies alone.
absl::Status CheckAccuracyAlone(absl::string_view path, const v1::JobSpec& job) {
  if (job.objectives_size() == 1 && job.objectives(0).metric() == v1::METRIC_ACCURACY) {
    return absl::OkStatus();
  }
  return InvalidField(path,
                      "goes by accuracy alone, so it wants a job with accuracy as its only "
                      "objective; asha and hyperband stop trials by several");
}

absl::Status CheckShare(absl::string_view path, double value) {
  if (value >= 0 && value < 1) return absl::OkStatus();
  return InvalidField(path, absl::StrCat(value, " is not in [0, 1)"));
}

absl::Status CheckScreening(const v1::Screening& screening) {
  if (!v1::Proxy_IsValid(screening.proxy()) || screening.proxy() == v1::PROXY_UNSPECIFIED) {
    return InvalidField("screening.proxy", "must be naswot, synflow or gradient_norm");
  }
  if (screening.pool() != 0 && (screening.pool() < 2 || screening.pool() > kMostPool)) {
    return InvalidField("screening.pool",
                        absl::StrCat(screening.pool(), " is not from 2 to ", kMostPool));
  }
  return absl::OkStatus();
}

}  // namespace

Ladders::Ladders(const v1::JobSpec& job) {
  const int epochs = job.training().epochs();
  const v1::EarlyStopping& stopping = job.early_stopping();
  if (stopping.has_asha()) {
    reduction_ = Or(stopping.asha().reduction(), kReduction);
    Ladder ladder(stopping.asha().rungs().begin(), stopping.asha().rungs().end());
    if (ladder.empty()) {
      ladder = Multiples(Or(stopping.asha().min_epochs(), kMinEpochs), reduction_, epochs);
    } else {
      ladder.push_back(epochs);
    }
    ladders_.push_back(std::move(ladder));
  } else if (stopping.has_hyperband()) {
    reduction_ = Or(stopping.hyperband().reduction(), kReduction);
    const Ladder whole =
        Multiples(Or(stopping.hyperband().min_epochs(), kMinEpochs), reduction_, epochs);
    for (size_t first = 0; first < whole.size(); ++first) {
      ladders_.emplace_back(whole.begin() + static_cast<std::ptrdiff_t>(first), whole.end());
      const auto halvings = static_cast<double>(whole.size() - first - 1);
      deals_.push_back(static_cast<int64_t>(std::ceil(
          static_cast<double>(whole.size()) / (halvings + 1) * std::pow(reduction_, halvings))));
    }
    return;
  } else {
    ladders_.push_back({epochs});
  }
  deals_.push_back(1);
}

int Ladders::BracketOf(int64_t trial) const {
  int64_t round = 0;
  for (const int64_t deal : deals_) round += deal;
  int64_t place = (trial - 1) % round;
  int bracket = 0;
  for (; place >= deals_[static_cast<size_t>(bracket)]; ++bracket) {
    place -= deals_[static_cast<size_t>(bracket)];
  }
  return bracket;
}

absl::Status CheckEarlyStopping(const v1::JobSpec& job) {
  if (job.has_screening()) RETURN_IF_ERROR(CheckScreening(job.screening()));
  if (!job.has_early_stopping()) return absl::OkStatus();
  const int epochs = job.training().epochs();
  const v1::EarlyStopping& stopping = job.early_stopping();
  switch (stopping.kind_case()) {
    case v1::EarlyStopping::kAsha:
      return CheckAsha(stopping.asha(), epochs);
    case v1::EarlyStopping::kHyperband:
      return CheckHalving("early_stopping.hyperband", stopping.hyperband().min_epochs(),
                          stopping.hyperband().reduction(), epochs);
    case v1::EarlyStopping::kMedian: {
      const v1::MedianStopping& median = stopping.median();
      RETURN_IF_ERROR(CheckAccuracyAlone("early_stopping.median", job));
      if (median.min_epochs() < 0 || median.min_epochs() >= epochs) {
        return InvalidField("early_stopping.median.min_epochs",
                            absl::StrCat(median.min_epochs(), " is not below the ", epochs,
                                         " epochs of the training"));
      }
      if (median.min_trials() < 0 || median.min_trials() > kMostCurves) {
        return InvalidField("early_stopping.median.min_trials",
                            absl::StrCat(median.min_trials(), " is not from 0 to ", kMostCurves,
                                         ", the trials that a median is taken of"));
      }
      return absl::OkStatus();
    }
    case v1::EarlyStopping::kPatience:
      if (stopping.patience().epochs() < 0) {
        return InvalidField("early_stopping.patience.epochs",
                            absl::StrCat(stopping.patience().epochs(), " is below 0"));
      }
      return CheckShare("early_stopping.patience.min_gain", stopping.patience().min_gain());
    case v1::EarlyStopping::kExtrapolation: {
      const v1::ExtrapolationStopping& extrapolation = stopping.extrapolation();
      RETURN_IF_ERROR(CheckAccuracyAlone("early_stopping.extrapolation", job));
      if (extrapolation.min_epochs() != 0 && extrapolation.min_epochs() < kLeastCurve) {
        return InvalidField("early_stopping.extrapolation.min_epochs",
                            absl::StrCat(extrapolation.min_epochs(), " is below ", kLeastCurve));
      }
      return CheckShare("early_stopping.extrapolation.margin", extrapolation.margin());
    }
    case v1::EarlyStopping::KIND_NOT_SET:
      return InvalidField("early_stopping",
                          "must name asha, hyperband, median, patience or extrapolation");
  }
  return absl::OkStatus();
}

}  // namespace frontier::coordinator
