#include "coordinator/strategy/objectives.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::TrialResult Result(const std::vector<std::pair<v1::Metric, double>>& values) {
  v1::TrialResult result;
  for (const auto& [metric, value] : values) {
    v1::Measurement* measurement = result.add_measurements();
    measurement->set_metric(metric);
    measurement->set_value(value);
  }
  return result;
}

v1::JobSpec TwoObjectives() {
  v1::JobSpec job;
  v1::Objective* objective = job.add_objectives();
  objective->set_metric(v1::METRIC_ACCURACY);
  objective->set_direction(v1::DIRECTION_MAXIMIZE);
  objective = job.add_objectives();
  objective->set_metric(v1::METRIC_LATENCY_MS);
  objective->set_direction(v1::DIRECTION_MINIMIZE);
  return job;
}

void Constrain(v1::JobSpec* job, v1::Metric metric, v1::Comparison comparison, double bound) {
  v1::Constraint* constraint = job->add_constraints();
  constraint->set_metric(metric);
  constraint->set_comparison(comparison);
  constraint->set_bound(bound);
}

TEST(MinimizedObjectivesTest, InTheJobsOrderAndTurned) {
  const v1::TrialResult result = Result(
      {{v1::METRIC_LATENCY_MS, 1.5}, {v1::METRIC_PARAMETERS, 10}, {v1::METRIC_ACCURACY, 0.9}});
  ASSERT_OK_AND_ASSIGN(const std::vector<double> values,
                       MinimizedObjectives(TwoObjectives(), result));
  EXPECT_THAT(values, ElementsAre(-0.9, 1.5));
  EXPECT_THAT(MinimizedObjectives(v1::JobSpec(), result).value(), IsEmpty());
}

TEST(MinimizedObjectivesTest, MissingOrNotFiniteIsAnError) {
  EXPECT_THAT(MinimizedObjectives(TwoObjectives(), Result({{v1::METRIC_ACCURACY, 0.9}})),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("METRIC_LATENCY_MS was not measured")));
  for (double value : {std::nan(""), std::numeric_limits<double>::infinity(),
                       -std::numeric_limits<double>::infinity()}) {
    EXPECT_THAT(MinimizedObjectives(TwoObjectives(), Result({{v1::METRIC_ACCURACY, value},
                                                             {v1::METRIC_LATENCY_MS, 1}})),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not finite")));
  }
  v1::JobSpec job = TwoObjectives();
  job.mutable_objectives(0)->clear_direction();
  EXPECT_THAT(
      MinimizedObjectives(job, Result({{v1::METRIC_ACCURACY, 1}, {v1::METRIC_LATENCY_MS, 1}})),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("direction 0")));
}

TEST(ConstraintViolationTest, AddsRelativeDistances) {
  v1::JobSpec job;
  Constrain(&job, v1::METRIC_LATENCY_MS, v1::COMPARISON_AT_MOST, 2);
  Constrain(&job, v1::METRIC_ACCURACY, v1::COMPARISON_AT_LEAST, 0.8);
  const auto violation = [&](double latency, double accuracy) {
    return ConstraintViolation(
               job, Result({{v1::METRIC_LATENCY_MS, latency}, {v1::METRIC_ACCURACY, accuracy}}))
        .value();
  };
  EXPECT_DOUBLE_EQ(violation(2, 0.8), 0);
  EXPECT_DOUBLE_EQ(violation(1, 0.9), 0);
  EXPECT_DOUBLE_EQ(violation(3, 0.9), 0.5);
  EXPECT_DOUBLE_EQ(violation(3, 0.6), 0.5 + 0.2 / 0.8);
  EXPECT_THAT(ConstraintViolation(job, Result({{v1::METRIC_LATENCY_MS, 1}})),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("METRIC_ACCURACY")));
}

TEST(ConstraintViolationTest, StaysFinite) {
  v1::JobSpec job;
  Constrain(&job, v1::METRIC_LOSS, v1::COMPARISON_AT_MOST, 1e-300);
  Constrain(&job, v1::METRIC_LATENCY_MS, v1::COMPARISON_AT_MOST, 0);
  const v1::TrialResult result = Result({{v1::METRIC_LOSS, 1e300}, {v1::METRIC_LATENCY_MS, 1e308}});
  EXPECT_TRUE(std::isfinite(ConstraintViolation(job, result).value()));
}

TEST(MeetsAnalyticConstraintsTest, LooksAtParametersAndMacsOnly) {
  v1::JobSpec job;
  EXPECT_TRUE(MeetsAnalyticConstraints(job, 1, 1));
  Constrain(&job, v1::METRIC_LATENCY_MS, v1::COMPARISON_AT_MOST, 0);
  Constrain(&job, v1::METRIC_PARAMETERS, v1::COMPARISON_AT_MOST, 1000);
  Constrain(&job, v1::METRIC_MACS, v1::COMPARISON_AT_LEAST, 500);
  EXPECT_TRUE(MeetsAnalyticConstraints(job, 1000, 500));
  EXPECT_FALSE(MeetsAnalyticConstraints(job, 1001, 500));
  EXPECT_FALSE(MeetsAnalyticConstraints(job, 1000, 499));
}

}  // namespace
}  // namespace frontier::coordinator
