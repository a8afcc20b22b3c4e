// Hyperparameters through the core: what is refused, what trials are trained by, what is shown.
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

v1::Hyperparameter* Add(v1::JobSpec* spec, const std::string& name,
                        const std::vector<std::string>& values) {
  v1::Hyperparameter* hyperparameter = spec->mutable_search_space()->add_hyperparameters();
  hyperparameter->set_name(name);
  for (const std::string& value : values) {
    hyperparameter->mutable_categorical()->add_values(value);
  }
  return hyperparameter;
}

void OnlyIf(v1::Hyperparameter* hyperparameter, const std::string& other,
            const std::string& value) {
  v1::ChoiceCondition* condition = hyperparameter->add_only_if();
  condition->set_choice(other);
  condition->add_options(value);
}

v1::JobSpec TunedJob(int64_t trials) {
  v1::JobSpec spec = SmallJob(trials);
  Add(&spec, "learning_rate", {"0.05", "0.1"});
  Add(&spec, "optimizer", {"nesterov", "adamw"});
  OnlyIf(Add(&spec, "beta2", {"0.99", "0.999"}), "optimizer", "adamw");
  return spec;
}

TEST(HyperparameterTrials, EachIsTrainedByItsOwn) {
  for (const StoreKind kind : {StoreKind::kMemory, StoreKind::kSqlite}) {
    Harness h(kind);
    h.Register("w1", "i1", 40);
    const int64_t job = h.Submit(TunedJob(40));
    EXPECT_EQ(h.Job(job).space_size(), "150");  // 25 * 2 * (1 + 2)
    std::set<std::string> recipes;
    for (int64_t number = 1; number <= 40; ++number) {
      if (number == 20) h.Restart();
      const auto lease = h.Lease("w1");
      ASSERT_TRUE(lease.has_value());
      const v1::TrainingRecipe& recipe = lease->task().training();
      const v1::Trial trial = h.Trial(job, number);
      EXPECT_EQ(trial.training().SerializeAsString(), recipe.SerializeAsString());
      EXPECT_EQ(trial.training().epochs(), 3);
      std::map<std::string, std::string> values;
      for (const v1::HyperparameterValue& value : trial.hyperparameters()) {
        values[value.name()] = value.value();
      }
      EXPECT_EQ(values["learning_rate"], recipe.learning_rate() == 0.1 ? "0.1" : "0.05");
      EXPECT_EQ(values.count("beta2"), recipe.optimizer() == v1::OPTIMIZER_ADAMW ? 1u : 0u);
      EXPECT_THAT(trial.summary(), HasSubstr("learning_rate " + values["learning_rate"]));
      recipes.insert(recipe.SerializeAsString());
      // What a user is shown, and runs again, is what the worker got.
      v1::GetTrialRequest request;
      request.set_job_id(job);
      request.set_trial(number);
      ASSERT_OK_AND_ASSIGN(const v1::GetTrialResponse shown, h.core().GetTrial(request));
      v1::TrialTask leased = lease->task();
      leased.mutable_key()->clear_attempt();
      EXPECT_EQ(shown.task().SerializeAsString(), leased.SerializeAsString());
    }
    EXPECT_EQ(recipes.size(), 6u);
  }
}

TEST(HyperparameterTrials, OneArchitectureCountsOnceForEachRecipe) {
  v1::JobSpec spec = SmallJob(1000);
  spec.mutable_search_space()->mutable_staged()->mutable_stages(0)->clear_kernels();
  spec.mutable_search_space()->mutable_staged()->mutable_stages(0)->add_kernels(3);
  spec.mutable_search_space()->mutable_staged()->mutable_stages(0)->clear_widths();
  spec.mutable_search_space()->mutable_staged()->mutable_stages(0)->add_widths(8);
  Add(&spec, "batch_size", {"16", "32", "64"});
  Harness h;
  h.Register("w1", "i1", 10);
  const int64_t job = h.Submit(spec);
  std::set<int> batches;
  while (const auto lease = h.Lease("w1")) batches.insert(lease->task().training().batch_size());
  EXPECT_THAT(batches, ::testing::ElementsAre(16, 32, 64));
  EXPECT_EQ(h.Job(job).trials_created(), 3);
  EXPECT_EQ(h.Job(job).reason(), "space exhausted");
  EXPECT_NE(h.Trial(job, 1).canonical_hash(), h.Trial(job, 2).canonical_hash());
}

TEST(HyperparameterTrials, WithoutThemNothingIsStoredWithTheTrial) {
  Harness h;
  h.Register("w1");
  const int64_t job = h.Submit(SmallJob(1));
  ASSERT_TRUE(h.Lease("w1").has_value());
  EXPECT_FALSE(h.Trial(job, 1).has_training());
  EXPECT_THAT(h.Trial(job, 1).hyperparameters(), ::testing::IsEmpty());
}

TEST(HyperparameterTrials, EpochsAreJudgedByTheTrialsOwnRecipe) {
  v1::JobSpec spec = SmallJob(10);
  Add(&spec, "epochs", {"2", "5"});
  Harness h;
  h.Register("w1");
  const int64_t job = h.Submit(spec);
  for (int64_t number = 1; number <= 6; ++number) {
    const auto lease = h.Lease("w1");
    ASSERT_TRUE(lease.has_value());
    const bool fits = lease->task().training().epochs() == 5;
    // Three epochs, which is more than two.
    ASSERT_OK(h.Report("w1", *lease, MakeResult(0.5, 1)));
    const v1::Trial trial = h.Trial(job, number);
    EXPECT_EQ(trial.state() == v1::TRIAL_STATE_SUCCEEDED, fits) << trial.ShortDebugString();
    if (!fits) {
      EXPECT_THAT(trial.attempts(0).failure().message(), HasSubstr("3 epochs of 2"));
      break;
    }
  }
}

TEST(HyperparameterTrials, ValuesThatMakeNoRecipeAreNamedAndNothingIsStored) {
  struct Bad {
    std::function<void(v1::JobSpec*)> spoil;
    std::string field;
    std::string problem;
  };
  const std::vector<Bad> bad = {
      {[](v1::JobSpec* s) {
         Add(s, "learning_rate", {"0.1", "0"});
       },
       "hyperparameters[0]",
       "learning_rate must be above 0 and at most 1000, is 0 (at learning_rate 0)"},
      {[](v1::JobSpec* s) {
         Add(s, "momentum", {"0.9", "1"});
       },
       "hyperparameters[0]", "is 1"},
      {[](v1::JobSpec* s) { Add(s, "beta2", {"0.99"}); }, "hyperparameters[0]",
       "beta2 is for adamw alone"},
      {[](v1::JobSpec* s) {
         Add(s, "optimizer", {"nesterov", "adamw"});
         OnlyIf(Add(s, "beta2", {"0.99", "2"}), "optimizer", "adamw");
       },
       "hyperparameters[1]", "is 2"},
      {[](v1::JobSpec* s) {
         s->mutable_training()->set_warmup_epochs(3);
         Add(s, "epochs", {"3", "2"});
       },
       "hyperparameters", "at epochs 2: training.warmup_epochs: must be 0 to 2, is 3"},
      {[](v1::JobSpec* s) {
         Add(s, "schedule", {"cosine", "step"});
       },
       "hyperparameters", "at schedule step: training.step_epochs"},
      {[](v1::JobSpec* s) {
         Add(s, "batch_size", {"32", "60001"});
       },
       "hyperparameters[0]", "is 60001, but there are"},
      {[](v1::JobSpec* s) {
         for (const char* name : {"learning_rate", "weight_decay", "mixup_alpha"}) {
           v1::Hyperparameter* h = s->mutable_search_space()->add_hyperparameters();
           h->set_name(name);
           h->mutable_linear()->set_low(0.001);
           h->mutable_linear()->set_high(1.5);
           h->mutable_linear()->set_steps(1000);
         }
       },
       "hyperparameters[1]", "weight_decay must be 0 to 1, is 1.0"},
      {[](v1::JobSpec* s) { s->mutable_search_space()->set_version(-1); }, "version", "is -1"},
      {[](v1::JobSpec* s) { Add(s, "speed", {"1"}); }, "hyperparameters[0].name", "'speed'"},
  };
  Harness h;
  h.Register("w1");
  const int64_t commits = h.memory().commits();
  for (const Bad& each : bad) {
    v1::JobSpec spec = SmallJob(5);
    each.spoil(&spec);
    const absl::Status status = h.TrySubmit(spec).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(each.problem)));
    ASSERT_TRUE(GetErrorDetail(status).has_value()) << each.problem;
    EXPECT_EQ(GetErrorDetail(status)->field(), "spec.search_space." + each.field);
  }
  EXPECT_EQ(h.memory().commits(), commits);
}

TEST(HyperparameterTrials, ABaseMayServeSeveralSchedules) {
  v1::JobSpec spec = SmallJob(50);
  spec.mutable_training()->set_schedule(v1::SCHEDULE_STEP);
  spec.mutable_training()->set_step_epochs(1);
  Add(&spec, "schedule", {"cosine", "step"});
  Harness h;
  h.Register("w1", "i1", 50);
  h.Submit(spec);
  while (const auto lease = h.Lease("w1")) {
    const v1::TrainingRecipe& recipe = lease->task().training();
    EXPECT_EQ(recipe.step_epochs(), recipe.schedule() == v1::SCHEDULE_STEP ? 1 : 0);
  }
}

}  // namespace
}  // namespace frontier::coordinator
