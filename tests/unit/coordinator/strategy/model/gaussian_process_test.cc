#include "coordinator/strategy/model/gaussian_process.h"

#include <cmath>

#include "gtest/gtest.h"

namespace frontier::coordinator {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

TEST(GaussianProcessTest, OnePointByHand) {
  const VectorXd values = VectorXd::Constant(1, 2.0);
  const auto process = GaussianProcess::Fit(MatrixXd::Ones(1, 1), values, 0.8);
  ASSERT_TRUE(process.has_value());
  // At correlation r: mean s r y, variance s - s^2 r^2, for signal s and total variance 1.
  const MatrixXd asked = (MatrixXd(1, 3) << 1.0, 0.5, 0.0).finished();
  const VectorXd mean = process->Mean(asked);
  const VectorXd variance = process->Variance(asked);
  for (int i = 0; i < 3; ++i) {
    const double r = asked(0, i);
    EXPECT_NEAR(mean(i), 0.8 * r * 2, 1e-12);
    EXPECT_NEAR(variance(i), 0.8 - 0.64 * r * r, 1e-12);
  }
  // Density of 2 under the standard normal distribution.
  EXPECT_NEAR(process->log_likelihood(), -2 - 0.5 * std::log(2 * std::acos(-1.0)), 1e-12);
}

TEST(GaussianProcessTest, WithoutNoiseItPassesThroughThePoints) {
  MatrixXd correlation(3, 3);
  correlation << 1, 0.6, 0.2, 0.6, 1, 0.5, 0.2, 0.5, 1;
  const VectorXd values = (VectorXd(3) << 1, -2, 0.5).finished();
  const auto process = GaussianProcess::Fit(correlation, values, 1 - 1e-9);
  ASSERT_TRUE(process.has_value());
  EXPECT_LT((process->Mean(correlation) - values).norm(), 1e-6);
  EXPECT_LT(process->Variance(correlation).maxCoeff(), 1e-6);
  EXPECT_GT(process->Variance(correlation).minCoeff(), 0);
}

TEST(GaussianProcessTest, WhatIsNoCorrelationIsRefused) {
  MatrixXd impossible(2, 2);
  impossible << 1, 3, 3, 1;
  EXPECT_FALSE(GaussianProcess::Fit(impossible, VectorXd::Ones(2), 0.9).has_value());
}

}  // namespace
}  // namespace frontier::coordinator
