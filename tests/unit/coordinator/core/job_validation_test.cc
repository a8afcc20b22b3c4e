// Every bad job: which field is named, and that nothing is stored.
#include "coordinator/core/job_validation.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/base/version.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::Harness;
using ::frontier::testing::SmallJob;
using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

struct BadJob {
  std::function<void(v1::JobSpec*)> spoil;
  std::string field;
  std::string value;  // named in the message
};

v1::Constraint* AddConstraint(v1::JobSpec* spec, v1::Metric metric, double bound) {
  v1::Constraint* constraint = spec->add_constraints();
  constraint->set_metric(metric);
  constraint->set_comparison(v1::COMPARISON_AT_MOST);
  constraint->set_bound(bound);
  return constraint;
}

std::vector<BadJob> BadJobs() {
  return {
      {[](v1::JobSpec* s) { s->clear_name(); }, "spec.name", "has 0"},
      {[](v1::JobSpec* s) { s->set_name(std::string(129, 'x')); }, "spec.name", "129"},
      {[](v1::JobSpec* s) { s->set_name("a\nb"); }, "spec.name", "10"},
      {[](v1::JobSpec* s) { s->mutable_dataset()->set_name("../etc"); }, "spec.dataset.name",
       "../etc"},
      {[](v1::JobSpec* s) { s->mutable_dataset()->clear_name(); }, "spec.dataset.name", "''"},
      {[](v1::JobSpec* s) { s->mutable_dataset()->clear_input(); }, "spec.dataset.input",
       "'fashion'"},
      {[](v1::JobSpec* s) { s->mutable_dataset()->mutable_input()->set_height(0); },
       "spec.dataset.input.height", "is 0"},
      {[](v1::JobSpec* s) { s->mutable_dataset()->mutable_input()->set_width(-3); },
       "spec.dataset.input.width", "-3"},
      {[](v1::JobSpec* s) { s->mutable_dataset()->set_classes(0); }, "spec.dataset.classes",
       "is 0"},
      {[](v1::JobSpec* s) { s->mutable_dataset()->set_validation_fraction(1); },
       "spec.dataset.validation_fraction", "is 1"},
      {[](v1::JobSpec* s) { s->mutable_dataset()->set_validation_fraction(kNan); },
       "spec.dataset.validation_fraction", "nan"},
      {[](v1::JobSpec* s) { s->mutable_dataset()->set_train_samples(-1); },
       "spec.dataset.train_samples", "-1"},
      {[](v1::JobSpec* s) { s->mutable_dataset()->set_validation_samples(-2); },
       "spec.dataset.validation_samples", "-2"},
      {[](v1::JobSpec* s) { s->clear_search_space(); }, "spec.search_space.kind", ""},
      {[](v1::JobSpec* s) {
         s->mutable_search_space()->mutable_staged()->mutable_stages(0)->clear_kernels();
       },
       "spec.search_space.staged.stages[0].kernels", ""},
      {[](v1::JobSpec* s) { s->clear_strategy(); }, "spec.strategy.kind", ""},
      {[](v1::JobSpec* s) { s->mutable_strategy()->mutable_evolution()->set_population_size(-4); },
       "spec.strategy.evolution.population_size", "-4"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_epochs(0); }, "spec.training.epochs",
       "is 0"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_epochs(20000); }, "spec.training.epochs",
       "20000"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_batch_size(-1); },
       "spec.training.batch_size", "-1"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_learning_rate(0); },
       "spec.training.learning_rate", "is 0"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_learning_rate(kInf); },
       "spec.training.learning_rate", "inf"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_momentum(1); }, "spec.training.momentum",
       "is 1"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_weight_decay(-0.5); },
       "spec.training.weight_decay", "-0.5"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_warmup_epochs(4); },
       "spec.training.warmup_epochs", "is 4"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_label_smoothing(1); },
       "spec.training.label_smoothing", "is 1"},
      {[](v1::JobSpec* s) { s->mutable_training()->add_class_weights(1); },
       "spec.training.class_weights", "are 1"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_optimizer(static_cast<v1::Optimizer>(9)); },
       "spec.training.optimizer", "unknown optimizer 9"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_beta2(0.9); }, "spec.training.beta2",
       "is for adamw alone"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_epsilon(1e-6); }, "spec.training.epsilon",
       "is for adamw alone"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_clip_norm(-1); }, "spec.training.clip_norm",
       "is -1"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_schedule(static_cast<v1::Schedule>(9)); },
       "spec.training.schedule", "unknown schedule 9"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_schedule(v1::SCHEDULE_STEP); },
       "spec.training.step_epochs", "must be above 0 and at most 3 for the step schedule, is 0"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_step_epochs(1); },
       "spec.training.step_epochs", "is for the step schedule alone"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_step_factor(0.5); },
       "spec.training.step_factor", "is for the step schedule alone"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_crop_padding(-1); },
       "spec.training.crop_padding", "is -1"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_cutout_size(1000); },
       "spec.training.cutout_size", "is 1000"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_mixup_alpha(kNan); },
       "spec.training.mixup_alpha", "nan"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_erasing_probability(1.5); },
       "spec.training.erasing_probability", "is 1.5"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_average_decay(1); },
       "spec.training.average_decay", "is 1"},
      {[](v1::JobSpec* s) {
         for (int c = 0; c < s->dataset().classes(); ++c) {
           s->mutable_training()->add_class_weights(c == 1 ? 0 : 1);
         }
       },
       "spec.training.class_weights[1]", "is 0"},
      {[](v1::JobSpec* s) { s->clear_objectives(); }, "spec.objectives", "are 0"},
      {[](v1::JobSpec* s) {
         for (int m = 3; m <= 7; ++m) {
           v1::Objective* objective = s->add_objectives();
           objective->set_metric(static_cast<v1::Metric>(m));
           objective->set_direction(v1::DIRECTION_MINIMIZE);
         }
       },
       "spec.objectives", "are 7"},
      {[](v1::JobSpec* s) { s->mutable_objectives(1)->clear_direction(); },
       "spec.objectives[1].direction", "latency_ms"},
      {[](v1::JobSpec* s) { s->mutable_objectives(0)->set_metric(static_cast<v1::Metric>(77)); },
       "spec.objectives[0].metric", "77"},
      {[](v1::JobSpec* s) { s->mutable_objectives(1)->set_metric(v1::METRIC_ACCURACY); },
       "spec.objectives[1].metric", "accuracy is given twice"},
      {[](v1::JobSpec* s) { AddConstraint(s, v1::METRIC_UNSPECIFIED, 1); },
       "spec.constraints[0].metric", "unknown metric 0"},
      {[](v1::JobSpec* s) { AddConstraint(s, v1::METRIC_LATENCY_MS, kNan); },
       "spec.constraints[0].bound", "nan"},
      {[](v1::JobSpec* s) { AddConstraint(s, v1::METRIC_LATENCY_MS, 1)->clear_comparison(); },
       "spec.constraints[0].comparison", "is 0"},
      {[](v1::JobSpec* s) {
         AddConstraint(s, v1::METRIC_LATENCY_MS, 1);
         AddConstraint(s, v1::METRIC_LATENCY_MS, 2);
       },
       "spec.constraints[1].metric", "latency_ms"},
      {[](v1::JobSpec* s) {
         AddConstraint(s, v1::METRIC_LATENCY_MS, 1);
         AddConstraint(s, v1::METRIC_PARAMETERS, 10);
       },
       "spec.constraints[1].bound",
       "none of the 25 architectures of the search space has "
       "parameters <= 10, the least is "},
      {[](v1::JobSpec* s) { AddConstraint(s, v1::METRIC_LATENCY_MS, -1); },
       "spec.constraints[0].bound", "never <= -1"},
      {[](v1::JobSpec* s) {
         AddConstraint(s, v1::METRIC_ACCURACY, 1.5)->set_comparison(v1::COMPARISON_AT_LEAST);
       },
       "spec.constraints[0].bound", "never >= 1.5"},
      {[](v1::JobSpec* s) {
         AddConstraint(s, v1::METRIC_LATENCY_MS, 3)->set_comparison(v1::COMPARISON_AT_LEAST);
         AddConstraint(s, v1::METRIC_LATENCY_MS, 2);
       },
       "spec.constraints[1].bound", "latency_ms <= 2 contradicts the earlier >= 3"},
      {[](v1::JobSpec* s) { s->mutable_limits()->set_memory_bytes(1024); },
       "spec.limits.memory_bytes", "1024"},
      {[](v1::JobSpec* s) { s->clear_budget(); }, "spec.budget", "trials"},
      {[](v1::JobSpec* s) { s->mutable_budget()->set_trials(0); }, "spec.budget.trials", "is 0"},
      {[](v1::JobSpec* s) { s->mutable_budget()->set_trials(-1); }, "spec.budget.trials", "-1"},
      {[](v1::JobSpec* s) { s->mutable_budget()->set_wall_seconds(0); }, "spec.budget.wall_seconds",
       "is 0"},
      {[](v1::JobSpec* s) { s->mutable_budget()->set_cpu_seconds(kNan); },
       "spec.budget.cpu_seconds", "nan"},
      {[](v1::JobSpec* s) { s->mutable_budget()->set_energy_kwh(-2); }, "spec.budget.energy_kwh",
       "-2"},
      {[](v1::JobSpec* s) { s->mutable_limits()->set_memory_bytes(-1); },
       "spec.limits.memory_bytes", "-1"},
      {[](v1::JobSpec* s) { s->mutable_limits()->set_wall_seconds(kInf); },
       "spec.limits.wall_seconds", "inf"},
      {[](v1::JobSpec* s) { s->mutable_limits()->set_max_attempts(101); },
       "spec.limits.max_attempts", "101"},
      {[](v1::JobSpec* s) { s->mutable_training()->set_precision(static_cast<v1::Precision>(9)); },
       "spec.training.precision", "9"},
      {[](v1::JobSpec* s) { s->mutable_limits()->set_threads(-1); }, "spec.limits.threads", "-1"},
      {[](v1::JobSpec* s) { s->set_max_parallel_trials(-1); }, "spec.max_parallel_trials", "-1"},
  };
}

TEST(JobValidation, MoreSamplesThanTheSplitLeavesAreRefused) {
  Harness h;
  h.Register("w1");  // holds 60,000 training samples, of which five in six are trained on
  v1::JobSpec spec = SmallJob(5);
  spec.mutable_dataset()->set_train_samples(50000);
  EXPECT_OK(h.TrySubmit(spec));
  spec.mutable_dataset()->set_train_samples(60000);
  EXPECT_THAT(h.TrySubmit(spec),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("spec.dataset.train_samples: is 60000, but the split of the 60000 "
                                 "samples of 'fashion' leaves 50000")));
  spec.mutable_dataset()->clear_train_samples();
  spec.mutable_dataset()->set_validation_samples(20000);
  EXPECT_THAT(h.TrySubmit(spec), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("spec.dataset.validation_samples: is 20000")));
}

TEST(JobValidation, BadJobsAreNamedAndNotStored) {
  Harness h;
  for (const BadJob& bad : BadJobs()) {
    v1::JobSpec spec = SmallJob(5);
    bad.spoil(&spec);
    const absl::StatusOr<v1::SubmitJobResponse> response = h.TrySubmit(spec);
    ASSERT_FALSE(response.ok()) << bad.field;
    EXPECT_EQ(response.status().code(), absl::StatusCode::kInvalidArgument) << response.status();
    EXPECT_EQ(GetErrorReason(response.status()), v1::ERROR_REASON_INVALID_FIELD);
    EXPECT_THAT(GetErrorDetail(response.status())->field(), bad.field) << response.status();
    EXPECT_THAT(std::string(response.status().message()), HasSubstr(bad.value)) << bad.field;
  }
  EXPECT_EQ(h.memory().commits(), 0);
  EXPECT_EQ(h.Submit(SmallJob(5)), 1);
}

TEST(JobValidation, ConstraintsThatLeaveNothingTogetherAreNamed) {
  // One stage of five kernels and widths: parameters and MACs grow together.
  Harness h;
  v1::JobSpec spec = SmallJob(5);
  AddConstraint(&spec, v1::METRIC_LATENCY_MS, 1);
  AddConstraint(&spec, v1::METRIC_PARAMETERS, 1000);
  AddConstraint(&spec, v1::METRIC_MACS, 1e6)->set_comparison(v1::COMPARISON_AT_LEAST);
  AddConstraint(&spec, v1::METRIC_MACS, 1e12);
  const absl::Status status = h.TrySubmit(spec).status();
  EXPECT_EQ(GetErrorDetail(status)->field(), "spec.constraints[1].bound") << status;
  EXPECT_THAT(std::string(status.message()),
              ::testing::AllOf(HasSubstr("none of the 25 architectures of the search space has all "
                                         "of parameters <= 1000 ("),
                               HasSubstr("macs >= 1e+06 ("), HasSubstr("break it, least "),
                               HasSubstr("break it, most "), ::testing::Not(HasSubstr("1e+12")),
                               HasSubstr("each alone can be met, together they leave nothing")));
  EXPECT_EQ(h.memory().commits(), 0);
}

TEST(JobValidation, FillsInDefaults) {
  Harness h;
  h.Register("w1");
  v1::JobSpec spec = SmallJob(5);
  spec.mutable_dataset()->clear_input();
  spec.mutable_dataset()->clear_classes();
  ASSERT_OK_AND_ASSIGN(const v1::SubmitJobResponse response, h.TrySubmit(spec));
  const v1::JobSpec& complete = response.job().spec();
  EXPECT_EQ(complete.dataset().input().height(), 28);
  EXPECT_EQ(complete.dataset().classes(), 10);
  EXPECT_DOUBLE_EQ(complete.dataset().validation_fraction(), 1.0 / 6);
  EXPECT_DOUBLE_EQ(complete.limits().wall_seconds(), 3600);
  EXPECT_EQ(complete.limits().max_attempts(), 3);
  EXPECT_EQ(response.job().space_size(), "25");
}

TEST(JobValidation, MomentumHasADefaultAndMayBeZero) {
  Harness h;
  h.Register("w1");
  v1::JobSpec spec = SmallJob(5);
  spec.mutable_training()->clear_momentum();
  ASSERT_OK_AND_ASSIGN(v1::SubmitJobResponse response, h.TrySubmit(spec));
  EXPECT_EQ(response.job().spec().training().momentum(), 0.9);
  spec.mutable_training()->set_momentum(0);
  ASSERT_OK_AND_ASSIGN(response, h.TrySubmit(spec));
  EXPECT_EQ(response.job().spec().training().momentum(), 0);
}

TEST(JobValidation, ShapesThatDisagreeAreBothNamed) {
  Harness h;
  h.Register("w1");
  v1::JobSpec spec = SmallJob(5);
  spec.mutable_dataset()->mutable_input()->set_channels(3);
  const absl::StatusOr<v1::SubmitJobResponse> response = h.TrySubmit(spec);
  EXPECT_EQ(GetErrorDetail(response.status())->field(), "spec.dataset.input");
  EXPECT_THAT(std::string(response.status().message()),
              ::testing::AllOf(HasSubstr("3x28x28, 10 classes"), HasSubstr("1x28x28, 10 classes"),
                               HasSubstr("'w1'")));
}

TEST(JobValidation, WorkersThatDisagreeLeaveTheChoiceToTheUser) {
  Harness h;
  h.Register("w1");
  v1::RegisterRequest other = testing::MakeRegistration("w2", "i1", 1);
  other.set_request_id(h.NextRequestId());
  other.mutable_datasets(0)->set_height(32);
  ASSERT_OK(h.core().Register(other));
  v1::JobSpec spec = SmallJob(5);
  EXPECT_OK(h.TrySubmit(spec));
  spec.mutable_dataset()->mutable_input()->set_height(32);
  EXPECT_OK(h.TrySubmit(spec));
  spec.mutable_dataset()->clear_input();
  EXPECT_THAT(std::string(h.TrySubmit(spec).status().message()),
              ::testing::AllOf(HasSubstr("'w1'"), HasSubstr("'w2'"), HasSubstr("1x32x28")));
}

TEST(JobValidation, WorkersThatAreGoneDoNotSayWhatADataSetIs) {
  Harness h;
  v1::RegisterRequest gone = testing::MakeRegistration("a-worker-of-last-month", "i1", 1);
  gone.set_request_id(h.NextRequestId());
  gone.mutable_datasets(0)->set_train_samples(1000);
  gone.mutable_datasets(0)->set_height(32);
  ASSERT_OK(h.core().Register(gone));
  v1::JobSpec spec = SmallJob(1);
  spec.mutable_dataset()->clear_input();
  spec.mutable_dataset()->clear_classes();
  spec.mutable_dataset()->set_train_samples(40000);
  // Better than nothing.
  h.clock().Advance(absl::Hours(1));
  EXPECT_THAT(h.TrySubmit(spec), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("40000")));
  h.Register("w1");
  const int64_t job = h.Submit(spec);
  EXPECT_EQ(h.Job(job).spec().dataset().input().height(), 28);
}

TEST(JobValidation, ABatchLargerThanTheDataIsRefused) {
  Harness h;
  v1::JobSpec spec = SmallJob(1);
  spec.mutable_training()->set_batch_size(65536);
  EXPECT_OK(h.TrySubmit(spec));  // no worker has told of the data yet
  h.Register("w1");              // 60,000 samples, a sixth of them for validation
  spec.mutable_training()->set_batch_size(50100);
  absl::Status status = h.TrySubmit(spec).status();
  EXPECT_EQ(GetErrorDetail(status)->field(), "spec.training.batch_size");
  EXPECT_THAT(std::string(status.message()), HasSubstr("is 50100, but there are 50010"));
  spec.mutable_training()->set_batch_size(50000);
  EXPECT_OK(h.TrySubmit(spec));
  spec.mutable_dataset()->set_train_samples(100);
  spec.mutable_training()->set_batch_size(101);
  status = h.TrySubmit(spec).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("is 101, but there are 100"));
}

TEST(JobValidation, PrecisionAndReproducibilityReachTheWorkers) {
  Harness h;
  h.Register("w1", "i1", 2);
  const int64_t plain = h.Submit(SmallJob(1));
  EXPECT_EQ(h.Job(plain).spec().training().precision(), v1::PRECISION_AUTO);
  EXPECT_EQ(h.Job(plain).spec().limits().threads(), 0);
  const auto lease = h.Lease("w1");
  ASSERT_TRUE(lease.has_value());
  EXPECT_FALSE(lease->task().reproducible());

  v1::JobSpec spec = SmallJob(1);
  spec.set_reproducible(true);
  spec.mutable_training()->set_precision(v1::PRECISION_MIXED);
  const int64_t job = h.Submit(spec);
  const auto other = h.Lease("w1");
  ASSERT_TRUE(other.has_value());
  EXPECT_EQ(other->task().key().job_id(), job);
  EXPECT_TRUE(other->task().reproducible());
  EXPECT_EQ(other->task().training().precision(), v1::PRECISION_MIXED);
  EXPECT_EQ(other->task().limits().threads(), 1);

  // What a user sees of the trial says the same.
  v1::GetTrialRequest request;
  request.set_job_id(job);
  request.set_trial(1);
  ASSERT_OK_AND_ASSIGN(const v1::GetTrialResponse shown, h.core().GetTrial(request));
  v1::TrialTask leased = other->task();
  leased.mutable_key()->clear_attempt();
  EXPECT_EQ(shown.task().SerializeAsString(), leased.SerializeAsString());
}

TEST(JobValidation, ValidateOnlyStoresNothing) {
  Harness h;
  v1::SubmitJobRequest request;
  request.set_protocol_version(kProtocolVersion);
  request.set_validate_only(true);
  *request.mutable_spec() = SmallJob(5);
  ASSERT_OK_AND_ASSIGN(const v1::SubmitJobResponse response, h.core().SubmitJob(request));
  EXPECT_EQ(response.job().id(), 0);
  EXPECT_EQ(h.memory().commits(), 0);
}

TEST(JobValidation, OtherProtocolVersionsAreNamed) {
  Harness h;
  v1::SubmitJobRequest request;
  request.set_request_id("r");
  request.set_protocol_version(kProtocolVersion + 1);
  *request.mutable_spec() = SmallJob(5);
  const absl::Status status = h.core().SubmitJob(request).status();
  EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_PROTOCOL_VERSION);
  v1::RegisterRequest registration = testing::MakeRegistration("w1", "i1", 1);
  registration.set_request_id("r2");
  registration.set_protocol_version(kProtocolVersion + 1);
  EXPECT_EQ(GetErrorReason(h.core().Register(registration).status()),
            v1::ERROR_REASON_PROTOCOL_VERSION);
}

TEST(RegistrationValidation, BadWorkersAreNamed) {
  const std::vector<std::pair<std::function<void(v1::RegisterRequest*)>, std::string>> cases = {
      {[](v1::RegisterRequest* r) { r->clear_worker_id(); }, "worker_id"},
      {[](v1::RegisterRequest* r) { r->set_worker_id("a b"); }, "worker_id"},
      {[](v1::RegisterRequest* r) { r->set_worker_id(std::string(129, 'a')); }, "worker_id"},
      {[](v1::RegisterRequest* r) { r->clear_incarnation(); }, "incarnation"},
      {[](v1::RegisterRequest* r) { r->set_slots(0); }, "slots"},
      {[](v1::RegisterRequest* r) { r->set_slots(-1); }, "slots"},
      {[](v1::RegisterRequest* r) { r->mutable_datasets(0)->set_name("/"); }, "datasets[0].name"},
      {[](v1::RegisterRequest* r) { r->mutable_datasets(0)->set_width(0); }, "datasets[0]"},
      {[](v1::RegisterRequest* r) { r->mutable_datasets(0)->set_classes(0); },
       "datasets[0].classes"},
      {[](v1::RegisterRequest* r) { *r->add_datasets() = r->datasets(0); }, "datasets[1].name"}};
  Harness h;
  for (const auto& [spoil, field] : cases) {
    v1::RegisterRequest request = testing::MakeRegistration("w1", "i1", 1);
    request.set_request_id(h.NextRequestId());
    spoil(&request);
    const absl::Status status = h.core().Register(request).status();
    ASSERT_EQ(GetErrorReason(status), v1::ERROR_REASON_INVALID_FIELD) << field << status;
    EXPECT_EQ(GetErrorDetail(status)->field(), field);
  }
  EXPECT_EQ(h.memory().commits(), 0);
}

TEST(ReportValidation, BrokenReportsAreRefusedAndTheLeaseStays) {
  Harness h;
  const int64_t job = h.Submit(SmallJob(1));
  h.Register("w1");
  const auto lease = *h.Lease("w1");
  const auto good = [&] {
    return testing::MakeReport(h.NextRequestId(), "w1", lease, testing::MakeResult(0.5, 1));
  };
  const std::vector<std::pair<std::function<void(v1::ReportRequest*)>, std::string>> cases = {
      {[](v1::ReportRequest* r) { r->clear_outcome(); }, "outcome"},
      {[](v1::ReportRequest* r) { r->mutable_failure(); }, "failure.cause"},
      {[](v1::ReportRequest* r) {
         r->mutable_failure()->set_cause(static_cast<v1::FailureCause>(99));
       },
       "failure.cause"},
      {[](v1::ReportRequest* r) { r->mutable_result()->set_weights_sha256("xyz"); },
       "result.weights_sha256"},
      {[](v1::ReportRequest* r) {
         r->mutable_result()->mutable_measurements(2)->set_metric(v1::METRIC_ACCURACY);
       },
       "result.measurements[2].metric"},
      {[](v1::ReportRequest* r) { r->mutable_result()->mutable_measurements(2)->clear_metric(); },
       "result.measurements[2].metric"},
      {[](v1::ReportRequest* r) {
         r->add_usage()->set_metric(v1::METRIC_CPU_SECONDS);
         r->mutable_usage(0)->set_value(kNan);
       },
       "usage[0].value"}};
  const int64_t commits = h.memory().commits();
  for (const auto& [spoil, field] : cases) {
    v1::ReportRequest request = good();
    spoil(&request);
    const absl::Status status = h.core().Report(request).status();
    ASSERT_EQ(GetErrorReason(status), v1::ERROR_REASON_INVALID_FIELD) << field << status;
    EXPECT_EQ(GetErrorDetail(status)->field(), field);
  }
  EXPECT_EQ(h.memory().commits(), commits);
  v1::ReportRequest request = good();
  request.mutable_failure()->set_cause(v1::FAILURE_CAUSE_INVALID);
  request.mutable_failure()->set_message(std::string(100000, 'x'));
  ASSERT_OK(h.core().Report(request));
  EXPECT_EQ(h.Trial(job, 1).failure().message().size(), 4096u);
}

}  // namespace
}  // namespace frontier::coordinator
