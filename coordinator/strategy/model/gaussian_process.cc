#include "coordinator/strategy/model/gaussian_process.h"

#include <cmath>

namespace frontier::coordinator {
namespace {

constexpr double kLeastVariance = 1e-10;
constexpr double kLogTwoPi = 1.8378770664093453;

}  // namespace

std::optional<GaussianProcess> GaussianProcess::Fit(const Eigen::MatrixXd& correlation,
                                                    const Eigen::VectorXd& values, double signal) {
  GaussianProcess process;
  process.signal_ = signal;
  Eigen::MatrixXd covariance = signal * correlation;
  covariance.diagonal().array() += 1 - signal;
  process.factor_.compute(covariance);
  if (process.factor_.info() != Eigen::Success) return std::nullopt;
  process.weights_ = process.factor_.solve(values);
  const double log_determinant = 2 * process.factor_.matrixLLT().diagonal().array().log().sum();
  const double points = static_cast<double>(values.size());
  process.log_likelihood_ =
      -0.5 * (values.dot(process.weights_) + log_determinant) / points - 0.5 * kLogTwoPi;
  if (!std::isfinite(process.log_likelihood_)) return std::nullopt;
  return process;
}

Eigen::VectorXd GaussianProcess::Mean(const Eigen::MatrixXd& correlation) const {
  return signal_ * (correlation.transpose() * weights_);
}

Eigen::VectorXd GaussianProcess::VarianceBound(const Eigen::MatrixXd& correlation) const {
  const Eigen::VectorXd most = correlation.colwise().maxCoeff();
  return (signal_ - signal_ * signal_ * most.array().square()).max(kLeastVariance);
}

Eigen::VectorXd GaussianProcess::Variance(const Eigen::MatrixXd& correlation) const {
  const Eigen::MatrixXd half = factor_.matrixL().solve(signal_ * correlation);
  return (signal_ - half.colwise().squaredNorm().transpose().array()).max(kLeastVariance);
}

}  // namespace frontier::coordinator
