// The power goes at every step of the disk: nothing acknowledged is lost, nothing is half done.
#include <iostream>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "coordinator/storage/sqlite/sqlite_store.h"
#include "gtest/gtest.h"
#include "tests/support/records.h"
#include "tests/support/seed.h"
#include "tests/support/simulated_disk.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier::coordinator {
namespace {

using frontier::testing::MakeEvent;
using frontier::testing::MakeJobRecord;
using frontier::testing::MakeTrial;
using frontier::testing::SimulatedDisk;

class PowerCutTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Store>> Open(SimulatedDisk* disk) {
    SqliteStoreOptions options;
    options.path = folder_.File("frontier.db");
    options.vfs = disk->vfs();
    return OpenSqliteStore(options);
  }

  // Commits trials until the power goes, or `commits`; how many were acknowledged. Each is a row of
  // some pages.
  int64_t Work(SimulatedDisk* disk, int commits, size_t bytes) {
    const absl::StatusOr<std::unique_ptr<Store>> store = Open(disk);
    if (!store.ok()) return 0;
    for (int64_t number = 1; number <= commits; ++number) {
      v1::Change change;
      *change.add_jobs() = MakeJobRecord(1);
      change.mutable_jobs(0)->mutable_job()->set_trials_created(number);
      *change.add_trials() = MakeTrial(1, number);
      change.mutable_trials(0)->set_summary(std::string(bytes, 'x'));
      *change.add_events() = MakeEvent(1, number, v1::EVENT_KIND_TRIAL_PROPOSED);
      if (!(*store)->Commit(&change).ok()) return number - 1;
    }
    return commits;
  }

  void ExpectAllThere(SimulatedDisk* disk, int64_t acknowledged) {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, Open(disk));
    const absl::StatusOr<v1::JobRecord> job = store->GetJob(1);
    if (acknowledged == 0 && absl::IsNotFound(job.status())) return;
    ASSERT_OK(job);
    const int64_t stored = job->job().trials_created();
    EXPECT_GE(stored, acknowledged);
    EXPECT_LE(stored, acknowledged + 1);
    ASSERT_OK_AND_ASSIGN(const auto trials, store->ListTrials(1, 0, v1::TRIAL_STATE_UNSPECIFIED,
                                                              100'000, TrialParts::kAll));
    EXPECT_EQ(static_cast<int64_t>(trials.size()), stored);
    EXPECT_EQ(store->LastEventSequence().value(), stored);
    // And it goes on from there.
    v1::Change change;
    *change.add_trials() = MakeTrial(1, stored + 1);
    EXPECT_OK(store->Commit(&change));
  }

  enum class Left { kSynced, kSome, kAll };

  void CutAt(int64_t step, int commits, size_t bytes, Left left, Rng* rng) {
    SimulatedDisk disk;
    disk.PowerOffAt(step);
    const int64_t acknowledged = Work(&disk, commits, bytes);
    switch (left) {
      case Left::kSynced:
        disk.PowerOnWithSynced();
        break;
      case Left::kSome:
        disk.PowerOnWithSome(rng);
        break;
      case Left::kAll:
        disk.PowerOnWithAll();
        break;
    }
    ExpectAllThere(&disk, acknowledged);
  }

  int64_t StepsOf(int commits, size_t bytes) {
    SimulatedDisk disk;
    EXPECT_EQ(Work(&disk, commits, bytes), commits);
    return disk.steps();
  }

  frontier::testing::TempFolder folder_;
};

TEST_F(PowerCutTest, AtEveryStepOfSomeCommits) {
  const uint64_t seed = frontier::testing::DrawSeed();
  Rng rng(seed);
  constexpr int kCommits = 6;
  const int64_t steps = StepsOf(kCommits, 10);
  for (int64_t step = 0; step < steps; ++step) {
    for (const Left left : {Left::kSynced, Left::kSome, Left::kAll}) {
      SCOPED_TRACE(absl::StrCat("step ", step, " left ", static_cast<int>(left)));
      CutAt(step, kCommits, 10, left, &rng);
      if (HasFailure()) return;
    }
  }
  std::cout << steps << " moments of " << kCommits << " commits, with all, some and none left of "
            << "what was not synced\n";
}

// The log is written back to the database every thousand pages.
TEST_F(PowerCutTest, AtStepsAroundACheckpoint) {
  const uint64_t seed = frontier::testing::DrawSeed();
  Rng rng(seed);
  constexpr int kCommits = 6;
  constexpr size_t kBytes = 900'000;
  const int64_t steps = StepsOf(kCommits, kBytes);
  ASSERT_GT(steps, 2000);
  for (int i = 0; i < 60; ++i) {
    const auto step = static_cast<int64_t>(rng.Uniform(static_cast<uint64_t>(steps)));
    SCOPED_TRACE(absl::StrCat("step ", step));
    CutAt(step, kCommits, kBytes, i % 2 == 0 ? Left::kSynced : Left::kSome, &rng);
    if (HasFailure()) return;
  }
}

TEST_F(PowerCutTest, AFailedSyncFailsItsCommitAlone) {
  SimulatedDisk disk;
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, Open(&disk));
    v1::Change job;
    *job.add_jobs() = MakeJobRecord(1);
    ASSERT_OK(store->Commit(&job));
    disk.FailSyncs(1);
    v1::Change lost;
    *lost.add_trials() = MakeTrial(1, 1);
    EXPECT_FALSE(store->Commit(&lost).ok());
    EXPECT_EQ(store->GetTrial(1, 1).status().code(), absl::StatusCode::kNotFound);
    disk.SetFull(true);
    const absl::Status full = store->Commit(&lost);
    EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted) << full;
    EXPECT_OK(store->GetJob(1));  // readable all the same
    disk.SetFull(false);
    v1::Change kept;
    *kept.add_trials() = MakeTrial(1, 2);
    ASSERT_OK(store->Commit(&kept));
    disk.PowerOff();
  }
  disk.PowerOnWithSynced();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, Open(&disk));
  EXPECT_OK(store->GetTrial(1, 2));
  EXPECT_FALSE(store->GetTrial(1, 1).ok());
}

}  // namespace
}  // namespace frontier::coordinator
