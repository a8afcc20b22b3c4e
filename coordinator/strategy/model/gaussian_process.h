// Gaussian process regression: Rasmussen and Williams 2006, "Gaussian Processes for Machine
// Learning", algorithm 2.1.
#ifndef FRONTIER_COORDINATOR_STRATEGY_MODEL_GAUSSIAN_PROCESS_H_
#define FRONTIER_COORDINATOR_STRATEGY_MODEL_GAUSSIAN_PROCESS_H_

#include <Eigen/Dense>
#include <optional>

namespace frontier::coordinator {

// Of a function whose prior has mean 0 and, with noise, variance 1: `signal` of it the function's,
// the rest noise.
class GaussianProcess {
 public:
  // `correlation` is n x n, symmetric with ones on its diagonal; `values` are n, and `signal` is in
  // (0, 1). Nothing if it is not positive definite.
  static std::optional<GaussianProcess> Fit(const Eigen::MatrixXd& correlation,
                                            const Eigen::VectorXd& values, double signal);

  // Of the function at each point asked for, by the `correlation` of the n known points, in rows,
  // with those, in columns: n operations a point.
  Eigen::VectorXd Mean(const Eigen::MatrixXd& correlation) const;
  // At least the variance: what it would be if only the point that correlates most were known; n
  // operations a point.
  Eigen::VectorXd VarianceBound(const Eigen::MatrixXd& correlation) const;
  // Without noise; > 0: n^2 operations a point.
  Eigen::VectorXd Variance(const Eigen::MatrixXd& correlation) const;

  // Of the known values, per point.
  double log_likelihood() const { return log_likelihood_; }

 private:
  double signal_ = 0;
  double log_likelihood_ = 0;
  Eigen::LLT<Eigen::MatrixXd> factor_;
  Eigen::VectorXd weights_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_MODEL_GAUSSIAN_PROCESS_H_
