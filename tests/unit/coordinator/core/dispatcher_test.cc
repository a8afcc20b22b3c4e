// What the dispatcher promises, one promise a test.
#include "coordinator/core/dispatcher.h"

#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/sha256.h"
#include "common/base/status.h"
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
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Dispatcher, RunsAJobToItsEnd) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(5));
  EXPECT_EQ(job, 1);
  h.Register("w1");
  std::set<std::string> hashes;
  for (int i = 1; i <= 5; ++i) {
    const auto lease = h.Lease("w1");
    ASSERT_TRUE(lease.has_value()) << i;
    EXPECT_EQ(lease->task().key().trial(), i);
    EXPECT_EQ(lease->task().key().attempt(), 1);
    EXPECT_EQ(lease->token(), i);
    EXPECT_EQ(h.Job(job).state(), i < 5 ? v1::JOB_STATE_RUNNING : v1::JOB_STATE_DRAINING);
    h.clock().Advance(absl::Seconds(10));
    EXPECT_THAT(h.Report("w1", *lease, MakeResult(0.5 + 0.01 * i, 1.0 * i)), testing::IsOk());
    hashes.insert(h.Trial(job, i).canonical_hash());
  }
  EXPECT_EQ(hashes.size(), 5u);
  const v1::Job end = h.Job(job);
  EXPECT_EQ(end.state(), v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(end.reason(), "budget of 5 trials used");
  EXPECT_EQ(end.trials_created(), 5);
  EXPECT_EQ(end.trials_succeeded(), 5);
  EXPECT_EQ(end.front_size(), 5);
  EXPECT_EQ(end.best_trial(), 5);
  EXPECT_DOUBLE_EQ(end.best_value(), 0.55);
  EXPECT_DOUBLE_EQ(end.usage().cpu_seconds(), 50);
  EXPECT_DOUBLE_EQ(end.usage().wall_seconds(), 50);
  EXPECT_EQ(end.usage().method(), "model-default");
  EXPECT_DOUBLE_EQ(end.seconds_left(), 0);
  EXPECT_FALSE(h.Lease("w1").has_value());
}

TEST(Dispatcher, KeepsTheFrontAndItsWeightsOnly) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(3));
  h.Register("w1", "i1", 3);
  std::vector<v1::AttemptLease> leases;
  for (int i = 0; i < 3; ++i) leases.push_back(*h.Lease("w1"));
  const std::string digests[] = {Sha256Hex("a"), Sha256Hex("b"), Sha256Hex("c")};
  const v1::TrialResult results[] = {MakeResult(0.5, 1), MakeResult(0.4, 2), MakeResult(0.6, 1)};
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(h.Upload("w1", leases[i], digests[i]));
    v1::TrialResult result = results[i];
    result.set_weights_sha256(digests[i]);
    ASSERT_OK(h.Report("w1", leases[i], result));
    EXPECT_EQ(h.blobs().Has(digests[0]), i < 2);  // the third displaces it
    EXPECT_EQ(h.blobs().Has(digests[1]), false);  // dominated
  }
  EXPECT_TRUE(h.blobs().Has(digests[2]));
  EXPECT_FALSE(h.Trial(job, 1).on_front());
  EXPECT_FALSE(h.Trial(job, 1).weights_kept());
  EXPECT_TRUE(h.Trial(job, 3).on_front());
  v1::GetFrontRequest request;
  request.set_job_id(job);
  ASSERT_OK_AND_ASSIGN(const v1::GetFrontResponse front, h.core().GetFront(request));
  ASSERT_EQ(front.trials_size(), 1);
  EXPECT_EQ(front.trials(0).number(), 3);
  EXPECT_FALSE(front.trials(0).has_architecture());
  v1::GetWeightsRequest weights;
  weights.set_job_id(job);
  weights.set_trial(3);
  ASSERT_OK_AND_ASSIGN(const std::string found, h.core().FindWeights(weights));
  EXPECT_EQ(found, digests[2]);
  weights.set_trial(1);
  EXPECT_THAT(h.core().FindWeights(weights),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("job 1 trial 1")));
  // Ended jobs keep theirs over a restart; what nobody refers to goes.
  h.blobs().Put(Sha256Hex("stray"), "x");
  h.Restart();
  EXPECT_TRUE(h.blobs().Has(digests[2]));
  EXPECT_FALSE(h.blobs().Has(Sha256Hex("stray")));
}

TEST(Dispatcher, FrontIsOrderedByTheFirstObjective) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(4));
  h.Register("w1");
  for (const auto& [accuracy, latency] :
       std::vector<std::pair<double, double>>{{0.5, 1}, {0.9, 4}, {0.7, 2}}) {
    ASSERT_OK(h.Report("w1", *h.Lease("w1"), MakeResult(accuracy, latency)));
  }
  v1::GetFrontRequest request;
  request.set_job_id(job);
  ASSERT_OK_AND_ASSIGN(const v1::GetFrontResponse front, h.core().GetFront(request));
  std::vector<int64_t> numbers;
  for (const v1::Trial& trial : front.trials()) numbers.push_back(trial.number());
  EXPECT_THAT(numbers, ElementsAre(2, 3, 1));
  // Curves would make hundreds of trials too large for one answer.
  for (const v1::Trial& trial : front.trials()) {
    ASSERT_EQ(trial.result().epochs_size(), 3);
    EXPECT_EQ(trial.result().epochs(2).epoch(), 3);
    EXPECT_EQ(trial.result().epochs(2).validation_accuracy(), 0);
    EXPECT_EQ(trial.attempts(0).epochs_size(), 0);
  }
}

TEST(Dispatcher, WeightsThatWereNotUploadedAreRefused) {
  Harness h;
  h.Submit(SmallJob(1));
  h.Register("w1");
  const auto lease = h.Lease("w1");
  v1::TrialResult result = MakeResult(0.5, 1);
  result.set_weights_sha256(Sha256Hex("missing"));
  const auto refused = h.Report("w1", *lease, result);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("uploaded")));
  EXPECT_EQ(GetErrorReason(refused.status()), v1::ERROR_REASON_INVALID_FIELD);
  ASSERT_OK(h.Upload("w1", *lease, result.weights_sha256()));
  EXPECT_OK(h.Report("w1", *lease, result));
}

TEST(Dispatcher, UploadsOfALostLeaseAreDeleted) {
  Harness h;
  h.Submit(SmallJob(1));
  h.Register("w1");
  const auto lease = h.Lease("w1");
  ASSERT_OK(h.Upload("w1", *lease, Sha256Hex("a")));
  h.clock().Advance(h.options().lease_duration);
  h.Tick();
  EXPECT_FALSE(h.blobs().Has(Sha256Hex("a")));
  EXPECT_EQ(GetErrorReason(h.Upload("w1", *lease, Sha256Hex("b"))), v1::ERROR_REASON_STALE_LEASE);
}

TEST(Dispatcher, UploadsBeforeARestartWaitForTheirReport) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(1));
  h.Register("w1");
  const auto lease = h.Lease("w1");
  ASSERT_OK(h.Upload("w1", *lease, Sha256Hex("a")));
  h.Restart();
  h.clock().Advance(absl::Seconds(20));
  h.Tick();
  EXPECT_TRUE(h.blobs().Has(Sha256Hex("a")));
  v1::TrialResult result = MakeResult(0.5, 1);
  result.set_weights_sha256(Sha256Hex("a"));
  ASSERT_OK(h.Report("w1", *lease, result));
  EXPECT_TRUE(h.Trial(job, 1).weights_kept());
}

TEST(Dispatcher, AnExpiredLeaseGoesToAnotherWorkerFirst) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(1));
  h.Register("w1");
  const auto lost = h.Lease("w1");
  ASSERT_TRUE(lost.has_value());
  h.clock().Advance(h.options().lease_duration - absl::Seconds(1));
  h.Register("w2");
  h.Tick();
  EXPECT_EQ(h.Job(job).trials_running(), 1);
  h.clock().Advance(absl::Seconds(1));
  h.Tick();
  EXPECT_EQ(h.Job(job).trials_queued(), 1);
  EXPECT_FALSE(h.Lease("w1").has_value());  // w2 is free and could take it
  const auto retry = h.Lease("w2");
  ASSERT_TRUE(retry.has_value());
  EXPECT_EQ(retry->task().key().trial(), 1);
  EXPECT_EQ(retry->task().key().attempt(), 2);
  EXPECT_GT(retry->token(), lost->token());
  EXPECT_EQ(retry->task().seed(), lost->task().seed());
  // The late report of the first attempt is refused, the second counts.
  const auto late = h.Report("w1", *lost, MakeResult(0.9, 1));
  EXPECT_THAT(late, StatusIs(absl::StatusCode::kFailedPrecondition,
                             "job 1 trial 1 attempt 1: lease is not held (now attempt 2)"));
  EXPECT_EQ(GetErrorReason(late.status()), v1::ERROR_REASON_STALE_LEASE);
  ASSERT_OK(h.Report("w2", *retry, MakeResult(0.5, 1)));
  const v1::Trial trial = h.Trial(job, 1);
  EXPECT_EQ(trial.state(), v1::TRIAL_STATE_SUCCEEDED);
  EXPECT_EQ(trial.attempts(0).state(), v1::ATTEMPT_STATE_LOST);
  EXPECT_EQ(trial.attempts(0).failure().cause(), v1::FAILURE_CAUSE_WORKER_LOST);
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED);
}

TEST(Dispatcher, ALoneWorkerRetriesItsOwnTrial) {
  Harness h;
  h.Submit(SmallJob(1));
  h.Register("w1");
  ASSERT_OK(h.ReportFailure("w1", *h.Lease("w1"), v1::FAILURE_CAUSE_CRASHED));
  const auto retry = h.Lease("w1");
  ASSERT_TRUE(retry.has_value());
  EXPECT_EQ(retry->task().key().attempt(), 2);
}

TEST(Dispatcher, AWorkerThatNeverAsksHoldsUpNoRetryForEver) {
  Harness h;
  h.Submit(SmallJob(1));
  h.Register("w1");
  h.Register("w2");
  ASSERT_OK(h.ReportFailure("w1", *h.Lease("w1"), v1::FAILURE_CAUSE_CRASHED));
  EXPECT_FALSE(h.Lease("w1").has_value());
  for (int i = 0; i < 6; ++i) {
    h.clock().Advance(absl::Seconds(5));
    EXPECT_OK(h.Heartbeat("w2", {}));
  }
  EXPECT_TRUE(h.Lease("w1").has_value());
}

TEST(Dispatcher, RetriedCausesEndAfterMaxAttempts) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(1));
  h.Register("w1");
  for (int i = 1; i <= 3; ++i) {
    const auto lease = h.Lease("w1");
    ASSERT_TRUE(lease.has_value()) << i;
    ASSERT_OK_AND_ASSIGN(const v1::TrialState state,
                         h.ReportFailure("w1", *lease, v1::FAILURE_CAUSE_CRASHED));
    EXPECT_EQ(state, i < 3 ? v1::TRIAL_STATE_QUEUED : v1::TRIAL_STATE_FAILED);
  }
  EXPECT_EQ(h.Trial(job, 1).failure().cause(), v1::FAILURE_CAUSE_CRASHED);
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(h.Job(job).reason(), ::testing::HasSubstr("no trial succeeded"));
  EXPECT_EQ(h.Job(job).trials_failed(), 1);
  EXPECT_DOUBLE_EQ(h.Job(job).usage().cpu_seconds(), 3);  // failed attempts cost too
}

TEST(Dispatcher, OtherCausesEndATrialAtOnce) {
  for (const v1::FailureCause cause :
       {v1::FAILURE_CAUSE_OUT_OF_MEMORY, v1::FAILURE_CAUSE_DIVERGED, v1::FAILURE_CAUSE_INVALID}) {
    Harness h;
    h.Submit(SmallJob(2));
    h.Register("w1");
    ASSERT_OK_AND_ASSIGN(const v1::TrialState state, h.ReportFailure("w1", *h.Lease("w1"), cause));
    EXPECT_EQ(state, v1::TRIAL_STATE_FAILED);
    EXPECT_EQ(h.Lease("w1")->task().key().trial(), 2);
  }
}

TEST(Dispatcher, GivenBackTrialsComeFirstAndCountAsNoFailure) {
  Harness h;
  v1::JobSpec spec = SmallJob(3);
  spec.mutable_limits()->set_max_attempts(1);
  const int64_t job = h.Submit(spec);
  h.Register("w1");
  for (int i = 1; i <= 4; ++i) {
    const auto lease = h.Lease("w1");
    EXPECT_EQ(lease->task().key().trial(), 1);
    EXPECT_EQ(lease->task().key().attempt(), i);
    ASSERT_OK(h.GiveBack("w1", *lease));
  }
  ASSERT_OK(h.Report("w1", *h.Lease("w1"), MakeResult(0.5, 1)));
  EXPECT_EQ(h.Trial(job, 1).state(), v1::TRIAL_STATE_SUCCEEDED);
  EXPECT_EQ(h.Trial(job, 1).attempts(0).state(), v1::ATTEMPT_STATE_RETURNED);
}

TEST(Dispatcher, ReturnsTakeNoAttemptsFromFailures) {
  Harness h;
  v1::JobSpec spec = SmallJob(3);
  spec.mutable_limits()->set_max_attempts(2);
  const int64_t job = h.Submit(spec);
  h.Register("w1");
  for (int i = 1; i <= 5; ++i) ASSERT_OK(h.GiveBack("w1", *h.Lease("w1")));
  const auto fail = [&] {
    return h.ReportFailure("w1", *h.Lease("w1"), v1::FAILURE_CAUSE_CRASHED).value();
  };
  EXPECT_EQ(fail(), v1::TRIAL_STATE_QUEUED);
  EXPECT_EQ(fail(), v1::TRIAL_STATE_FAILED);
  EXPECT_EQ(h.Trial(job, 1).attempts_size(), 7);
}

TEST(Dispatcher, ATrialThatNobodyKeepsEndsAfterAHundredReturns) {
  Harness h;
  v1::JobSpec spec = SmallJob(3);
  spec.mutable_limits()->set_max_attempts(2);
  const int64_t job = h.Submit(spec);
  h.Register("w1");
  for (int i = 1; i <= 102; ++i) {
    const auto lease = h.Lease("w1");
    EXPECT_EQ(lease->task().key().trial(), 1);
    ASSERT_OK(h.GiveBack("w1", *lease));
  }
  EXPECT_EQ(h.Trial(job, 1).state(), v1::TRIAL_STATE_FAILED);
  EXPECT_EQ(h.Trial(job, 1).failure().cause(), v1::FAILURE_CAUSE_PREEMPTED);
  EXPECT_THAT(h.Trial(job, 1).failure().message(), HasSubstr("too often, in attempt 102"));
  EXPECT_EQ(h.Lease("w1")->task().key().trial(), 2);
}

TEST(Dispatcher, NonFiniteObjectiveIsAFailedTrial) {
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity(), -HUGE_VAL}) {
    Harness h;
    const int64_t job = h.Submit(SmallJob(1));
    h.Register("w1");
    ASSERT_OK_AND_ASSIGN(const v1::TrialState state,
                         h.Report("w1", *h.Lease("w1"), MakeResult(bad, 1)));
    EXPECT_EQ(state, v1::TRIAL_STATE_FAILED);
    EXPECT_EQ(h.Trial(job, 1).failure().cause(), v1::FAILURE_CAUSE_DIVERGED);
    EXPECT_THAT(h.Trial(job, 1).failure().message(), HasSubstr("accuracy"));
    EXPECT_EQ(h.Job(job).front_size(), 0);
    EXPECT_EQ(h.Job(job).best_trial(), 0);
  }
}

TEST(Dispatcher, ImpossibleOrMissingFiguresFailTheAttempt) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(1));
  h.Register("w1");
  ASSERT_OK_AND_ASSIGN(v1::TrialState state, h.Report("w1", *h.Lease("w1"), MakeResult(1.5, 1)));
  EXPECT_EQ(state, v1::TRIAL_STATE_QUEUED);
  ASSERT_OK_AND_ASSIGN(state, h.Report("w1", *h.Lease("w1"), MakeResult(0.5, -1)));
  EXPECT_EQ(state, v1::TRIAL_STATE_QUEUED);
  v1::TrialResult result = MakeResult(0.5, 1);
  result.mutable_measurements()->erase(result.mutable_measurements()->begin());
  ASSERT_OK_AND_ASSIGN(state, h.Report("w1", *h.Lease("w1"), result));
  EXPECT_EQ(state, v1::TRIAL_STATE_FAILED);
  const v1::Trial trial = h.Trial(job, 1);
  EXPECT_EQ(trial.attempts(0).failure().message(), "accuracy is 1.5, must be 0 to 1");
  EXPECT_EQ(trial.attempts(1).failure().message(), "latency_ms is -1, must be at least 0");
  EXPECT_EQ(trial.failure().message(), "the worker reported no accuracy");
}

TEST(Dispatcher, FiguresNobodyAskedForMayBeMissing) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(1));
  h.Register("w1");
  v1::TrialResult result = MakeResult(0.5, 1);
  for (v1::Measurement& m : *result.mutable_measurements()) {
    if (m.metric() == v1::METRIC_LOSS) m.set_value(std::nan(""));
  }
  ASSERT_OK(h.Report("w1", *h.Lease("w1"), result));
  const v1::Trial trial = h.Trial(job, 1);
  EXPECT_EQ(trial.state(), v1::TRIAL_STATE_SUCCEEDED);
  EXPECT_EQ(trial.result().measurements_size(), result.measurements_size() - 1);
}

TEST(Dispatcher, ImpossibleFiguresOfAPrecisionAreLeftOut) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(1));
  h.Register("w1");
  v1::TrialResult result = MakeResult(0.5, 1);
  const double accuracies[] = {0.9, std::nan(""), 1.5};
  for (const double accuracy : accuracies) {
    v1::PrecisionResult* precision = result.add_precisions();
    precision->set_precision("int8");
    precision->mutable_accuracy()->set_metric(v1::METRIC_ACCURACY);
    precision->mutable_accuracy()->set_value(accuracy);
  }
  result.add_precisions()->set_reason("no arithmetic for it");
  ASSERT_OK(h.Report("w1", *h.Lease("w1"), result));
  const v1::Trial trial = h.Trial(job, 1);
  EXPECT_EQ(trial.state(), v1::TRIAL_STATE_SUCCEEDED);
  ASSERT_EQ(trial.result().precisions_size(), 2);
  EXPECT_EQ(trial.result().precisions(0).accuracy().value(), 0.9);
  EXPECT_EQ(trial.result().precisions(1).reason(), "no arithmetic for it");
}

TEST(Dispatcher, InfeasibleTrialsNeverReachTheFront) {
  Harness h;
  v1::JobSpec spec = SmallJob(2);
  v1::Constraint* constraint = spec.add_constraints();
  constraint->set_metric(v1::METRIC_LATENCY_MS);
  constraint->set_comparison(v1::COMPARISON_AT_MOST);
  constraint->set_bound(2);
  const int64_t job = h.Submit(spec);
  h.Register("w1");
  ASSERT_OK(h.Report("w1", *h.Lease("w1"), MakeResult(0.9, 3)));
  EXPECT_EQ(h.Job(job).best_trial(), 0);
  ASSERT_OK(h.Report("w1", *h.Lease("w1"), MakeResult(0.5, 2)));
  EXPECT_FALSE(h.Trial(job, 1).feasible());
  EXPECT_FALSE(h.Trial(job, 1).on_front());
  EXPECT_TRUE(h.Trial(job, 2).feasible());
  EXPECT_EQ(h.Job(job).front_size(), 1);
  EXPECT_EQ(h.Job(job).best_trial(), 2);
}

TEST(Dispatcher, LeavingGivesBackWhatIsNotNamedAndTakesNoMore) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(5));
  h.Register("w1", "i1", 2);
  const auto named = h.Lease("w1");
  const auto unheard = h.Lease("w1");  // its answer crosses with the worker's leaving
  v1::HeartbeatRequest request;
  request.set_worker_id("w1");
  request.set_incarnation("i1");
  request.set_leaving(true);
  v1::LeaseStatus* status = request.add_leases();
  *status->mutable_key() = named->task().key();
  status->set_token(named->token());
  ASSERT_OK_AND_ASSIGN(const v1::HeartbeatResponse response, h.core().Heartbeat(request));
  ASSERT_EQ(response.directives_size(), 1);
  EXPECT_EQ(response.directives(0).action(), v1::ACTION_CONTINUE);
  const v1::Trial returned = h.Trial(job, unheard->task().key().trial());
  EXPECT_EQ(returned.state(), v1::TRIAL_STATE_QUEUED);
  EXPECT_EQ(returned.attempts(0).state(), v1::ATTEMPT_STATE_RETURNED);
  EXPECT_FALSE(h.Lease("w1").has_value());
  ASSERT_OK(h.Report("w1", *named, MakeResult(0.5, 2)));
  // It lives again once it has registered again.
  h.Register("w1", "i2", 2);
  EXPECT_TRUE(h.Lease("w1", "i2").has_value());
}

TEST(Dispatcher, HeartbeatRenewsStopsAndStarts) {
  Harness h;
  h.Submit(SmallJob(5));
  h.Register("w1", "i1", 2);
  const auto first = h.Lease("w1");
  const auto second = h.Lease("w1");
  EXPECT_FALSE(h.Lease("w1").has_value());  // both slots are taken
  // Young leases are not started again: their answer may be on its way.
  ASSERT_OK_AND_ASSIGN(v1::HeartbeatResponse response, h.Heartbeat("w1", {*first}));
  ASSERT_EQ(response.directives_size(), 1);
  EXPECT_EQ(response.directives(0).action(), v1::ACTION_CONTINUE);
  h.clock().Advance(absl::Seconds(20));
  ASSERT_OK_AND_ASSIGN(response, h.Heartbeat("w1", {*first}));
  ASSERT_EQ(response.directives_size(), 2);
  EXPECT_EQ(response.directives(1).action(), v1::ACTION_START);
  EXPECT_EQ(response.directives(1).token(), second->token());
  EXPECT_EQ(response.directives(1).lease().SerializeAsString(), second->SerializeAsString());
  // The first was renewed, the second was not.
  h.clock().Advance(absl::Seconds(15));
  h.Tick();
  ASSERT_OK_AND_ASSIGN(response, h.Heartbeat("w1", {*first, *second}));
  EXPECT_EQ(response.directives(0).action(), v1::ACTION_CONTINUE);
  EXPECT_EQ(response.directives(1).action(), v1::ACTION_STOP);
  EXPECT_THAT(response.directives(1).reason(), HasSubstr("lease is not held"));
}

TEST(Dispatcher, HeartbeatStoresEachEpochOnce) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(1));
  h.Register("w1");
  const auto lease = h.Lease("w1");
  v1::HeartbeatRequest request;
  request.set_worker_id("w1");
  request.set_incarnation("i1");
  v1::LeaseStatus* status = request.add_leases();
  *status->mutable_key() = lease->task().key();
  status->set_token(lease->token());
  status->add_epochs()->set_epoch(1);
  ASSERT_OK(h.core().Heartbeat(request));
  status->add_epochs()->set_epoch(2);
  ASSERT_OK(h.core().Heartbeat(request));
  EXPECT_EQ(h.Trial(job, 1).attempts(0).epochs_size(), 2);
  const int64_t commits = h.memory().commits();
  ASSERT_OK(h.core().Heartbeat(request));  // nothing new, nothing written
  EXPECT_EQ(h.memory().commits(), commits);
  status->mutable_epochs(0)->set_epoch(3);
  status->mutable_epochs(0)->set_train_loss(std::nan(""));
  ASSERT_OK_AND_ASSIGN(const v1::HeartbeatResponse response, h.core().Heartbeat(request));
  EXPECT_EQ(response.directives(0).action(), v1::ACTION_CONTINUE);
  EXPECT_EQ(response.directives(0).reason(), "not stored: epoch 3: train_loss is nan");
  EXPECT_EQ(h.Trial(job, 1).attempts(0).epochs_size(), 2);
}

TEST(Dispatcher, ANewIncarnationLosesTheLeasesOfTheOld) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(2));
  h.Register("w1", "i1");
  const auto lease = h.Lease("w1");
  h.Register("w1", "i1");  // the same again keeps them
  EXPECT_EQ(h.Job(job).trials_running(), 1);
  h.Register("w1", "i2");
  EXPECT_EQ(h.Job(job).trials_running(), 0);
  EXPECT_EQ(h.Job(job).trials_queued(), 1);
  EXPECT_EQ(GetErrorReason(h.Heartbeat("w1", {*lease}, "i1").status()),
            v1::ERROR_REASON_UNKNOWN_WORKER);
  EXPECT_EQ(GetErrorReason(h.Report("w1", *lease, MakeResult(0.5, 1)).status()),
            v1::ERROR_REASON_STALE_LEASE);
  const auto retry = h.Lease("w1", "i2");
  EXPECT_EQ(retry->task().key().trial(), 1);
  EXPECT_EQ(retry->task().key().attempt(), 2);
}

TEST(Dispatcher, ARepeatedLeaseRequestGetsNoLeaseThatHasEnded) {
  Harness h;
  h.Submit(SmallJob(5));
  h.Register("w1");
  v1::LeaseRequest request;
  request.set_request_id("lease");
  request.set_worker_id("w1");
  request.set_incarnation("i1");
  ASSERT_OK_AND_ASSIGN(v1::LeaseResponse response, h.core().TryLease(request));
  ASSERT_TRUE(response.has_lease());
  h.clock().Advance(h.options().lease_duration);
  h.Tick();
  ASSERT_OK_AND_ASSIGN(response, h.core().TryLease(request));
  EXPECT_FALSE(response.has_lease());
}

TEST(Dispatcher, UnknownWorkersAreToldToRegister) {
  Harness h;
  EXPECT_EQ(GetErrorReason(h.Heartbeat("nobody", {}).status()), v1::ERROR_REASON_UNKNOWN_WORKER);
  v1::LeaseRequest request;
  request.set_request_id("r");
  request.set_worker_id("nobody");
  EXPECT_EQ(GetErrorReason(h.core().TryLease(request).status()), v1::ERROR_REASON_UNKNOWN_WORKER);
}

TEST(Dispatcher, TokensFence) {
  Harness h;
  h.Submit(SmallJob(2));
  h.Register("w1");
  h.Register("w2");
  const auto lease = h.Lease("w1");
  v1::AttemptLease forged = *lease;
  forged.set_token(lease->token() + 1);
  for (const auto& [worker, used] :
       std::vector<std::pair<std::string, v1::AttemptLease>>{{"w1", forged}, {"w2", *lease}}) {
    EXPECT_EQ(GetErrorReason(h.Report(worker, used, MakeResult(0.5, 1)).status()),
              v1::ERROR_REASON_STALE_LEASE);
    EXPECT_EQ(GetErrorReason(h.GiveBack(worker, used)), v1::ERROR_REASON_STALE_LEASE);
    EXPECT_EQ(GetErrorReason(h.Upload(worker, used, Sha256Hex("a"))), v1::ERROR_REASON_STALE_LEASE);
    ASSERT_OK_AND_ASSIGN(const v1::HeartbeatResponse response, h.Heartbeat(worker, {used}));
    EXPECT_EQ(response.directives(0).action(), v1::ACTION_STOP);
  }
  EXPECT_OK(h.Report("w1", *lease, MakeResult(0.5, 1)));
}

TEST(Dispatcher, UnknownJobsAndTrialsAreNotFound) {
  Harness h;
  h.Submit(SmallJob(1));
  h.Register("w1");
  auto lease = *h.Lease("w1");
  lease.mutable_task()->mutable_key()->set_trial(9);
  EXPECT_THAT(h.Report("w1", lease, MakeResult(0.5, 1)),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("trial 9")));
  lease.mutable_task()->mutable_key()->set_job_id(8);
  EXPECT_THAT(h.Report("w1", lease, MakeResult(0.5, 1)),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("job 8")));
  EXPECT_THAT(h.Cancel(8), StatusIs(absl::StatusCode::kNotFound, HasSubstr("job 8")));
  v1::GetJobRequest request;
  request.set_job_id(8);
  EXPECT_THAT(h.core().GetJob(request), StatusIs(absl::StatusCode::kNotFound, HasSubstr("job 8")));
}

TEST(Dispatcher, AnAttemptThatNeverReportsIsEnded) {
  Harness h;
  v1::JobSpec spec = SmallJob(1);
  spec.mutable_limits()->set_wall_seconds(60);
  spec.mutable_limits()->set_max_attempts(1);
  const int64_t job = h.Submit(spec);
  h.Register("w1");
  const auto lease = h.Lease("w1");
  for (int i = 0; i < 60 && h.Job(job).trials_running() == 1; ++i) {
    h.clock().Advance(absl::Seconds(10));
    EXPECT_OK(h.Heartbeat("w1", {*lease}));
    h.Tick();
  }
  EXPECT_EQ(h.Trial(job, 1).failure().cause(), v1::FAILURE_CAUSE_TIMED_OUT);
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_FAILED);
}

}  // namespace
}  // namespace frontier::coordinator
