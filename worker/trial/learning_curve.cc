#include "worker/trial/learning_curve.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"

namespace frontier::worker {
namespace {

v1::EarlyStop MakeStop(v1::StopCause cause, std::string message) {
  v1::EarlyStop stop;
  stop.set_cause(cause);
  stop.set_message(std::move(message));
  return stop;
}

// The power law's a and b of least squares for a given c.
struct Fit {
  double a = 0;
  double b = 0;
  double squares = 0;  // sum of the squared residuals
};

Fit FitLaw(absl::Span<const double> curve, double c) {
  const auto n = static_cast<double>(curve.size());
  double sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
  for (size_t i = 0; i < curve.size(); ++i) {
    const double x = std::pow(static_cast<double>(i + 1), -c);
    sum_x += x;
    sum_y += curve[i];
    sum_xx += x * x;
    sum_xy += x * curve[i];
  }
  Fit fit;
  const double spread = sum_xx - sum_x * sum_x / n;
  if (spread > 0) fit.b = std::max(0.0, -(sum_xy - sum_x * sum_y / n) / spread);
  fit.a = (sum_y + fit.b * sum_x) / n;
  for (size_t i = 0; i < curve.size(); ++i) {
    const double error = fit.a - fit.b * std::pow(static_cast<double>(i + 1), -c) - curve[i];
    fit.squares += error * error;
  }
  return fit;
}

}  // namespace

double ForecastAccuracy(absl::Span<const double> curve, int epochs) {
  double forecast = 0;
  double least = HUGE_VAL;
  for (const double c : {0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0}) {
    const Fit fit = FitLaw(curve, c);
    if (fit.squares >= least) continue;
    least = fit.squares;
    forecast = fit.a - fit.b * std::pow(static_cast<double>(epochs), -c);
  }
  return std::clamp(forecast, *std::max_element(curve.begin(), curve.end()), 1.0);
}

std::optional<v1::EarlyStop> JudgeCurve(const v1::StopRule& rule, absl::Span<const double> curve,
                                        int epochs) {
  const auto epoch = static_cast<int>(curve.size());
  if (epoch >= epochs) return std::nullopt;
  const double best = *std::max_element(curve.begin(), curve.end());
  if (rule.patience_epochs() > 0 && epoch > rule.patience_epochs()) {
    const auto before = curve.first(curve.size() - static_cast<size_t>(rule.patience_epochs()));
    const double earlier = *std::max_element(before.begin(), before.end());
    if (best <= earlier + rule.patience_gain()) {
      return MakeStop(
          v1::STOP_CAUSE_PATIENCE,
          absl::StrFormat("accuracy %.4f has not risen by more than %.4g in the last %d epochs",
                          earlier, rule.patience_gain(), rule.patience_epochs()));
    }
  }
  if (epoch <= rule.least_accuracy_size() && best < rule.least_accuracy(epoch - 1)) {
    return MakeStop(v1::STOP_CAUSE_MEDIAN,
                    absl::StrFormat("best accuracy %.4f after %d epochs, the median of others is "
                                    "%.4f",
                                    best, epoch, rule.least_accuracy(epoch - 1)));
  }
  if (rule.extrapolation_epochs() > 0 && epoch >= rule.extrapolation_epochs() &&
      epoch <= rule.best_curve_size()) {
    // Both are continued from as many epochs: a schedule that lifts the ends of curves does so to
    // both.
    const double forecast = ForecastAccuracy(curve, epochs);
    const double target =
        ForecastAccuracy(absl::MakeConstSpan(rule.best_curve()).first(curve.size()), epochs);
    if (forecast + rule.margin() < target) {
      return MakeStop(
          v1::STOP_CAUSE_EXTRAPOLATION,
          absl::StrFormat("after %d epochs it was foretold to reach %.4f, the best trial %.4f",
                          epoch, forecast, target));
    }
  }
  return std::nullopt;
}

}  // namespace frontier::worker
