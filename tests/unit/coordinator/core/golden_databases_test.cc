// Databases that earlier versions left are opened, migrated and gone on with. Each has a job that
// was complete and one with two running trials; tests/golden/databases holds them as SQL.
#include <SQLiteCpp/SQLiteCpp.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "coordinator/core/dispatcher.h"
#include "coordinator/storage/sqlite/schema.h"
#include "coordinator/storage/sqlite/sqlite_store.h"
#include "gtest/gtest.h"
#include "tests/support/direct_journal.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::MakeReport;
using ::frontier::testing::MakeResult;

class GoldenDatabasesTest : public ::testing::TestWithParam<int> {};

TEST_P(GoldenDatabasesTest, GoOn) {
  const frontier::testing::TempFolder folder;
  SqliteStoreOptions options;
  options.path = folder.File("frontier.db");
  const absl::StatusOr<std::string> statements =
      ReadFile(absl::StrCat(FRONTIER_GOLDEN_DATABASES, "/schema_", GetParam(), ".sql"));
  ASSERT_OK(statements);
  SQLite::Database(options.path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec(*statements);

  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenSqliteStore(options));
  EXPECT_EQ(SQLite::Database(options.path).execAndGet("PRAGMA user_version").getInt64(),
            SchemaVersion());
  EXPECT_EQ(SQLite::Database(options.path).execAndGet("PRAGMA integrity_check").getString(), "ok");
  const v1::JobRecord done = store->GetJob(1).value();
  EXPECT_EQ(done.job().spec().name(), "kept from an earlier release");
  EXPECT_EQ(done.job().state(), v1::JOB_STATE_COMPLETED);
  const auto trials =
      store->ListTrials(1, 0, v1::TRIAL_STATE_SUCCEEDED, 100, TrialParts::kAll).value();
  ASSERT_EQ(trials.size(), 3u);
  for (const v1::Trial& trial : trials) EXPECT_GT(trial.architecture().nodes_size(), 3);

  frontier::testing::DirectJournal journal(store.get());
  frontier::testing::MemoryBlobStore blobs;
  frontier::testing::FakeClock clock;
  ASSERT_OK_AND_ASSIGN(
      const std::unique_ptr<Dispatcher> dispatcher,
      CreateDispatcher(DispatcherOptions(), store.get(), &journal, &blobs, &clock));
  const int64_t before = store->GetJob(2)->job().trials_succeeded();
  const auto leases = store->LoadLeases().value();
  ASSERT_EQ(leases.size(), 2u);
  for (const v1::LeaseRecord& lease : leases) {
    v1::AttemptLease held;
    *held.mutable_task()->mutable_key() = lease.key();
    held.set_token(lease.token());
    v1::TrialResult result = MakeResult(0.5, 1);
    result.mutable_epochs()->DeleteSubrange(1, result.epochs_size() - 1);
    const auto reported = dispatcher->Report(
        MakeReport(absl::StrCat("report-", lease.token()), lease.worker_id(), held, result));
    ASSERT_OK(reported);
    EXPECT_EQ(reported->trial_state(), v1::TRIAL_STATE_SUCCEEDED);
  }
  EXPECT_EQ(store->GetJob(2)->job().trials_succeeded(), before + 2);
  EXPECT_EQ(store->GetJob(2)->job().spec().name(), "still running since an earlier release");
}

// One for each version, the newest included: it is what the next will find.
INSTANTIATE_TEST_SUITE_P(Versions, GoldenDatabasesTest,
                         ::testing::Range(1, static_cast<int>(SchemaVersion()) + 1));

}  // namespace
}  // namespace frontier::coordinator
