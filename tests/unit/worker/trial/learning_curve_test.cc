#include "worker/trial/learning_curve.h"

#include <cmath>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace frontier::worker {
namespace {

using ::testing::HasSubstr;

std::vector<double> PowerLaw(double a, double b, double c, int epochs) {
  std::vector<double> curve;
  for (int t = 1; t <= epochs; ++t) curve.push_back(a - b * std::pow(t, -c));
  return curve;
}

TEST(ForecastTest, ContinuesAPowerLaw) {
  const std::vector<double> curve = PowerLaw(0.9, 0.5, 1, 6);
  EXPECT_NEAR(ForecastAccuracy(curve, 100), 0.9 - 0.5 / 100, 1e-6);
  EXPECT_NEAR(ForecastAccuracy(curve, 7), 0.9 - 0.5 / 7, 1e-6);
}

TEST(ForecastTest, StaysBetweenTheBestSoFarAndOne) {
  EXPECT_EQ(ForecastAccuracy(std::vector<double>{0.5}, 10), 0.5);
  EXPECT_EQ(ForecastAccuracy(std::vector<double>{0.9, 0.5, 0.4, 0.3}, 10), 0.9);
  EXPECT_LE(ForecastAccuracy(std::vector<double>{0.1, 0.4, 0.7, 0.99}, 1000), 1.0);
}

TEST(JudgeCurveTest, WithoutRulesNothingStops) {
  EXPECT_FALSE(JudgeCurve(v1::StopRule(), std::vector<double>{0, 0, 0, 0}, 10).has_value());
}

TEST(JudgeCurveTest, PatienceEndsWithoutARise) {
  v1::StopRule rule;
  rule.set_patience_epochs(2);
  rule.set_patience_gain(0.01);
  EXPECT_FALSE(JudgeCurve(rule, std::vector<double>{0.5, 0.5}, 10).has_value());
  EXPECT_FALSE(JudgeCurve(rule, std::vector<double>{0.5, 0.5, 0.52}, 10).has_value());
  const auto stop = JudgeCurve(rule, std::vector<double>{0.4, 0.5, 0.5, 0.509}, 10);
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->cause(), v1::STOP_CAUSE_PATIENCE);
  EXPECT_THAT(stop->message(), HasSubstr("0.5000 has not risen by more than 0.01 in the last 2"));
  // At its end it has ended.
  EXPECT_FALSE(JudgeCurve(rule, std::vector<double>{0.4, 0.5, 0.5, 0.509}, 4).has_value());
}

TEST(JudgeCurveTest, TheBestSoFarIsHeldAgainstTheMedian) {
  v1::StopRule rule;
  rule.add_least_accuracy(0);
  rule.add_least_accuracy(0.5);
  EXPECT_FALSE(JudgeCurve(rule, std::vector<double>{0.1}, 10).has_value());
  EXPECT_FALSE(JudgeCurve(rule, std::vector<double>{0.5, 0.1}, 10).has_value());
  const auto stop = JudgeCurve(rule, std::vector<double>{0.1, 0.4}, 10);
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->cause(), v1::STOP_CAUSE_MEDIAN);
  // Of later epochs nothing is known.
  EXPECT_FALSE(JudgeCurve(rule, std::vector<double>{0.1, 0.4, 0.4}, 10).has_value());
}

TEST(JudgeCurveTest, ForecastsAreComparedFromTheSameEpoch) {
  v1::StopRule rule;
  rule.set_extrapolation_epochs(4);
  rule.set_margin(0.02);
  std::vector<double> best = PowerLaw(0.8, 0.5, 1, 10);
  best.back() = 0.95;  // the schedule lifts the end, which no forecast knows
  rule.mutable_best_curve()->Add(best.begin(), best.end());
  EXPECT_FALSE(JudgeCurve(rule, PowerLaw(0.79, 0.5, 1, 5), 10).has_value());
  EXPECT_FALSE(JudgeCurve(rule, PowerLaw(0.5, 0.5, 1, 3), 10).has_value());
  const auto stop = JudgeCurve(rule, PowerLaw(0.7, 0.5, 1, 5), 10);
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->cause(), v1::STOP_CAUSE_EXTRAPOLATION);
  EXPECT_THAT(stop->message(), HasSubstr("foretold to reach 0.6500, the best trial 0.7500"));
}

}  // namespace
}  // namespace frontier::worker
