#include "worker/agent/table_runner.h"

#include <string>
#include <variant>
#include <vector>

#include "common/base/file.h"
#include "common/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::TempFolder;
using ::testing::HasSubstr;

constexpr char kTable[] =
    "architecture,accuracy,accuracy@2,latency_ms,parameters,proxy,seconds,energy_j,remark\n"
    "small,0.8,0.5,1.5,1000,-3,100,7,fine\n"
    "large,0.9,,4.5,9000,,200,7,\n";

class TableRunnerTest : public ::testing::Test {
 protected:
  TableRunnerTest() {
    order_.input.set_weights_path(folder_.File("kept"));
    order_.input.set_checkpoint_path(folder_.File("checkpoint"));
    task()->mutable_training()->set_epochs(10);
    task()->set_summary("small");
  }

  v1::TrialTask* task() { return order_.input.mutable_task(); }

  TrialEnd Run() {
    epochs_.clear();
    return runner_->Run(order_, stop_,
                        [this](const v1::EpochMetrics& epoch) { epochs_.push_back(epoch); });
  }
  v1::TrialResult Result() { return std::get<v1::TrialResult>(Run().outcome); }
  v1::Failure Failure() { return std::get<v1::Failure>(Run().outcome); }

  static double ValueOf(const v1::TrialResult& result, v1::Metric metric) {
    double value = -1;
    for (const v1::Measurement& m : result.measurements()) {
      if (m.metric() == metric) value = m.value();
    }
    return value;
  }

  TempFolder folder_;
  TrialOrder order_;
  StopEvent stop_;
  std::vector<v1::EpochMetrics> epochs_;
  const std::unique_ptr<TrialRunner> runner_ =
      NewTableRunner(Table::Parse("t.csv", kTable).value(), "t.csv").value();
};

TEST_F(TableRunnerTest, AWholeTrainingIsItsRow) {
  const TrialEnd end = Run();
  const auto& result = std::get<v1::TrialResult>(end.outcome);
  EXPECT_EQ(ValueOf(result, v1::METRIC_ACCURACY), 0.8);
  EXPECT_EQ(ValueOf(result, v1::METRIC_LATENCY_MS), 1.5);
  EXPECT_EQ(ValueOf(result, v1::METRIC_PARAMETERS), 1000);
  EXPECT_EQ(ValueOf(result, v1::METRIC_PROXY), -1);
  EXPECT_EQ(ValueOf(result, v1::METRIC_ENERGY_J), -1);  // for the daemon to tell
  EXPECT_EQ(end.cpu, absl::Seconds(100));
  ASSERT_EQ(epochs_.size(), 10u);
  EXPECT_EQ(epochs_[1].validation_accuracy(), 0.5);
  EXPECT_EQ(epochs_[8].validation_accuracy(), 0.5);
  EXPECT_EQ(epochs_[9].validation_accuracy(), 0.8);
}

TEST_F(TableRunnerTest, PausesAndGoesOn) {
  task()->set_until_epoch(2);
  TrialEnd end = Run();
  v1::TrialResult result = std::get<v1::TrialResult>(end.outcome);
  EXPECT_EQ(ValueOf(result, v1::METRIC_ACCURACY), 0.5);
  EXPECT_EQ(result.epochs_size(), 2);
  EXPECT_EQ(end.cpu, absl::Seconds(20));
  const std::string left = ReadFile(order_.input.weights_path()).value();
  EXPECT_EQ(result.checkpoint_sha256(), Sha256Hex(left));
  ASSERT_OK(WriteFileAtomically(order_.input.checkpoint_path(), left));
  task()->set_until_epoch(0);
  end = Run();
  result = std::get<v1::TrialResult>(end.outcome);
  EXPECT_EQ(ValueOf(result, v1::METRIC_ACCURACY), 0.8);
  EXPECT_EQ(result.epochs_size(), 10);
  EXPECT_EQ(epochs_.size(), 8u);
  EXPECT_EQ(end.cpu, absl::Seconds(80));
}

TEST_F(TableRunnerTest, ScoresUntrainedNetworks) {
  task()->set_proxy(v1::PROXY_NASWOT);
  const TrialEnd end = Run();
  const auto& result = std::get<v1::TrialResult>(end.outcome);
  EXPECT_EQ(ValueOf(result, v1::METRIC_PROXY), -3);
  EXPECT_EQ(ValueOf(result, v1::METRIC_ACCURACY), -1);
  EXPECT_EQ(ValueOf(result, v1::METRIC_LATENCY_MS), 1.5);
  EXPECT_TRUE(result.epochs().empty());
  EXPECT_EQ(end.cpu, absl::ZeroDuration());
}

TEST_F(TableRunnerTest, WhatTheTableLacksIsAnInvalidTrial) {
  task()->set_summary("other");
  EXPECT_EQ(Failure().cause(), v1::FAILURE_CAUSE_INVALID);
  EXPECT_THAT(Failure().message(), HasSubstr("table 't.csv' has no 'other'"));
  task()->set_summary("large");
  task()->set_until_epoch(2);
  EXPECT_THAT(Failure().message(), HasSubstr("no accuracy of 'large' after 2 of 10 epochs"));
}

TEST_F(TableRunnerTest, HasNoCurvesToStopBy) {
  task()->mutable_stop_rule()->set_patience_epochs(1);
  EXPECT_THAT(Failure().message(), HasSubstr("no learning curves"));
}

TEST_F(TableRunnerTest, AStopEndsIt) {
  stop_.Raise();
  EXPECT_TRUE(std::holds_alternative<TrialStopped>(Run().outcome));
}

TEST(TableRunnerCreateTest, TablesThatCannotBeUsedAreRefused) {
  const auto refused = [](const char* text, const char* words) {
    const auto runner = NewTableRunner(Table::Parse("t", text).value(), "t");
    EXPECT_THAT(std::string(runner.status().message()), HasSubstr(words));
  };
  refused("accuracy\n0.5\n", "architecture");
  refused("architecture,accuracy\na,0.5\na,0.6\n", "'a' twice");
  refused("architecture,accuracy@x\na,0.5\n", "names no epoch");
  refused("architecture,accuracy\na,good\n", "good");
}

}  // namespace
}  // namespace frontier::worker
