// Jobs whose search space the coordinator composes.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/architecture/graph.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "coordinator/core/dispatcher.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::Harness;
using ::frontier::testing::MakeResult;
using ::frontier::testing::SmallJob;
using ::frontier::testing::StatusIs;
using ::frontier::testing::StoreKind;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kProbes = 5;

v1::JobSpec AutoJob(int64_t trials) {
  v1::JobSpec spec = SmallJob(trials);
  spec.mutable_search_space()->mutable_auto_();
  spec.mutable_dataset()->set_train_samples(4000);
  return spec;
}

void AddLimit(v1::Metric metric, double bound, v1::JobSpec* spec) {
  v1::Constraint* constraint = spec->add_constraints();
  constraint->set_metric(metric);
  constraint->set_comparison(v1::COMPARISON_AT_MOST);
  constraint->set_bound(bound);
}

v1::JobSpec LatencyJob(int64_t trials, double most) {
  v1::JobSpec spec = AutoJob(trials);
  AddLimit(v1::METRIC_LATENCY_MS, most, &spec);
  return spec;
}

const v1::Composition& CompositionOf(const v1::Job& job) {
  return job.spec().search_space().auto_().composition();
}

// Of a made-up machine.
v1::TrialResult ResultOf(const v1::Architecture& architecture) {
  const GraphCosts costs = AnalyzeGraph(architecture).value();
  double layers = 0;
  for (const NodeCosts& node : costs.nodes) layers += node.macs > 0 ? 1 : 0;
  const double latency = 0.005 * layers + 1e-7 * static_cast<double>(costs.macs);
  v1::TrialResult result = MakeResult(0.5, latency);
  result.mutable_engine()->set_peak_memory_bytes((int64_t{8} << 20) + 64 * costs.activation_bytes);
  return result;
}

// Leases and reports up to `count` trials; how many there were.
int RunTrials(Harness* h, int count) {
  for (int i = 0; i < count; ++i) {
    const std::optional<v1::AttemptLease> lease = h->Lease("w1");
    if (!lease.has_value()) return i;
    EXPECT_OK(h->Report("w1", *lease, ResultOf(lease->task().architecture())));
  }
  return count;
}

TEST(AutoSpace, AJobThatCannotProbeYetSaysWhatItWaitsFor) {
  Harness h;
  const int64_t job = h.Submit(LatencyJob(20, 2.0));
  EXPECT_EQ(h.Job(job).waiting_for(), "no live worker");
  h.Register("w1");
  EXPECT_EQ(h.Job(job).waiting_for(), "");
}

std::vector<v1::Event> ComposedEvents(Harness* h, int64_t job) {
  const std::vector<v1::Event> events = h->store().ListEvents(job, 0, 10000).value();
  std::vector<v1::Event> composed;
  for (const v1::Event& event : events) {
    if (event.kind() == v1::EVENT_KIND_SPACE_COMPOSED) composed.push_back(event);
  }
  return composed;
}

class AutoSpaceTest : public ::testing::TestWithParam<StoreKind> {};
INSTANTIATE_TEST_SUITE_P(Stores, AutoSpaceTest,
                         ::testing::Values(StoreKind::kMemory, StoreKind::kSqlite),
                         [](const auto& param) {
                           return param.param == StoreKind::kMemory ? "memory" : "sqlite";
                         });

TEST_P(AutoSpaceTest, WithoutMeasuredLimitsTheSpaceIsThereAtOnce) {
  Harness h(GetParam());
  h.Register("w1");
  v1::JobSpec spec = AutoJob(20);
  AddLimit(v1::METRIC_PARAMETERS, 30000, &spec);
  const int64_t job = h.Submit(spec);
  const v1::Job submitted = h.Job(job);
  EXPECT_FALSE(CompositionOf(submitted).probing());
  EXPECT_GT(CompositionOf(submitted).space().stages_size(), 0);
  EXPECT_THAT(*CompositionOf(submitted).reasons().rbegin(),
              HasSubstr(submitted.space_size() + " genotypes"));
  h.Tick();  // outlines what has ended
  h.Restart();
  EXPECT_EQ(RunTrials(&h, 30), 20);
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED);
  EXPECT_TRUE(ComposedEvents(&h, job).empty());
}

TEST_P(AutoSpaceTest, ProbesComeFirstThenTheSearch) {
  Harness h(GetParam());
  h.Register("w1", "i1", 8);
  const int64_t job = h.Submit(LatencyJob(25, 0.4));
  v1::Job probing = h.Job(job);
  EXPECT_TRUE(CompositionOf(probing).probing());
  EXPECT_EQ(CompositionOf(probing).probes_size(), 0) << "its trials have them";
  EXPECT_EQ(probing.space_size(), "5");
  std::vector<v1::AttemptLease> leases;
  while (std::optional<v1::AttemptLease> lease = h.Lease("w1")) leases.push_back(*lease);
  ASSERT_EQ(leases.size(), size_t{kProbes}) << "waits for all of them";
  EXPECT_THAT(h.Trial(job, 1).summary(), "probe 1 of 5");
  for (const v1::AttemptLease& lease : leases) {
    EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_RUNNING);
    EXPECT_TRUE(CompositionOf(h.Job(job)).probing());
    EXPECT_FALSE(h.Lease("w1").has_value());
    ASSERT_OK(h.Report("w1", lease, ResultOf(lease.task().architecture())));
  }
  const v1::Job composed = h.Job(job);
  EXPECT_FALSE(CompositionOf(composed).probing());
  EXPECT_EQ(CompositionOf(composed).version(), 1);
  EXPECT_EQ(CompositionOf(composed).train_samples(), 4000);
  EXPECT_EQ(composed.spec().search_space().version(), 1);
  ASSERT_EQ(ComposedEvents(&h, job).size(), 1U);
  EXPECT_THAT(ComposedEvents(&h, job)[0].message(),
              AllOf(HasSubstr("latency_ms <= 0.4"), HasSubstr(composed.space_size())));
  EXPECT_EQ(h.store().GetJob(job)->probes_size(), 0);

  EXPECT_EQ(RunTrials(&h, 100), 20);
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED);
  std::set<std::string> hashes;
  int met = 0;
  for (const v1::Trial& trial : h.Trials(job)) {
    hashes.insert(trial.canonical_hash());
    EXPECT_EQ(trial.space_version(), trial.number() <= kProbes ? 0 : 1);
    if (trial.number() > kProbes && trial.feasible()) ++met;
  }
  EXPECT_EQ(hashes.size(), 25U);
  EXPECT_GE(met, 18);
}

TEST_P(AutoSpaceTest, ARestartAnywhereChangesNothing) {
  std::vector<std::vector<std::string>> runs;
  for (const bool restart : {false, true}) {
    Harness h(GetParam());
    h.Register("w1");
    v1::JobSpec spec = LatencyJob(20, 0.4);
    spec.mutable_strategy()->mutable_evolution()->set_population_size(6);
    spec.mutable_strategy()->mutable_evolution()->set_sample_size(3);
    const int64_t job = h.Submit(spec);
    for (int i = 0; i < 20; ++i) {
      if (restart) {
        h.Tick();
        h.Restart();
      }
      const std::optional<v1::AttemptLease> lease = h.Lease("w1");
      ASSERT_TRUE(lease.has_value()) << i;
      if (restart) {
        h.Tick();
        h.Restart();
      }
      ASSERT_OK(h.Report("w1", *lease, ResultOf(lease->task().architecture())));
    }
    std::vector<std::string> hashes;
    for (const v1::Trial& trial : h.Trials(job)) hashes.push_back(trial.canonical_hash());
    hashes.push_back(h.Job(job).spec().search_space().SerializeAsString());
    runs.push_back(hashes);
  }
  EXPECT_EQ(runs[0], runs[1]);
}

TEST(AutoSpaceCommitTest, ACommitThatFailsLeavesTheJobProbing) {
  Harness h;
  h.Register("w1");
  const int64_t job = h.Submit(LatencyJob(25, 0.4));
  ASSERT_EQ(RunTrials(&h, kProbes - 1), kProbes - 1);
  const std::optional<v1::AttemptLease> last = h.Lease("w1");
  ASSERT_TRUE(last.has_value());
  const v1::TrialResult result = ResultOf(last->task().architecture());
  h.memory().FailCommits(1);
  EXPECT_FALSE(h.Report("w1", *last, result).ok());
  EXPECT_TRUE(CompositionOf(h.Job(job)).probing());
  EXPECT_EQ(h.Job(job).space_size(), "5");
  EXPECT_FALSE(h.Lease("w1").has_value());
  ASSERT_OK(h.Report("w1", *last, result));
  EXPECT_FALSE(CompositionOf(h.Job(job)).probing());
  EXPECT_EQ(ComposedEvents(&h, job).size(), 1U);
  EXPECT_EQ(RunTrials(&h, 100), 20);
}

TEST_P(AutoSpaceTest, ProbesThatFailAreLeftOut) {
  Harness h(GetParam());
  h.Register("w1");
  const int64_t job = h.Submit(LatencyJob(25, 0.4));
  const std::optional<v1::AttemptLease> lease = h.Lease("w1");
  ASSERT_OK(h.ReportFailure("w1", *lease, v1::FAILURE_CAUSE_OUT_OF_MEMORY));
  EXPECT_EQ(h.store().GetJob(job)->probes_size(), 1);
  EXPECT_EQ(RunTrials(&h, kProbes - 1), kProbes - 1);
  EXPECT_FALSE(CompositionOf(h.Job(job)).probing());
  EXPECT_EQ(RunTrials(&h, 100), 20);
}

TEST_P(AutoSpaceTest, AJobWhoseProbesAllFailHasFailed) {
  Harness h(GetParam());
  h.Register("w1");
  const int64_t job = h.Submit(LatencyJob(25, 0.4));
  while (const std::optional<v1::AttemptLease> lease = h.Lease("w1")) {
    ASSERT_OK(h.ReportFailure("w1", *lease, v1::FAILURE_CAUSE_OUT_OF_MEMORY));
  }
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(h.Job(job).reason(),
              AllOf(HasSubstr("none of 5 probes succeeded"), HasSubstr("as the test wants it")));
}

TEST_P(AutoSpaceTest, AJobWhoseLimitNothingMeetsHasFailed) {
  Harness h(GetParam());
  h.Register("w1");
  const int64_t job = h.Submit(LatencyJob(25, 0.001));
  EXPECT_EQ(RunTrials(&h, 100), kProbes);
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(h.Job(job).reason(), AllOf(HasSubstr("no search space: constraints[0].bound"),
                                         HasSubstr("latency_ms <= 0.001"), HasSubstr("the least")));
}

TEST_P(AutoSpaceTest, PausedJobsComposeAndGoOnLater) {
  Harness h(GetParam());
  h.Register("w1");
  const int64_t job = h.Submit(LatencyJob(25, 0.4));
  ASSERT_EQ(RunTrials(&h, kProbes - 1), kProbes - 1);
  const std::optional<v1::AttemptLease> last = h.Lease("w1");
  ASSERT_OK(h.Pause(job));
  ASSERT_OK(h.Report("w1", *last, ResultOf(last->task().architecture())));
  EXPECT_FALSE(CompositionOf(h.Job(job)).probing());
  EXPECT_FALSE(h.Lease("w1").has_value());
  ASSERT_OK(h.Resume(job));
  EXPECT_EQ(RunTrials(&h, 100), 20);
}

TEST_P(AutoSpaceTest, CancelledWhileItProbes) {
  Harness h(GetParam());
  h.Register("w1");
  const int64_t job = h.Submit(LatencyJob(25, 0.4));
  ASSERT_EQ(RunTrials(&h, 2), 2);
  ASSERT_OK(h.Cancel(job));
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_CANCELLED);
  h.Tick();  // outlines what has ended
  h.Restart();
  EXPECT_TRUE(CompositionOf(h.Job(job)).probing());
}

TEST_P(AutoSpaceTest, ASmallBudgetHasNoRoomForProbes) {
  Harness h(GetParam());
  h.Register("w1");
  const int64_t job = h.Submit(LatencyJob(7, 0.4));
  const v1::Composition composition = CompositionOf(h.Job(job));
  EXPECT_FALSE(composition.probing());
  EXPECT_THAT(composition.DebugString(), HasSubstr("latency_ms <= 0.4 is not fitted"));
  EXPECT_EQ(RunTrials(&h, 100), 7);
  const int64_t some = h.Submit(LatencyJob(12, 0.4));
  EXPECT_EQ(h.Job(some).space_size(), "3") << "a quarter of the budget";
}

TEST_P(AutoSpaceTest, AProbeThatABudgetCancelledIsLeftOutOnceThereIsMore) {
  Harness h(GetParam());
  h.Register("w1", "i1", 8);
  v1::JobSpec spec = LatencyJob(25, 0.4);
  spec.mutable_budget()->set_cpu_seconds(35);  // of 10 each
  const int64_t job = h.Submit(spec);
  std::vector<v1::AttemptLease> leases;
  while (std::optional<v1::AttemptLease> lease = h.Lease("w1")) leases.push_back(*lease);
  ASSERT_EQ(leases.size(), size_t{kProbes});
  ASSERT_OK(h.GiveBack("w1", leases.back()));
  leases.pop_back();
  for (const v1::AttemptLease& lease : leases) {
    ASSERT_OK(h.Report("w1", lease, ResultOf(lease.task().architecture())));
  }
  ASSERT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED);
  ASSERT_EQ(h.Job(job).trials_cancelled(), 1);
  v1::UpdateJobRequest update;
  update.set_request_id("more");
  update.set_job_id(job);
  update.mutable_budget()->set_trials(25);
  ASSERT_OK(h.core().UpdateJob(update));
  EXPECT_FALSE(CompositionOf(h.Job(job)).probing());
  EXPECT_GT(RunTrials(&h, 30), 10);
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED);
}

TEST_P(AutoSpaceTest, MemoryIsFittedToo) {
  Harness h(GetParam());
  h.Register("w1");
  v1::JobSpec spec = AutoJob(40);
  spec.mutable_limits()->set_memory_bytes(int64_t{24} << 20);
  spec.mutable_search_space()->mutable_auto_()->set_probes(6);
  const int64_t job = h.Submit(spec);
  EXPECT_EQ(h.Job(job).space_size(), "6");
  EXPECT_EQ(RunTrials(&h, 100), 40);
  EXPECT_THAT(CompositionOf(h.Job(job)).DebugString(), HasSubstr("memory_bytes"));
  int met = 0;
  for (const v1::Trial& trial : h.Trials(job)) {
    const int64_t peak = trial.result().engine().peak_memory_bytes();
    if (trial.number() > 6 && peak <= int64_t{24} << 20) ++met;
  }
  EXPECT_GE(met, 31) << "of 34";
}

TEST_P(AutoSpaceTest, HyperparametersAreSearchedOnceThereIsASpace) {
  Harness h(GetParam());
  h.Register("w1");
  v1::JobSpec spec = LatencyJob(30, 0.4);
  v1::Hyperparameter* rate = spec.mutable_search_space()->add_hyperparameters();
  rate->set_name("learning_rate");
  rate->mutable_categorical()->add_values("0.01");
  rate->mutable_categorical()->add_values("0.02");
  const int64_t job = h.Submit(spec);
  EXPECT_EQ(RunTrials(&h, 100), 30);
  for (const v1::Trial& trial : h.Trials(job)) {
    EXPECT_EQ(trial.hyperparameters_size(), trial.number() <= kProbes ? 0 : 1);
  }
}

TEST_P(AutoSpaceTest, AComposedSpaceCanBeExtended) {
  Harness h(GetParam());
  h.Register("w1");
  const int64_t job = h.Submit(LatencyJob(30, 0.4));
  const auto add_width = [](v1::SearchSpace* space) {
    space->mutable_auto_()->mutable_composition()->mutable_space()->mutable_stages(0)->add_widths(
        40);
  };
  EXPECT_THAT(h.Extend(job, [](v1::SearchSpace*) {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("only probes")));
  ASSERT_EQ(RunTrials(&h, 10), 10);
  ASSERT_OK_AND_ASSIGN(const v1::Job extended, h.Extend(job, add_width));
  EXPECT_EQ(extended.spec().search_space().version(), 2);
  EXPECT_EQ(CompositionOf(extended).version(), 1);
  h.Tick();  // outlines what has ended
  h.Restart();
  EXPECT_EQ(RunTrials(&h, 100), 20);
}

TEST(AutoSpaceSubmitTest, TakesACompositionAsItIs) {
  Harness h;
  h.Register("w1");
  v1::JobSpec spec = LatencyJob(40, 0.4);
  v1::Composition* given = spec.mutable_search_space()->mutable_auto_()->mutable_composition();
  *given->mutable_space() = frontier::testing::FiveByFiveSpace().staged();
  given->add_reasons("as it was in job 3");
  given->set_version(7);
  const int64_t job = h.Submit(spec);
  EXPECT_EQ(h.Job(job).space_size(), "25");
  EXPECT_EQ(CompositionOf(h.Job(job)).reasons(0), "as it was in job 3");
  EXPECT_EQ(CompositionOf(h.Job(job)).version(), 0);
  given->set_probing(true);
  EXPECT_THAT(h.TrySubmit(spec), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("spec.search_space.auto.composition.probing")));
}

TEST(AutoSpaceSubmitTest, NamesWhatIsWrong) {
  Harness h;
  v1::JobSpec spec = AutoJob(20);
  AddLimit(v1::METRIC_PARAMETERS, 50, &spec);
  EXPECT_THAT(h.TrySubmit(spec),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("spec.constraints[0].bound"), HasSubstr("the least is"))));
  spec = LatencyJob(25, 1);
  spec.mutable_search_space()->mutable_auto_()->set_probes(33);
  EXPECT_THAT(h.TrySubmit(spec), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("spec.search_space.auto.probes")));
  // The user's strategy is looked at before probes run.
  spec = LatencyJob(25, 1);
  spec.mutable_strategy()->clear_kind();
  EXPECT_THAT(h.TrySubmit(spec),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("spec.strategy.kind")));
}

TEST(AutoSpaceSubmitTest, ValidationAloneTellsTheSpace) {
  Harness h;
  h.Register("w1");
  v1::SubmitJobRequest request;
  request.set_protocol_version(kProtocolVersion);
  request.set_validate_only(true);
  *request.mutable_spec() = AutoJob(20);
  // As the worker has it.
  request.mutable_spec()->mutable_dataset()->clear_train_samples();
  request.mutable_spec()->mutable_dataset()->clear_input();
  request.mutable_spec()->mutable_dataset()->clear_classes();
  ASSERT_OK_AND_ASSIGN(const v1::SubmitJobResponse response, h.core().SubmitJob(request));
  EXPECT_EQ(CompositionOf(response.job()).train_samples(), 50000);
  EXPECT_GT(CompositionOf(response.job()).reasons_size(), 2);
}

}  // namespace
}  // namespace frontier::coordinator
