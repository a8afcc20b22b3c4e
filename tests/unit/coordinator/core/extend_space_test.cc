// Options added to the space of a job while it runs.
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

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
using ::frontier::testing::StoreKind;
using ::testing::HasSubstr;

void AddKernels(v1::SearchSpace* space) {
  space->mutable_staged()->mutable_stages(0)->add_kernels(11);
  space->mutable_staged()->mutable_stages(0)->add_kernels(13);
}

// Leases and reports trials until there are none; their architectures by number.
std::map<int64_t, std::string> RunAll(Harness* h) {
  std::map<int64_t, std::string> hashes;
  while (const auto lease = h->Lease("w1")) {
    const auto& key = lease->task().key();
    hashes[key.trial()] = h->Trial(key.job_id(), key.trial()).canonical_hash();
    EXPECT_OK(h->Report("w1", *lease, MakeResult(0.5 + 0.001 * key.trial(), key.trial())));
  }
  return hashes;
}

class ExtendSpaceTest : public ::testing::TestWithParam<StoreKind> {};

TEST_P(ExtendSpaceTest, NewOptionsAreProposedAndHistoryStays) {
  Harness h(GetParam());
  h.Register("w1");
  const int64_t job = h.Submit(SmallJob(100));
  std::vector<std::string> before;
  for (int i = 1; i <= 10; ++i) {
    const auto lease = h.Lease("w1");
    ASSERT_TRUE(lease.has_value());
    ASSERT_OK(h.Report("w1", *lease, MakeResult(0.5, i)));
    before.push_back(h.Trial(job, i).SerializeAsString());
  }
  ASSERT_OK_AND_ASSIGN(const v1::Job extended, h.Extend(job, AddKernels));
  EXPECT_EQ(extended.spec().search_space().version(), 1);
  EXPECT_EQ(extended.space_size(), "35");
  for (int i = 1; i <= 10; ++i) EXPECT_EQ(h.Trial(job, i).SerializeAsString(), before[i - 1]);
  h.Restart();
  EXPECT_EQ(h.Job(job).spec().search_space().version(), 1);
  EXPECT_EQ(h.Job(job).space_size(), "35");
  RunAll(&h);
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED);
  std::set<std::string> hashes;
  std::set<int> kernels;
  for (const v1::Trial& trial : h.Trials(job)) {
    hashes.insert(trial.canonical_hash());
    kernels.insert(
        h.Trial(job, trial.number()).architecture().nodes(4).convolution().kernel_width());
    EXPECT_EQ(trial.space_version(), trial.number() <= 10 ? 0 : 1);
  }
  EXPECT_EQ(hashes.size(), 35u) << "everything once";
  EXPECT_THAT(kernels, ::testing::IsSupersetOf({11, 13}));
}

TEST_P(ExtendSpaceTest, ARestartBetweenChangesNothing) {
  std::vector<std::map<int64_t, std::string>> runs;
  for (const bool restart : {false, true}) {
    Harness h(GetParam());
    h.Register("w1");
    v1::JobSpec spec = SmallJob(30);
    spec.mutable_strategy()->mutable_evolution()->set_population_size(6);
    const int64_t job = h.Submit(spec);
    for (int i = 1; i <= 12; ++i) {
      ASSERT_OK(h.Report("w1", *h.Lease("w1"), MakeResult(0.5 + 0.01 * i, i)));
    }
    ASSERT_OK(h.Extend(job, AddKernels));
    if (restart) h.Restart();
    runs.push_back(RunAll(&h));
  }
  EXPECT_EQ(runs[0], runs[1]);
}

TEST_P(ExtendSpaceTest, AJobThatDrainsForWantOfSpaceGoesOn) {
  Harness h(GetParam());
  h.Register("w1", "i1", 2);
  v1::JobSpec spec = SmallJob(100);
  spec.mutable_search_space()->mutable_staged()->mutable_stages(0)->clear_widths();
  spec.mutable_search_space()->mutable_staged()->mutable_stages(0)->add_widths(8);
  const int64_t job = h.Submit(spec);
  const auto held = h.Lease("w1");
  for (int i = 2; i <= 5; ++i) ASSERT_OK(h.Report("w1", *h.Lease("w1"), MakeResult(0.5, i)));
  EXPECT_FALSE(h.Lease("w1").has_value());
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_DRAINING);
  ASSERT_OK_AND_ASSIGN(const v1::Job extended, h.Extend(job, AddKernels));
  EXPECT_EQ(extended.state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(extended.reason(), "");
  EXPECT_EQ(RunAll(&h).size(), 2u);
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_DRAINING);
  ASSERT_OK(h.Report("w1", *held, MakeResult(0.5, 1)));
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED);
  EXPECT_THAT(h.Extend(job, AddKernels).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("has ended: completed")));
}

TEST_P(ExtendSpaceTest, TheLogTellsWhatIsNew) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(5));
  ASSERT_OK(h.Extend(job, AddKernels));
  ASSERT_OK_AND_ASSIGN(const std::vector<v1::Event> events, h.store().ListEvents(job, 0, 10));
  EXPECT_EQ(events.back().kind(), v1::EVENT_KIND_SPACE_EXTENDED);
  EXPECT_EQ(events.back().message(),
            "space extended: version 1, stage1.kernel gains 11, 13, 35 genotypes");
}

TEST_P(ExtendSpaceTest, RepeatsGetTheStoredAnswerAndOldVersionsNone) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(5));
  v1::ExtendSpaceRequest request;
  request.set_request_id("extend");
  request.set_job_id(job);
  *request.mutable_search_space() = h.Job(job).spec().search_space();
  AddKernels(request.mutable_search_space());
  ASSERT_OK_AND_ASSIGN(const v1::ExtendSpaceResponse first, h.core().ExtendSpace(request));
  h.Restart();
  ASSERT_OK_AND_ASSIGN(const v1::ExtendSpaceResponse second, h.core().ExtendSpace(request));
  EXPECT_EQ(first.SerializeAsString(), second.SerializeAsString());
  EXPECT_EQ(h.Job(job).spec().search_space().version(), 1);
  v1::ExtendSpaceRequest other = request;
  other.mutable_search_space()->mutable_staged()->add_stem_widths(99);
  EXPECT_THAT(h.core().ExtendSpace(other),
              StatusIs(absl::StatusCode::kAlreadyExists, ::testing::_));
  other.set_request_id("other");
  EXPECT_THAT(h.core().ExtendSpace(other),
              StatusIs(absl::StatusCode::kAborted,
                       HasSubstr("job 1 has version 1 of its space by now, not 0")));
  other.set_job_id(77);
  EXPECT_THAT(h.core().ExtendSpace(other), StatusIs(absl::StatusCode::kNotFound, HasSubstr("77")));
}

TEST_P(ExtendSpaceTest, AFailedCommitChangesNothing) {
  if (GetParam() != StoreKind::kMemory) GTEST_SKIP() << "faults are those of the memory store";
  Harness h(GetParam());
  h.Register("w1");
  const int64_t job = h.Submit(SmallJob(100));
  ASSERT_OK(h.Report("w1", *h.Lease("w1"), MakeResult(0.5, 1)));
  h.memory().FailCommits(1);
  EXPECT_FALSE(h.Extend(job, AddKernels).ok());
  EXPECT_EQ(h.Job(job).space_size(), "25");
  EXPECT_EQ(RunAll(&h).size(), 24u);
}

TEST_P(ExtendSpaceTest, WhatIsNoExtensionIsRefusedAndNothingIsStored) {
  struct Bad {
    std::function<void(v1::SearchSpace*)> change;
    std::string problem;
  };
  const std::vector<Bad> bad = {
      {[](v1::SearchSpace*) {}, "no option would be added"},
      {[](v1::SearchSpace* s) { s->clear_kind(); }, "search_space.kind"},
      {[](v1::SearchSpace* s) { s->mutable_staged()->mutable_stages(0)->set_kernels(0, 11); },
       "search_space.staged.stages[0].kernels: is not what it was"},
      {[](v1::SearchSpace* s) {
         s->mutable_staged()->mutable_stages(0)->mutable_widths()->RemoveLast();
       },
       "search_space.staged.stages[0].widths: is not what it was"},
      {[](v1::SearchSpace* s) { *s->mutable_staged()->add_stages() = s->staged().stages(0); },
       "options may be added, decisions not"},
      {[](v1::SearchSpace* s) { s->mutable_staged()->mutable_stages(0)->add_kernels(4); },
       "search_space.staged.stages[0].kernels[5]: is 4, must be odd"},
      {[](v1::SearchSpace* s) {
         v1::Hyperparameter* h = s->add_hyperparameters();
         h->set_name("momentum");
         h->mutable_categorical()->add_values("0.5");
       },
       "options may be added, decisions not"},
      {[](v1::SearchSpace* s) {
         s->mutable_hyperparameters(0)->mutable_categorical()->add_values("0");
       },
       "search_space.hyperparameters[0]: learning_rate must be above 0"},
      {[](v1::SearchSpace* s) { s->mutable_hyperparameters(0)->set_name("momentum"); },
       "search_space.hyperparameters[0].name: is not what it was"},
      {[](v1::SearchSpace* s) {
         s->mutable_hyperparameters(2)->mutable_only_if(0)->add_options("nesterov");
         s->mutable_hyperparameters(1)->mutable_categorical()->add_values("sgd");
       },
       "'training.clip_norm' would depend on other options than now"},
  };
  Harness h(GetParam());
  v1::JobSpec spec = SmallJob(5);
  const auto add = [&](const char* name, const std::vector<std::string>& values) {
    v1::Hyperparameter* hyperparameter = spec.mutable_search_space()->add_hyperparameters();
    hyperparameter->set_name(name);
    for (const std::string& value : values) {
      hyperparameter->mutable_categorical()->add_values(value);
    }
    return hyperparameter;
  };
  add("learning_rate", {"0.1"});
  add("optimizer", {"nesterov", "adamw"});
  v1::ChoiceCondition* condition = add("clip_norm", {"1", "2"})->add_only_if();
  condition->set_choice("optimizer");
  condition->add_options("adamw");
  const int64_t job = h.Submit(spec);
  for (const Bad& each : bad) {
    EXPECT_THAT(h.Extend(job, each.change).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(each.problem)));
  }
  EXPECT_EQ(h.Job(job).spec().search_space().version(), 0);
  ASSERT_OK(h.Extend(job, [](v1::SearchSpace* s) {
    s->mutable_hyperparameters(0)->mutable_categorical()->add_values("0.2");
  }));
}

TEST_P(ExtendSpaceTest, JobsThatEndByTheirBudgetNeedNoMore) {
  Harness h(GetParam());
  h.Register("w1");
  const int64_t job = h.Submit(SmallJob(1));
  const auto lease = h.Lease("w1");
  ASSERT_TRUE(lease.has_value());
  EXPECT_FALSE(h.Lease("w1").has_value());
  EXPECT_THAT(h.Extend(job, AddKernels).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("proposes nothing more (budget of 1 trials used)")));
}

TEST_P(ExtendSpaceTest, PausedJobsStayPaused) {
  Harness h(GetParam());
  const int64_t job = h.Submit(SmallJob(10));
  ASSERT_OK(h.Pause(job));
  ASSERT_OK_AND_ASSIGN(const v1::Job extended, h.Extend(job, AddKernels));
  EXPECT_EQ(extended.state(), v1::JOB_STATE_PAUSED);
}

INSTANTIATE_TEST_SUITE_P(Stores, ExtendSpaceTest,
                         ::testing::Values(StoreKind::kMemory, StoreKind::kSqlite),
                         [](const auto& instance) {
                           return instance.param == StoreKind::kMemory ? "memory" : "sqlite";
                         });

}  // namespace
}  // namespace frontier::coordinator
