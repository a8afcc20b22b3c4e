// Trials that pause at rungs, go on, or are stopped by their workers.
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "coordinator/core/references.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::Harness;
using ::frontier::testing::MakeResult;
using ::frontier::testing::SmallJob;
using ::frontier::testing::StatusIs;
using ::frontier::testing::ValueOf;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Of nine epochs, with rungs at 1 and 3, accuracy alone.
v1::JobSpec AshaJob(int64_t trials) {
  v1::JobSpec spec = SmallJob(trials);
  spec.mutable_objectives()->RemoveLast();
  spec.mutable_training()->set_epochs(9);
  spec.mutable_early_stopping()->mutable_asha();
  return spec;
}

// What a worker reports at the end of the lease's leg, with the curve of a network that comes to
// `accuracy`.
v1::TrialResult LegResult(const v1::AttemptLease& lease, double accuracy) {
  v1::TrialResult result = MakeResult(accuracy, 1);
  result.clear_epochs();
  const int until = lease.task().until_epoch();
  for (int epoch = 1; epoch <= (until == 0 ? lease.task().training().epochs() : until); ++epoch) {
    v1::EpochMetrics* metrics = result.add_epochs();
    metrics->set_epoch(epoch);
    metrics->set_validation_accuracy(accuracy * (1 - 0.5 / epoch));
  }
  return result;
}

class EarlyStoppingTest : public ::testing::Test {
 protected:
  EarlyStoppingTest() { h_.Register("w1", "i1", 4); }

  v1::AttemptLease Lease(const std::string& worker = "w1") {
    const auto lease = h_.Lease(worker);
    EXPECT_TRUE(lease.has_value());
    return lease.value_or(v1::AttemptLease());
  }

  // Ends the lease's leg; what is kept of a pause is uploaded before.
  v1::TrialState End(const v1::AttemptLease& lease, double accuracy,
                     const std::string& worker = "w1") {
    v1::TrialResult result = LegResult(lease, accuracy);
    if (lease.task().until_epoch() > 0) {
      const std::string digest = Digest(lease);
      if (h_.clock().Now() > began_ + absl::Minutes(30)) made_.insert(digest);
      EXPECT_OK(h_.Upload(worker, lease, digest));
      result.set_checkpoint_sha256(digest);
    }
    const auto state = h_.Report(worker, lease, result);
    EXPECT_OK(state);
    return state.value_or(v1::TRIAL_STATE_UNSPECIFIED);
  }

  static std::string Digest(const v1::AttemptLease& lease) {
    return Sha256Hex(absl::StrCat("checkpoint ", lease.token()));
  }

  Harness h_;
  const absl::Time began_ = h_.clock().Now();
  std::set<std::string> made_;  // digests, half an hour after the beginning
};

TEST_F(EarlyStoppingTest, OneInThreeGoesOnFromEachRung) {
  const int64_t job = h_.Submit(AshaJob(12));
  std::map<int, int> legs;  // by epochs
  while (const auto lease = h_.Lease("w1")) {
    ++legs[lease->task().until_epoch()];
    End(*lease, 0.01 * static_cast<double>(lease->task().key().trial()));
  }
  // 12 come to the first rung, 4 go on to the second, 1 of them to the end.
  EXPECT_EQ(legs[1], 12);
  EXPECT_EQ(legs[3], 4);
  EXPECT_EQ(legs[0], 1);
  const v1::Job end = h_.Job(job);
  EXPECT_EQ(end.state(), v1::JOB_STATE_COMPLETED) << end.DebugString();
  EXPECT_EQ(end.trials_succeeded(), 1);
  EXPECT_EQ(end.trials_stopped(), 11);
  EXPECT_EQ(end.front_size(), 1);
  EXPECT_EQ(end.best_trial(), 9);  // the best of those that were there in time
  // Nothing goes on any more.
  EXPECT_THAT(h_.blobs().List().value(), ::testing::IsEmpty());
}

TEST_F(EarlyStoppingTest, ATrialOfFewerEpochsThanARungIsTrainedToItsEnd) {
  v1::JobSpec spec = AshaJob(24);
  spec.mutable_early_stopping()->mutable_asha()->set_reduction(2);
  spec.mutable_early_stopping()->mutable_asha()->add_rungs(1);
  spec.mutable_early_stopping()->mutable_asha()->add_rungs(3);
  v1::Hyperparameter* epochs = spec.mutable_search_space()->add_hyperparameters();
  epochs->set_name("epochs");
  for (const char* value : {"1", "2", "9"}) epochs->mutable_categorical()->add_values(value);
  const int64_t job = h_.Submit(spec);
  std::map<int, std::set<int>> legs;  // by epochs of the recipe
  while (const auto lease = h_.Lease("w1")) {
    legs[lease->task().training().epochs()].insert(lease->task().until_epoch());
    End(*lease, 0.01 * static_cast<double>(lease->task().key().trial()));
  }
  EXPECT_THAT(legs[1], ElementsAre(0));
  EXPECT_THAT(legs[2], ElementsAre(0, 1));
  EXPECT_THAT(legs[9], ElementsAre(0, 1, 3));
  const v1::Job end = h_.Job(job);
  EXPECT_EQ(end.trials_failed(), 0);
  EXPECT_EQ(end.trials_succeeded() + end.trials_stopped(), 24);
}

TEST_F(EarlyStoppingTest, AfterAnEndWhatWaitsBeginsAnew) {
  const int64_t job = h_.Submit(AshaJob(4));
  const auto run = [&] {
    std::vector<std::string> checkpoints;
    while (const auto lease = h_.Lease("w1")) {
      checkpoints.push_back(lease->task().checkpoint_sha256());
      End(*lease, 0.01 * static_cast<double>(lease->task().key().trial()));
    }
    return checkpoints;
  };
  run();
  ASSERT_EQ(h_.Job(job).state(), v1::JOB_STATE_COMPLETED);
  ASSERT_THAT(h_.blobs().List().value(), ::testing::IsEmpty());
  h_.clock().Advance(absl::Hours(1));
  v1::UpdateJobRequest update;
  update.set_request_id("more");
  update.set_job_id(job);
  update.mutable_budget()->set_trials(9);
  ASSERT_OK(h_.core().UpdateJob(update));
  const auto expect_all_there = [&] {
    absl::flat_hash_map<std::string, int> references;
    ASSERT_OK(CountReferences(h_.store(), &references));
    for (const auto& [sha256, count] : references) EXPECT_TRUE(h_.blobs().Has(sha256)) << sha256;
  };
  expect_all_there();
  const auto lease = Lease();
  End(lease, 0.001);
  h_.Tick();  // outlines what has ended
  h_.Restart();
  expect_all_there();
  // The checkpoints that are used are those of now.
  for (const std::string& checkpoint : run()) {
    EXPECT_TRUE(checkpoint.empty() || made_.count(checkpoint) > 0) << checkpoint;
  }
  EXPECT_EQ(h_.Job(job).state(), v1::JOB_STATE_COMPLETED);
  EXPECT_THAT(h_.blobs().List().value(), ::testing::IsEmpty());
}

TEST_F(EarlyStoppingTest, GoesOnFromItsCheckpointOnAnyWorker) {
  h_.Register("w2");
  const int64_t job = h_.Submit(AshaJob(12));
  std::vector<v1::AttemptLease> first;
  for (int i = 0; i < 3; ++i) first.push_back(Lease());
  for (const v1::AttemptLease& lease : first) {
    EXPECT_EQ(lease.task().until_epoch(), 1);
    EXPECT_TRUE(lease.task().checkpoint_sha256().empty());
    EXPECT_EQ(End(lease, lease.task().key().trial() == 2 ? 0.9 : 0.5), v1::TRIAL_STATE_STOPPED);
  }
  EXPECT_THAT(h_.Trial(job, 2).early_stop().message(), HasSubstr("rung of 1 epochs"));
  const v1::AttemptLease second = Lease("w2");
  EXPECT_EQ(second.task().key().trial(), 2);
  EXPECT_EQ(second.task().key().attempt(), 2);
  EXPECT_EQ(second.task().until_epoch(), 3);
  EXPECT_EQ(second.task().checkpoint_sha256(), Digest(first[1]));
  EXPECT_EQ(second.task().seed(), first[1].task().seed());
  v1::GetCheckpointRequest request;
  request.set_worker_id("w2");
  *request.mutable_key() = second.task().key();
  request.set_token(second.token());
  ASSERT_OK_AND_ASSIGN(const std::string digest, h_.core().FindCheckpoint(request));
  EXPECT_EQ(digest, Digest(first[1]));
  request.set_token(second.token() + 1);
  EXPECT_EQ(GetErrorReason(h_.core().FindCheckpoint(request).status()),
            v1::ERROR_REASON_STALE_LEASE);
  // A lost attempt begins there again.
  EXPECT_OK(h_.GiveBack("w2", second));
  const v1::AttemptLease third = Lease("w1");
  EXPECT_EQ(third.task().checkpoint_sha256(), Digest(first[1]));
  EXPECT_EQ(End(third, 0.95), v1::TRIAL_STATE_STOPPED);
  EXPECT_FALSE(h_.blobs().Has(Digest(first[1])));  // replaced
  EXPECT_TRUE(h_.blobs().Has(Digest(third)));
  const v1::Trial trial = h_.Trial(job, 2);
  ASSERT_EQ(trial.rungs_size(), 2);
  EXPECT_TRUE(trial.rungs(0).goes_on());
  EXPECT_FALSE(trial.rungs(1).goes_on());
  // CPU time of both legs.
  EXPECT_EQ(ValueOf(trial.result(), v1::METRIC_CPU_SECONDS), 20);
}

TEST_F(EarlyStoppingTest, AFirstLegHasNoCheckpoint) {
  h_.Submit(AshaJob(3));
  const v1::AttemptLease lease = Lease();
  v1::GetCheckpointRequest request;
  request.set_worker_id("w1");
  *request.mutable_key() = lease.task().key();
  request.set_token(lease.token());
  EXPECT_THAT(h_.core().FindCheckpoint(request), StatusIs(absl::StatusCode::kNotFound, _));
}

TEST_F(EarlyStoppingTest, ARestartChangesNothing) {
  std::vector<std::string> runs;
  for (const bool restarts : {false, true}) {
    Harness h;
    h.Register("w1", "i1", 3);
    v1::JobSpec spec = SmallJob(14);
    spec.mutable_strategy()->mutable_evolution()->set_population_size(4);
    spec.mutable_strategy()->mutable_evolution()->set_sample_size(2);
    spec.mutable_training()->set_epochs(9);
    spec.mutable_early_stopping()->mutable_hyperband();
    const int64_t job = h.Submit(spec);
    std::vector<v1::AttemptLease> running;
    std::string log;
    for (int i = 0; i < 60; ++i) {
      if (restarts) {
        h.Tick();
        h.Restart();
      }
      if (const auto lease = h.Lease("w1")) {
        running.push_back(*lease);
        absl::StrAppend(&log, lease->task().summary(), " ", lease->task().key().trial(), " to ",
                        lease->task().until_epoch(), "\n");
      }
      if (running.empty()) break;
      const size_t pick = static_cast<size_t>(i) % running.size();
      const v1::AttemptLease lease = running[pick];
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(pick));
      const double accuracy = static_cast<double>((lease.task().key().trial() * 37) % 40) / 40;
      ASSERT_OK(h.Report("w1", lease, LegResult(lease, accuracy)));
    }
    EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED) << h.Job(job).DebugString();
    runs.push_back(log);
    v1::ReplayJobRequest request;
    request.set_job_id(job);
    ASSERT_OK_AND_ASSIGN(const v1::ReplayJobResponse replayed, h.core().ReplayJob(request));
    EXPECT_EQ(replayed.compared(), 14);
    EXPECT_TRUE(replayed.differences().empty()) << replayed.DebugString();
  }
  EXPECT_EQ(runs[0], runs[1]);
}

TEST_F(EarlyStoppingTest, OneIsTrainedToItsEndHoweverFewThereAre) {
  const int64_t job = h_.Submit(AshaJob(2));
  std::vector<int64_t> order;
  while (const auto lease = h_.Lease("w1")) {
    order.push_back(lease->task().key().trial());
    End(*lease, lease->task().key().trial() == 1 ? 0.7 : 0.6);
  }
  EXPECT_THAT(order, ElementsAre(1, 2, 1, 1));
  EXPECT_EQ(h_.Job(job).state(), v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(h_.Trial(job, 1).state(), v1::TRIAL_STATE_SUCCEEDED);
}

TEST_F(EarlyStoppingTest, ACancelledJobKeepsNoCheckpoints) {
  const int64_t job = h_.Submit(AshaJob(12));
  for (int i = 0; i < 3; ++i) End(Lease(), 0.5);
  Lease();  // one goes on
  EXPECT_EQ(h_.blobs().List()->size(), 3u);
  EXPECT_OK(h_.Cancel(job));
  EXPECT_TRUE(h_.blobs().List()->empty());
  EXPECT_EQ(h_.Job(job).trials_stopped(), 2);
  EXPECT_EQ(h_.Job(job).trials_cancelled(), 1);
}

TEST_F(EarlyStoppingTest, ATrialThatFailsOnItsWayLeavesNoCheckpoint) {
  const int64_t job = h_.Submit(AshaJob(3));
  for (int i = 1; i <= 3; ++i) End(Lease(), 0.1 * i);
  ASSERT_THAT(h_.blobs().List().value(), ::testing::SizeIs(3));
  const v1::AttemptLease goes_on = Lease();
  ASSERT_EQ(goes_on.task().key().trial(), 3);
  EXPECT_EQ(h_.ReportFailure("w1", goes_on, v1::FAILURE_CAUSE_DIVERGED).value(),
            v1::TRIAL_STATE_FAILED);
  EXPECT_THAT(h_.blobs().List().value(),
              ::testing::Not(::testing::Contains(goes_on.task().checkpoint_sha256())));
  EXPECT_EQ(h_.Trial(job, 3).checkpoint_sha256(), "");
}

TEST_F(EarlyStoppingTest, APauseElsewhereThanAskedForIsAFailedAttempt) {
  const int64_t job = h_.Submit(AshaJob(3));
  v1::AttemptLease lease = Lease();
  v1::TrialResult result = LegResult(lease, 0.5);
  result.add_epochs()->set_epoch(2);
  EXPECT_OK(h_.Report("w1", lease, result));
  EXPECT_THAT(h_.Trial(job, 1).attempts(0).failure().message(),
              HasSubstr("paused after 2 epochs, was to after 1"));
}

TEST_F(EarlyStoppingTest, AStopThatNobodyAskedForIsAFailedAttempt) {
  const int64_t job = h_.Submit(SmallJob(3));
  const v1::AttemptLease lease = Lease();
  v1::TrialResult result = LegResult(lease, 0.5);
  result.mutable_early_stop()->set_cause(v1::STOP_CAUSE_MEDIAN);
  EXPECT_OK(h_.Report("w1", lease, result));
  EXPECT_THAT(h_.Trial(job, 1).attempts(0).failure().message(), HasSubstr("STOP_CAUSE_MEDIAN"));
}

TEST_F(EarlyStoppingTest, TheMedianRuleGivesWhatOthersHadByEpoch) {
  v1::JobSpec spec = AshaJob(6);
  spec.mutable_training()->set_epochs(2);
  spec.mutable_early_stopping()->mutable_median()->set_min_trials(3);
  const int64_t job = h_.Submit(spec);
  for (const double accuracy : {0.8, 0.4, 0.6}) {
    const v1::AttemptLease lease = Lease();
    EXPECT_FALSE(lease.task().has_stop_rule());
    EXPECT_EQ(End(lease, accuracy), v1::TRIAL_STATE_SUCCEEDED);
  }
  const v1::AttemptLease lease = Lease();
  // Means of the first one and two epochs of 0.3, 0.45.
  ASSERT_EQ(lease.task().stop_rule().least_accuracy_size(), 2);
  EXPECT_NEAR(lease.task().stop_rule().least_accuracy(0), 0.3, 1e-12);
  EXPECT_NEAR(lease.task().stop_rule().least_accuracy(1), 0.375, 1e-12);
  v1::TrialResult result = LegResult(lease, 0.1);
  result.mutable_epochs()->RemoveLast();
  result.mutable_early_stop()->set_cause(v1::STOP_CAUSE_MEDIAN);
  result.mutable_early_stop()->set_message("below the median");
  const auto state = h_.Report("w1", lease, result);
  ASSERT_OK(state);
  EXPECT_EQ(*state, v1::TRIAL_STATE_STOPPED);
  const v1::Trial trial = h_.Trial(job, 4);
  EXPECT_FALSE(trial.on_front());
  EXPECT_EQ(trial.early_stop().message(), "below the median");
  EXPECT_EQ(trial.end_order(), 4);
  // To be run again: up to there.
  v1::GetTrialRequest request;
  request.set_job_id(job);
  request.set_trial(4);
  const v1::TrialTask again = h_.core().GetTrial(request)->task();
  ASSERT_EQ(again.stop_rule().least_accuracy_size(), 1);
  EXPECT_GT(again.stop_rule().least_accuracy(0), 1);
  h_.Tick();  // outlines what has ended
  h_.Restart();
  h_.Register("w1", "i2", 4);
  const auto next = h_.Lease("w1", "i2");
  ASSERT_TRUE(next.has_value());
  EXPECT_NEAR(next->task().stop_rule().least_accuracy(0), 0.2, 1e-12);  // of 0.05, 0.2, 0.3, 0.4
}

TEST_F(EarlyStoppingTest, CurvesAreThoseOfShares) {
  v1::JobSpec spec = AshaJob(6);
  spec.mutable_early_stopping()->mutable_median();
  const int64_t job = h_.Submit(spec);
  for (const double wrong : {std::nan(""), -0.1, 1.1}) {
    const v1::AttemptLease lease = Lease();
    v1::TrialResult result = LegResult(lease, 0.5);
    result.mutable_epochs(2)->set_validation_accuracy(wrong);
    EXPECT_EQ(h_.Report("w1", lease, result).value(),
              lease.task().key().attempt() < 3 ? v1::TRIAL_STATE_QUEUED : v1::TRIAL_STATE_FAILED);
  }
  EXPECT_THAT(h_.Trial(job, 1).failure().message(), HasSubstr("epoch 3, accuracy 1.1"));
}

TEST_F(EarlyStoppingTest, ProbesAreTrainedWhole) {
  v1::JobSpec spec = AshaJob(12);
  spec.mutable_early_stopping()->mutable_patience();
  spec.mutable_screening()->set_proxy(v1::PROXY_NASWOT);
  spec.mutable_search_space()->mutable_auto_();
  v1::Constraint* limit = spec.add_constraints();
  limit->set_metric(v1::METRIC_LATENCY_MS);
  limit->set_comparison(v1::COMPARISON_AT_MOST);
  limit->set_bound(2);
  const int64_t job = h_.Submit(spec);
  const v1::AttemptLease probe = Lease();
  EXPECT_EQ(probe.task().until_epoch(), 0);
  EXPECT_FALSE(probe.task().has_stop_rule());
  EXPECT_EQ(probe.task().proxy(), v1::PROXY_UNSPECIFIED);
  v1::TrialResult result = LegResult(probe, 0.5);
  result.mutable_early_stop()->set_cause(v1::STOP_CAUSE_PATIENCE);
  EXPECT_OK(h_.Report("w1", probe, result));
  EXPECT_TRUE(h_.Trial(job, 1).attempts(0).has_failure());
}

TEST_F(EarlyStoppingTest, AFailedReadOfTheStoreEndsNoJob) {
  const int64_t job = h_.Submit(AshaJob(12));
  for (int i = 0; i < 3; ++i) End(Lease(), 0.5);
  h_.memory().FailReads(1);
  EXPECT_FALSE(h_.Lease("w1").has_value());
  EXPECT_EQ(h_.Job(job).state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(Lease().task().until_epoch(), 3);
}

TEST_F(EarlyStoppingTest, PatienceIsNoReproach) {
  v1::JobSpec spec = SmallJob(2);
  spec.mutable_early_stopping()->mutable_patience()->set_epochs(1);
  const int64_t job = h_.Submit(spec);
  const v1::AttemptLease lease = Lease();
  EXPECT_EQ(lease.task().stop_rule().patience_epochs(), 1);
  v1::TrialResult result = LegResult(lease, 0.9);
  result.mutable_epochs()->RemoveLast();
  result.mutable_early_stop()->set_cause(v1::STOP_CAUSE_PATIENCE);
  EXPECT_EQ(h_.Report("w1", lease, result).value(), v1::TRIAL_STATE_SUCCEEDED);
  EXPECT_TRUE(h_.Trial(job, 1).on_front());
}

TEST_F(EarlyStoppingTest, ExtrapolationGetsTheBestCurve) {
  v1::JobSpec spec = AshaJob(4);
  spec.mutable_early_stopping()->mutable_extrapolation()->set_margin(0.01);
  h_.Submit(spec);
  for (const double accuracy : {0.5, 0.9, 0.7}) End(Lease(), accuracy);
  const v1::StopRule rule = Lease().task().stop_rule();
  EXPECT_EQ(rule.extrapolation_epochs(), 4);
  EXPECT_EQ(rule.margin(), 0.01);
  ASSERT_EQ(rule.best_curve_size(), 9);
  EXPECT_NEAR(rule.best_curve(8), 0.9 * (1 - 0.5 / 9), 1e-12);
}

TEST_F(EarlyStoppingTest, WorkersOfTheReleaseBeforeGetNoPartsOfATraining) {
  v1::RegisterRequest old = frontier::testing::MakeRegistration("old", "i1", 1);
  old.set_request_id(h_.NextRequestId());
  old.set_protocol_version(1);
  ASSERT_OK(h_.core().Register(old));
  const int64_t job = h_.Submit(AshaJob(3));
  EXPECT_FALSE(h_.Lease("old").has_value());
  EXPECT_TRUE(h_.Lease("w1").has_value());
  h_.clock().Advance(absl::Minutes(1));
  ASSERT_OK(h_.Heartbeat("old", {}));
  EXPECT_THAT(h_.Job(job).waiting_for(), HasSubstr("upgrade them"));
  h_.Submit(SmallJob(3));
  EXPECT_TRUE(h_.Lease("old").has_value());
}

TEST_F(EarlyStoppingTest, WhatMakesNoSenseIsRefused) {
  const auto refused = [&](const char* field, const char* words, auto change) {
    v1::JobSpec spec = SmallJob(3);
    change(spec.mutable_early_stopping(), &spec);
    const absl::Status status = h_.TrySubmit(spec).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                                 ::testing::AllOf(HasSubstr(field), HasSubstr(words))));
  };
  using Stopping = v1::EarlyStopping*;
  refused("early_stopping", "must name", [](Stopping, v1::JobSpec*) {});
  refused("asha.min_epochs", "3 is not from 1 to below the 3 epochs",
          [](Stopping s, v1::JobSpec*) { s->mutable_asha()->set_min_epochs(3); });
  refused("asha.reduction", "1 is not from 2",
          [](Stopping s, v1::JobSpec*) { s->mutable_asha()->set_reduction(1); });
  refused("asha.rungs[1]", "1 is not above 2", [](Stopping s, v1::JobSpec*) {
    s->mutable_asha()->add_rungs(2);
    s->mutable_asha()->add_rungs(1);
  });
  refused("asha.min_epochs", "beside rungs", [](Stopping s, v1::JobSpec*) {
    s->mutable_asha()->add_rungs(2);
    s->mutable_asha()->set_min_epochs(1);
  });
  refused("hyperband.min_epochs", "-1 is not",
          [](Stopping s, v1::JobSpec*) { s->mutable_hyperband()->set_min_epochs(-1); });
  refused("median", "only objective", [](Stopping s, v1::JobSpec*) { s->mutable_median(); });
  refused("patience.min_gain", "1 is not in [0, 1)",
          [](Stopping s, v1::JobSpec*) { s->mutable_patience()->set_min_gain(1); });
  refused("extrapolation.min_epochs", "3 is below 4", [](Stopping s, v1::JobSpec* spec) {
    spec->mutable_objectives()->RemoveLast();
    s->mutable_extrapolation()->set_min_epochs(3);
  });
}

}  // namespace
}  // namespace frontier::coordinator
