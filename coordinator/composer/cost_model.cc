#include "coordinator/composer/cost_model.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace frontier::coordinator {
namespace {

constexpr double kMaxSpread = 0.5;

using Features = std::array<double, 3>;

Features FeaturesOf(Cost cost, const NetworkSize& size) {
  switch (cost) {
    case Cost::kLatencyMs:
      return {size.macs, size.activation_bytes, size.layers};
    case Cost::kMemoryBytes:
      return {size.activation_bytes, size.parameters, 1};
    default:
      return {size.macs, size.activation_bytes, 1};
  }
}

struct Row {
  Features features;
  double value;
};

double Evaluate(const Features& coefficients, const Features& features) {
  double sum = 0;
  for (size_t i = 0; i < features.size(); ++i) sum += coefficients[i] * features[i];
  return sum;
}

double RelativeError(const Features& coefficients, const Row& row) {
  return std::abs(Evaluate(coefficients, row.features) - row.value) / row.value;
}

double SquaredError(const Features& coefficients, absl::Span<const Row> rows) {
  double sum = 0;
  for (const Row& row : rows) {
    const double error = RelativeError(coefficients, row);
    sum += error * error;
  }
  return sum;
}

// Coefficients of least squared relative error over the features of `some`, unbounded.
Features Solve(absl::Span<const Row> rows, const std::vector<int>& some) {
  const auto columns = static_cast<Eigen::Index>(some.size());
  Eigen::MatrixXd matrix(static_cast<Eigen::Index>(rows.size()), columns);
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
    for (Eigen::Index k = 0; k < columns; ++k) {
      const Row& row = rows[static_cast<size_t>(i)];
      matrix(i, k) = row.features[some[static_cast<size_t>(k)]] / row.value;
    }
  }
  // Features differ by many orders of magnitude.
  const Eigen::VectorXd scale = matrix.colwise().norm().cwiseMax(1e-300);
  for (Eigen::Index k = 0; k < columns; ++k) matrix.col(k) /= scale(k);
  const Eigen::VectorXd solution =
      matrix.colPivHouseholderQr().solve(Eigen::VectorXd::Ones(matrix.rows()));
  Features coefficients = {};
  for (Eigen::Index k = 0; k < columns; ++k) {
    coefficients[some[static_cast<size_t>(k)]] = solution(k) / scale(k);
  }
  return coefficients;
}

// The same with no coefficient below 0. Of two features, if one would be, the best has it at 0.
Features SolveNonnegative(absl::Span<const Row> rows, const std::vector<int>& some) {
  const Features both = Solve(rows, some);
  if (std::all_of(both.begin(), both.end(), [](double c) { return c >= 0; })) return both;
  Features best = Solve(rows, {some[0]});
  for (const int each : some) {
    const Features one = Solve(rows, {each});
    if (SquaredError(one, rows) < SquaredError(best, rows)) best = one;
  }
  return best;
}

struct LeftOut {
  double mean = 0;
  double largest = 0;
};

LeftOut ErrorsOfLeftOut(absl::Span<const Row> rows, const std::vector<int>& some) {
  LeftOut errors;
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<Row> others(rows.begin(), rows.end());
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    const double error = RelativeError(SolveNonnegative(others, some), rows[i]);
    errors.mean += error / static_cast<double>(rows.size());
    errors.largest = std::max(errors.largest, error);
  }
  return errors;
}

}  // namespace

std::string CostName(Cost cost) {
  switch (cost) {
    case Cost::kParameters:
      return "parameters";
    case Cost::kMacs:
      return "macs";
    case Cost::kLatencyMs:
      return "latency_ms";
    case Cost::kEnergyJ:
      return "energy_j";
    case Cost::kCo2G:
      return "co2_g";
    case Cost::kCpuSeconds:
      return "cpu_seconds";
    case Cost::kWallSeconds:
      return "wall_seconds";
    case Cost::kMemoryBytes:
      return "memory_bytes";
  }
  return "";
}

bool IsCounted(Cost cost) { return cost == Cost::kParameters || cost == Cost::kMacs; }

NetworkSize SizeOf(const GraphCosts& costs) {
  NetworkSize size;
  for (const NodeCosts& node : costs.nodes) size.layers += node.macs > 0 ? 1 : 0;
  size.parameters = static_cast<double>(costs.parameters);
  size.macs = static_cast<double>(costs.macs);
  size.activation_bytes = static_cast<double>(costs.activation_bytes);
  return size;
}

std::optional<CostModel> CostModel::Fit(Cost cost, absl::Span<const CostSample> samples) {
  std::vector<Row> rows;
  for (const CostSample& sample : samples) {
    if (!std::isfinite(sample.value) || sample.value <= 0) continue;
    rows.push_back({FeaturesOf(cost, sample.size), sample.value});
  }
  if (rows.empty()) return std::nullopt;
  if (rows.size() == 1) return CostModel(cost, Solve(rows, {0}), kMaxSpread);
  // Simple ones first: another must be better.
  std::vector<int> best;
  LeftOut least{std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  for (const std::vector<int>& some :
       std::vector<std::vector<int>>{{0}, {1}, {2}, {0, 2}, {1, 2}, {0, 1}}) {
    // As many samples without the one left out.
    if (some.size() > rows.size() - 1) continue;
    const LeftOut errors = ErrorsOfLeftOut(rows, some);
    if (!best.empty() && errors.mean >= least.mean) continue;
    best = some;
    least = errors;
  }
  return CostModel(cost, SolveNonnegative(rows, best), std::min(least.largest, kMaxSpread));
}

double CostModel::Predict(const NetworkSize& size) const {
  return Evaluate(coefficients_, FeaturesOf(cost_, size));
}

}  // namespace frontier::coordinator
