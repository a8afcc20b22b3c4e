// Jobs that begin with results of an earlier one, or with architectures their user names.
#include <set>
#include <string>
#include <vector>

#include "common/base/sha256.h"
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

class WarmStartTest : public ::testing::Test {
 protected:
  WarmStartTest() { h_.Register("w1", "i1", 4); }

  // Trials end with accuracies 0.1, 0.2, .. by number, and kept weights; the second one fails.
  int64_t RunJob(const v1::JobSpec& spec) {
    const int64_t job = h_.Submit(spec);
    while (const auto lease = h_.Lease("w1")) {
      const int64_t number = lease->task().key().trial();
      if (number == 2) {
        EXPECT_OK(h_.ReportFailure("w1", *lease, v1::FAILURE_CAUSE_OUT_OF_MEMORY));
        continue;
      }
      v1::TrialResult result = MakeResult(0.1 * static_cast<double>(number), 2);
      const std::string digest = Sha256Hex(lease->task().summary());
      EXPECT_OK(h_.Upload("w1", *lease, digest));
      result.set_weights_sha256(digest);
      EXPECT_OK(h_.Report("w1", *lease, result));
    }
    return job;
  }

  Harness h_;
};

TEST_F(WarmStartTest, ResultsOfAnEarlierJobAreThere) {
  const int64_t earlier = RunJob(SmallJob(5));
  v1::JobSpec spec = SmallJob(3);
  spec.mutable_strategy()->set_seed(8);
  spec.mutable_warm_start()->set_job(earlier);
  const int64_t job = h_.Submit(spec);
  v1::Job begun = h_.Job(job);
  EXPECT_EQ(begun.trials_reused(), 4);
  EXPECT_EQ(begun.trials_succeeded(), 4);
  EXPECT_EQ(begun.front_size(), 1);
  EXPECT_EQ(begun.best_trial(), 4);
  EXPECT_EQ(begun.usage().cpu_seconds(), 0);
  const v1::Trial best = h_.Trial(job, 4);
  EXPECT_EQ(best.reused().job_id(), earlier);
  EXPECT_EQ(best.reused().trial(), 5);
  EXPECT_TRUE(best.weights_kept());
  EXPECT_FALSE(h_.Trial(job, 3).weights_kept());
  h_.Tick();  // outlines what has ended
  h_.Restart();
  h_.Register("w1", "i2", 4);
  // The budget is one of new trials, none of which repeats an old one.
  std::set<std::string> hashes;
  for (const v1::Trial& trial : h_.Trials(job)) hashes.insert(trial.canonical_hash());
  int added = 0;
  while (const auto lease = h_.Lease("w1", "i2")) {
    ++added;
    EXPECT_OK(h_.Report("w1", *lease, MakeResult(0.01, 9)));
  }
  EXPECT_EQ(added, 3);
  for (const v1::Trial& trial : h_.Trials(job)) hashes.insert(trial.canonical_hash());
  EXPECT_EQ(hashes.size(), 7u);
  EXPECT_EQ(h_.Job(job).state(), v1::JOB_STATE_COMPLETED);
  v1::ReplayJobRequest request;
  request.set_job_id(job);
  EXPECT_TRUE(h_.core().ReplayJob(request)->differences().empty());
}

TEST_F(WarmStartTest, StrategiesKnowTheResults) {
  // The first neighbours of a local search are those of the best that is known.
  const int64_t earlier = RunJob(SmallJob(9));
  v1::JobSpec spec = SmallJob(1);
  spec.mutable_strategy()->mutable_local_search()->set_initial_samples(3);
  spec.mutable_warm_start()->set_job(earlier);
  const int64_t job = h_.Submit(spec);
  const v1::AttemptLease lease = h_.Lease("w1").value();
  const v1::Trial proposed = h_.Trial(job, lease.task().key().trial());
  EXPECT_EQ(proposed.known_ends(), 8);
  ASSERT_EQ(proposed.origin().parents_size(), 1);
  EXPECT_TRUE(h_.Trial(job, proposed.origin().parents(0)).on_front());
}

TEST_F(WarmStartTest, WhatTheUserNamesIsTriedFirst) {
  const int64_t earlier = RunJob(SmallJob(6));
  v1::JobSpec spec = SmallJob(4);
  spec.mutable_strategy()->set_seed(99);
  for (const int64_t number : {3, 1}) {
    *spec.mutable_warm_start()->add_genotypes() = h_.Trial(earlier, number).genotype();
  }
  const int64_t job = h_.Submit(spec);
  std::vector<std::string> summaries;
  while (const auto lease = h_.Lease("w1")) {
    summaries.push_back(lease->task().summary());
    EXPECT_OK(h_.Report("w1", *lease, MakeResult(0.5, 1)));
  }
  ASSERT_EQ(summaries.size(), 4u);
  EXPECT_EQ(summaries[0], h_.Trial(earlier, 3).summary());
  EXPECT_EQ(summaries[1], h_.Trial(earlier, 1).summary());
  EXPECT_EQ(h_.Trial(job, 1).origin().strategy(), "warm_start");
  EXPECT_EQ(h_.Trial(job, 3).origin().strategy(), "random");
  v1::ReplayJobRequest request;
  request.set_job_id(job);
  EXPECT_TRUE(h_.core().ReplayJob(request)->differences().empty());
}

TEST_F(WarmStartTest, WhatDoesNotCompareIsRefused) {
  const int64_t earlier = RunJob(SmallJob(3));
  const auto refused = [&](const char* words, auto change) {
    v1::JobSpec spec = SmallJob(3);
    spec.mutable_warm_start()->set_job(earlier);
    change(&spec);
    EXPECT_THAT(h_.TrySubmit(spec), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words)));
  };
  refused("job 77", [](v1::JobSpec* spec) { spec->mutable_warm_start()->set_job(77); });
  refused("another recipe", [](v1::JobSpec* spec) { spec->mutable_training()->set_epochs(9); });
  refused("another data set",
          [](v1::JobSpec* spec) { spec->mutable_dataset()->set_train_samples(100); });
  refused("another space",
          [](v1::JobSpec* spec) { spec->mutable_search_space()->mutable_nasbench201(); });
  refused("warm_start.genotypes[0]",
          [](v1::JobSpec* spec) { spec->mutable_warm_start()->add_genotypes()->add_options(77); });
  refused("that of an earlier one", [&](v1::JobSpec* spec) {
    for (int i = 0; i < 2; ++i) {
      *spec->mutable_warm_start()->add_genotypes() = h_.Trial(earlier, 1).genotype();
    }
  });
  // As it is, it counts.
  v1::JobSpec spec = SmallJob(3);
  spec.mutable_warm_start()->set_job(earlier);
  EXPECT_EQ(h_.Job(h_.Submit(spec)).trials_reused(), 2);
}

}  // namespace
}  // namespace frontier::coordinator
