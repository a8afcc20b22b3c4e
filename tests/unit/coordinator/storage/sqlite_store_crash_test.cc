// Kills a process in the middle of its commits and opens what it left.
#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "coordinator/storage/sqlite/sqlite_store.h"
#include "gtest/gtest.h"
#include "tests/support/records.h"
#include "tests/support/seed.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier::coordinator {
namespace {

using frontier::testing::MakeEvent;
using frontier::testing::MakeJobRecord;
using frontier::testing::MakeLease;
using frontier::testing::MakeTrial;

absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& path) {
  SqliteStoreOptions options;
  options.path = path;
  return OpenSqliteStore(options);
}

// Commits trial after trial of job 1 for ever, and says so on `pipe` after each.
[[noreturn]] void CommitForEver(const std::string& path, int64_t first, int pipe) {
  absl::StatusOr<std::unique_ptr<Store>> store = Open(path);
  if (!store.ok()) _exit(1);
  for (int64_t number = first;; ++number) {
    v1::Change change;
    *change.add_jobs() = MakeJobRecord(1);
    change.mutable_jobs(0)->mutable_job()->set_trials_created(number);
    *change.add_trials() = MakeTrial(1, number);
    *change.add_leases() = MakeLease(1, number, 1, number);
    if (number > 1) *change.add_ended_leases() = MakeLease(1, number - 1, 1, number - 1).key();
    *change.add_events() = MakeEvent(1, number, v1::EVENT_KIND_TRIAL_PROPOSED);
    change.set_next_lease_token(number + 1);
    if (!(*store)->Commit(&change).ok()) _exit(2);
    if (write(pipe, &number, sizeof(number)) != sizeof(number)) _exit(3);
  }
}

TEST(SqliteStoreCrashTest, AKilledProcessLosesNothingAndLeavesNothingHalfDone) {
  const uint64_t seed = frontier::testing::DrawSeed();
  Rng rng(seed);
  frontier::testing::TempFolder folder;
  const std::string path = folder.File("frontier.db");
  int64_t stored = 0;
  for (int round = 0; round < 12; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) CommitForEver(path, stored + 1, ends[1]);
    close(ends[1]);
    // Killed while it works on the commit after the last acknowledged one, at any point of it.
    int64_t acknowledged = stored;
    const uint64_t commits = 1 + rng.Uniform(8);
    for (uint64_t i = 0; i < commits; ++i) {
      ASSERT_EQ(read(ends[0], &acknowledged, sizeof(acknowledged)),
                static_cast<ssize_t>(sizeof(acknowledged)));
    }
    for (volatile uint64_t spin = rng.Uniform(500'000); spin > 0;) spin = spin - 1;
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "exit code " << WEXITSTATUS(status);
    int64_t late = 0;
    while (read(ends[0], &late, sizeof(late)) == static_cast<ssize_t>(sizeof(late))) {
      acknowledged = late;
    }
    close(ends[0]);

    ASSERT_OK_AND_ASSIGN(std::unique_ptr<Store> store, Open(path));
    ASSERT_OK_AND_ASSIGN(const v1::JobRecord job, store->GetJob(1));
    stored = job.job().trials_created();
    EXPECT_GE(stored, acknowledged);
    EXPECT_LE(stored, acknowledged + 1);  // committed, but killed before it could say so
    ASSERT_OK_AND_ASSIGN(const auto trials, store->ListTrials(1, 0, v1::TRIAL_STATE_UNSPECIFIED,
                                                              100'000, TrialParts::kAll));
    EXPECT_EQ(static_cast<int64_t>(trials.size()), stored);
    EXPECT_EQ(store->LastEventSequence().value(), stored);
    EXPECT_EQ(store->NextLeaseToken().value(), stored + 1);
    ASSERT_OK_AND_ASSIGN(const auto leases, store->LoadLeases());
    ASSERT_EQ(leases.size(), 1u);
    EXPECT_EQ(leases[0].key().trial(), stored);
  }
}

TEST(SqliteStoreCrashTest, AnUncommittedTransactionIsGone) {
  frontier::testing::TempFolder folder;
  const std::string path = folder.File("frontier.db");
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<Store> store, Open(path));
    v1::Change change;
    *change.add_jobs() = MakeJobRecord(1);
    ASSERT_OK(store->Commit(&change));
  }
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    SQLite::Database database(path, SQLite::OPEN_READWRITE);
    // A cache this small spills pages of the open transaction into the log.
    database.exec("PRAGMA cache_size = 2; BEGIN IMMEDIATE; UPDATE jobs SET name = 'lost'");
    for (int i = 0; i < 500; ++i) {
      database.exec(
          absl::StrCat("INSERT INTO requests VALUES ('", i, "', 'm', 'c', randomblob(4000), 1)"));
    }
    raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));

  ASSERT_OK_AND_ASSIGN(std::unique_ptr<Store> store, Open(path));
  EXPECT_EQ(store->GetJob(1).value().job().spec().name(), "job-1");
  EXPECT_FALSE(store->FindRequest("0").value().has_value());
  SQLite::Database shell(path, SQLite::OPEN_READONLY);
  EXPECT_EQ(shell.execAndGet("SELECT name FROM jobs").getString(), "job-1");
  EXPECT_EQ(shell.execAndGet("PRAGMA integrity_check").getString(), "ok");
}

}  // namespace
}  // namespace frontier::coordinator
