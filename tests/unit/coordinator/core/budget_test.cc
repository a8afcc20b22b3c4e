#include "coordinator/core/budget.h"

#include <cmath>
#include <limits>
#include <optional>

#include "gtest/gtest.h"

namespace frontier::coordinator {
namespace {

v1::Measurement Measure(v1::Metric metric, double value, double low, double high,
                        const std::string& method = "model-default") {
  v1::Measurement m;
  m.set_metric(metric);
  m.set_value(value);
  m.set_low(low);
  m.set_high(high);
  m.set_method(method);
  return m;
}

TEST(Budget, WallTimeLeavesPausesOut) {
  v1::JobRecord record;
  record.mutable_job()->set_submitted_unix_us(1'000'000);
  EXPECT_DOUBLE_EQ(WallSeconds(record, absl::FromUnixSeconds(11)), 10);
  record.set_paused_seconds(3);
  EXPECT_DOUBLE_EQ(WallSeconds(record, absl::FromUnixSeconds(11)), 7);
  record.set_paused_unix_us(9'000'000);
  EXPECT_DOUBLE_EQ(WallSeconds(record, absl::FromUnixSeconds(11)), 5);
  record.set_paused_unix_us(0);
  record.mutable_job()->set_ended_unix_us(6'000'000);
  EXPECT_DOUBLE_EQ(WallSeconds(record, absl::FromUnixSeconds(100)), 2);
  // A clock that went back.
  record.mutable_job()->set_ended_unix_us(0);
  EXPECT_DOUBLE_EQ(WallSeconds(record, absl::FromUnixSeconds(0)), 0);
}

TEST(Budget, TrialsAreUsedWhenTheLastIsCreated) {
  v1::Job job;
  EXPECT_EQ(UsedTrialBudget(job), std::nullopt);
  job.mutable_spec()->mutable_budget()->set_trials(12);
  job.set_trials_created(11);
  EXPECT_EQ(UsedTrialBudget(job), std::nullopt);
  job.set_trials_created(12);
  EXPECT_EQ(UsedTrialBudget(job), "budget of 12 trials used");
}

TEST(Budget, ResourcesAreUsedAtTheLimit) {
  v1::Job job;
  v1::Budget* budget = job.mutable_spec()->mutable_budget();
  budget->set_cpu_seconds(100);
  job.mutable_usage()->set_cpu_seconds(std::nextafter(100, 0));
  EXPECT_EQ(UsedResourceBudget(job, 0), std::nullopt);
  job.mutable_usage()->set_cpu_seconds(100);
  EXPECT_EQ(UsedResourceBudget(job, 0), "budget of 100 s CPU time used");
  budget->clear_cpu_seconds();
  budget->set_energy_kwh(0.5);
  job.mutable_usage()->set_energy_kwh(0.6);
  EXPECT_EQ(UsedResourceBudget(job, 0), "budget of 0.5 kWh used");
  budget->clear_energy_kwh();
  budget->set_wall_seconds(60);
  EXPECT_EQ(UsedResourceBudget(job, 60), "budget of 60 s wall time used");
}

TEST(Budget, TimeLeftIsTheFirstLimitAtThePaceSoFar) {
  v1::Job job;
  v1::Budget* budget = job.mutable_spec()->mutable_budget();
  budget->set_trials(10);
  EXPECT_LT(SecondsLeft(job), 0);
  job.mutable_usage()->set_wall_seconds(20);
  EXPECT_LT(SecondsLeft(job), 0);
  job.set_trials_succeeded(3);
  job.set_trials_failed(1);
  EXPECT_DOUBLE_EQ(SecondsLeft(job), 30);
  budget->set_cpu_seconds(100);
  job.mutable_usage()->set_cpu_seconds(50);
  EXPECT_DOUBLE_EQ(SecondsLeft(job), 20);
  budget->set_wall_seconds(25);
  EXPECT_DOUBLE_EQ(SecondsLeft(job), 5);
  job.mutable_usage()->set_wall_seconds(26);
  EXPECT_DOUBLE_EQ(SecondsLeft(job), 0);
  job.set_ended_unix_us(1);
  EXPECT_DOUBLE_EQ(SecondsLeft(job), 0);
}

TEST(Budget, UsageSumsUpInKilowattHours) {
  v1::Attempt attempt;
  google::protobuf::RepeatedPtrField<v1::Measurement> figures;
  *figures.Add() = Measure(v1::METRIC_CPU_SECONDS, 12, 12, 12);
  *figures.Add() = Measure(v1::METRIC_ENERGY_J, 3.6e6, 1.8e6, 7.2e6);
  *figures.Add() = Measure(v1::METRIC_CO2_G, 475, 200, 900);
  *figures.Add() = Measure(v1::METRIC_ACCURACY, 0.9, 0, 0);
  RecordUsage(figures, &attempt);
  v1::JobUsage usage;
  AddUsage(attempt, &usage);
  AddUsage(attempt, &usage);
  EXPECT_DOUBLE_EQ(usage.cpu_seconds(), 24);
  EXPECT_DOUBLE_EQ(usage.energy_kwh(), 2);
  EXPECT_DOUBLE_EQ(usage.energy_kwh_low(), 1);
  EXPECT_DOUBLE_EQ(usage.energy_kwh_high(), 4);
  EXPECT_DOUBLE_EQ(usage.co2_g(), 950);
  EXPECT_DOUBLE_EQ(usage.co2_g_low(), 400);
  EXPECT_DOUBLE_EQ(usage.co2_g_high(), 1800);
  EXPECT_EQ(usage.method(), "model-default");
}

TEST(Budget, UnusableFiguresCountAsNotGiven) {
  v1::Attempt attempt;
  google::protobuf::RepeatedPtrField<v1::Measurement> figures;
  *figures.Add() = Measure(v1::METRIC_CPU_SECONDS, std::nan(""), 0, 0);
  *figures.Add() = Measure(v1::METRIC_ENERGY_J, -5, 0, 0);
  *figures.Add() = Measure(v1::METRIC_CO2_G, std::numeric_limits<double>::infinity(), 0, 0);
  RecordUsage(figures, &attempt);
  EXPECT_EQ(attempt.ByteSizeLong(), 0u);
  figures.Clear();
  *figures.Add() = Measure(v1::METRIC_ENERGY_J, 5, 0, 0);
  RecordUsage(figures, &attempt);
  EXPECT_DOUBLE_EQ(attempt.energy_j_low(), 5);
  EXPECT_DOUBLE_EQ(attempt.energy_j_high(), 5);
}

TEST(Budget, TheWeakestMethodIsNamed) {
  EXPECT_EQ(WeakerMethod("rapl-powercap", "model-tdp"), "model-tdp");
  EXPECT_EQ(WeakerMethod("model-default", "external"), "model-default");
  EXPECT_EQ(WeakerMethod("", "external"), "external");
  EXPECT_EQ(WeakerMethod("model-default", ""), "model-default");
  EXPECT_EQ(WeakerMethod("guessed", "model-default"), "guessed");
}

}  // namespace
}  // namespace frontier::coordinator
