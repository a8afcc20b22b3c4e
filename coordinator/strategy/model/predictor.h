// What a value measured on architectures will be on others, foretold from their genotypes.
#ifndef FRONTIER_COORDINATOR_STRATEGY_MODEL_PREDICTOR_H_
#define FRONTIER_COORDINATOR_STRATEGY_MODEL_PREDICTOR_H_

#include <Eigen/Dense>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "coordinator/strategy/model/gaussian_process.h"

namespace frontier::coordinator {

// Options of genotypes, one column each.
using OptionMatrix = Eigen::Matrix<int32_t, Eigen::Dynamic, Eigen::Dynamic>;

// An ensemble of Gaussian processes over genotypes. Two genotypes correlate by exp(-d / l), where d
// is the share of the decisions in which they differ, each weighted; members differ in these
// weights, the length l and the noise, and count by their likelihood.
//
// Weights are equal, or as much as the decision's options alone explain of the values' variance,
// whichever is likelier. The variance of a prediction is that of the likeliest member and what the
// members' means differ by.
class Predictor {
 public:
  struct Prediction {
    Eigen::VectorXd mean;
    Eigen::VectorXd deviation;  // standard, of the value without noise; > 0
  };

  // Of at least two genotypes, with a finite value for each. Members are those of `like` if that is
  // given, which saves the time of choosing.
  static Predictor Fit(const OptionMatrix& genotypes, const Eigen::VectorXd& values,
                       const Predictor* like = nullptr);

  Prediction Predict(const OptionMatrix& genotypes) const;
  // The same means, with deviations that are larger, in a fraction of the time.
  Prediction PredictRoughly(const OptionMatrix& genotypes) const;

 private:
  struct Kernel {
    bool weighted = false;
    double length = 0;
    bool operator==(const Kernel& other) const {
      return weighted == other.weighted && length == other.length;
    }
  };
  struct Member {
    Kernel kernel;
    double signal = 0;
    double share = 0;  // of the ensemble, in which they sum to 1
    GaussianProcess process = {};
  };
  class Correlations;
  using Variance = Eigen::VectorXd (GaussianProcess::*)(const Eigen::MatrixXd&) const;

  Prediction Predict(const OptionMatrix& genotypes, Variance variance) const;

  Eigen::MatrixXf Distances(const OptionMatrix& genotypes, bool weighted) const;
  void ChooseMembers();
  void FitMembers();

  OptionMatrix genotypes_;
  Eigen::VectorXd values_;  // of mean 0 and variance 1
  double mean_ = 0;
  double scale_ = 1;
  Eigen::VectorXd weights_;      // by decision, of sum 1
  std::vector<Member> members_;  // the likeliest first
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_MODEL_PREDICTOR_H_
