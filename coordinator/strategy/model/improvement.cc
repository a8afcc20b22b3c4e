#include "coordinator/strategy/model/improvement.h"

#include <cmath>

#include "common/pareto/hypervolume.h"

namespace frontier::coordinator {
namespace {

constexpr int kDraws = 32;
constexpr double kSqrtHalf = 0.70710678118654752;
constexpr double kDensityAtZero = 0.39894228040143268;  // 1 / sqrt(2 pi)

double NormalDistribution(double z) { return 0.5 * std::erfc(-z * kSqrtHalf); }
double NormalDensity(double z) { return kDensityAtZero * std::exp(-0.5 * z * z); }

}  // namespace

std::vector<double> ExpectedImprovement(const Predictor::Prediction& prediction, double best) {
  std::vector<double> improvement;
  for (Eigen::Index i = 0; i < prediction.mean.size(); ++i) {
    const double deviation = prediction.deviation(i);
    const double z = (best - prediction.mean(i)) / deviation;
    improvement.push_back(deviation * (z * NormalDistribution(z) + NormalDensity(z)));
  }
  return improvement;
}

std::vector<double> ExpectedHypervolumeImprovement(
    absl::Span<const Predictor::Prediction> predictions,
    absl::Span<const std::vector<double>> front, absl::Span<const double> reference, Rng* rng) {
  const auto candidates = static_cast<size_t>(predictions[0].mean.size());
  std::vector<double> improvement(candidates, 0.0);
  // The reference is finite, and not empty where there are predictions.
  HypervolumeArchive archive = *HypervolumeArchive::Create(reference);
  for (const std::vector<double>& point : front) archive.Insert(point);
  std::vector<std::vector<double>> draws(kDraws);
  for (std::vector<double>& draw : draws) {
    for (size_t m = 0; m < predictions.size(); ++m) draw.push_back(rng->Normal());
  }
  std::vector<double> point(predictions.size());
  for (size_t i = 0; i < candidates; ++i) {
    const auto column = static_cast<Eigen::Index>(i);
    for (const std::vector<double>& draw : draws) {
      for (size_t m = 0; m < predictions.size(); ++m) {
        point[m] = predictions[m].mean(column) + draw[m] * predictions[m].deviation(column);
      }
      improvement[i] += archive.Gain(point) / kDraws;
    }
  }
  return improvement;
}

std::vector<double> ProbabilityAtMost(const Predictor::Prediction& prediction, double limit) {
  std::vector<double> probability;
  for (Eigen::Index i = 0; i < prediction.mean.size(); ++i) {
    probability.push_back(
        NormalDistribution((limit - prediction.mean(i)) / prediction.deviation(i)));
  }
  return probability;
}

}  // namespace frontier::coordinator
