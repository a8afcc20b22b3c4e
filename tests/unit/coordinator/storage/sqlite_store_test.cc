// What is peculiar to SQLite; the laws of every store are in tests/contract/store.
#include "coordinator/storage/sqlite/sqlite_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status.h"
#include "coordinator/storage/sqlite/schema.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier::coordinator {
namespace {

using frontier::testing::MakeEvent;
using frontier::testing::MakeJobRecord;
using frontier::testing::MakeRequest;
using frontier::testing::MakeTrial;
using frontier::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class SqliteStoreTest : public ::testing::Test {
 protected:
  SqliteStoreTest() : path_(folder_.File("frontier.db")) {}

  absl::StatusOr<std::unique_ptr<Store>> Open(int64_t max_bytes = 0) {
    SqliteStoreOptions options;
    options.path = path_;
    options.busy_timeout = absl::Milliseconds(50);
    options.max_bytes = max_bytes;
    return OpenSqliteStore(options);
  }

  // A database with `trials` trials of job 1, closed.
  void Fill(int trials) {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<Store> store, Open());
    v1::Change change;
    *change.add_jobs() = MakeJobRecord(1);
    for (int number = 1; number <= trials; ++number) *change.add_trials() = MakeTrial(1, number);
    ASSERT_OK(store->Commit(&change));
  }

  void ExpectRefused(absl::StatusCode code, v1::ErrorReason reason, const std::string& words) {
    const absl::StatusOr<std::unique_ptr<Store>> store = Open();
    EXPECT_THAT(store.status(), StatusIs(code, AllOf(HasSubstr(path_), HasSubstr(words))));
    EXPECT_EQ(GetErrorReason(store.status()), reason);
  }

  frontier::testing::TempFolder folder_;
  const std::string path_;
};

TEST_F(SqliteStoreTest, NeedsItsFolder) {
  SqliteStoreOptions options;
  options.path = folder_.File("none/frontier.db");
  EXPECT_THAT(OpenSqliteStore(options), StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
}

TEST_F(SqliteStoreTest, SetsUpTheFile) {
  Fill(1);
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<Store> store, Open());
  SQLite::Database shell(path_, SQLite::OPEN_READONLY);
  EXPECT_EQ(shell.execAndGet("PRAGMA journal_mode").getString(), "wal");
  EXPECT_EQ(shell.execAndGet("PRAGMA application_id").getInt64(), kApplicationId);
  EXPECT_EQ(shell.execAndGet("PRAGMA user_version").getInt64(), SchemaVersion());
  EXPECT_EQ(shell.execAndGet("PRAGMA integrity_check").getString(), "ok");
  SQLite::Statement loose(shell,
                          "SELECT name FROM pragma_table_list "
                          "WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'");
  EXPECT_FALSE(loose.executeStep()) << loose.getColumn(0).getString();
}

TEST_F(SqliteStoreTest, ASecondCoordinatorIsRefused) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<Store> store, Open());
  ExpectRefused(absl::StatusCode::kUnavailable, v1::ERROR_REASON_DATABASE_LOCKED,
                absl::StrCat("in use by another coordinator (process ", getpid(), ")"));
  store.reset();
  EXPECT_OK(Open());
}

TEST_F(SqliteStoreTest, AShellMayReadMeanwhile) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<Store> store, Open());
  v1::Change change;
  *change.add_jobs() = MakeJobRecord(1);
  *change.add_trials() = MakeTrial(1, 1);
  ASSERT_OK(store->Commit(&change));

  SQLite::Database shell(path_, SQLite::OPEN_READONLY);
  shell.exec("BEGIN");
  SQLite::Statement query(shell,
                          "SELECT t.summary, m.value, m.unit, m.method FROM trials t "
                          "JOIN measurements m ON m.job_id = t.job_id AND m.trial = t.number "
                          "WHERE t.state = 'succeeded' AND m.metric = 'latency_ms'");
  ASSERT_TRUE(query.executeStep());
  EXPECT_EQ(query.getColumn(0).getString(), "stem16 | conv3x3 w1");
  EXPECT_EQ(query.getColumn(1).getDouble(), 1.5);
  EXPECT_EQ(query.getColumn(2).getString(), "ms");
  EXPECT_EQ(query.getColumn(3).getString(), "timed");

  // The shell's open transaction keeps no one from writing.
  *change.mutable_trials(0) = MakeTrial(1, 2);
  EXPECT_OK(store->Commit(&change));
  EXPECT_OK(store->GetTrial(1, 2));
}

TEST_F(SqliteStoreTest, AWriterBesideUsIsReportedAsLocked) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<Store> store, Open());
  SQLite::Database shell(path_, SQLite::OPEN_READWRITE);
  shell.exec("BEGIN IMMEDIATE");
  v1::Change change;
  *change.add_jobs() = MakeJobRecord(1);
  const absl::Status status = store->Commit(&change);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, HasSubstr(path_)));
  EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_DATABASE_LOCKED);
  shell.exec("ROLLBACK");
  EXPECT_OK(store->Commit(&change));
}

TEST_F(SqliteStoreTest, RefusesANewerSchemaAndLeavesIt) {
  Fill(1);
  SQLite::Database(path_, SQLite::OPEN_READWRITE)
      .exec(absl::StrCat("PRAGMA user_version = ", SchemaVersion() + 3).c_str());
  ExpectRefused(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_DATABASE_NEWER,
                absl::StrCat("schema version ", SchemaVersion() + 3));
  ExpectRefused(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_DATABASE_NEWER,
                absl::StrCat("up to version ", SchemaVersion()));
  SQLite::Database shell(path_, SQLite::OPEN_READONLY);
  EXPECT_EQ(shell.execAndGet("SELECT count(*) FROM trials").getInt(), 1);
}

TEST_F(SqliteStoreTest, RefusesADatabaseOfAnotherProgram) {
  {
    SQLite::Database other(path_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    other.exec("CREATE TABLE jobs (id INTEGER)");
  }
  const std::string before = ReadFile(path_).value();
  ExpectRefused(absl::StatusCode::kDataLoss, v1::ERROR_REASON_DATABASE_CORRUPT,
                "not made by Frontier");
  EXPECT_EQ(ReadFile(path_).value(), before);
}

TEST_F(SqliteStoreTest, RefusesATextFile) {
  const std::string text = "this is not a database\n";
  std::ofstream(path_) << text;
  ExpectRefused(absl::StatusCode::kDataLoss, v1::ERROR_REASON_DATABASE_CORRUPT, "not a database");
  EXPECT_EQ(ReadFile(path_).value(), text);
}

TEST_F(SqliteStoreTest, RefusesATruncatedFile) {
  Fill(300);
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) / 2);
  const std::string before = ReadFile(path_).value();
  ExpectRefused(absl::StatusCode::kDataLoss, v1::ERROR_REASON_DATABASE_CORRUPT, "malformed");
  EXPECT_EQ(ReadFile(path_).value(), before);
}

TEST_F(SqliteStoreTest, RefusesOverwrittenPages) {
  Fill(300);
  const int64_t size = static_cast<int64_t>(std::filesystem::file_size(path_));
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(size / 2);
  const std::string noise(20'000, '\x5a');
  file.write(noise.data(), static_cast<std::streamsize>(noise.size()));
  file.close();
  ExpectRefused(absl::StatusCode::kDataLoss, v1::ERROR_REASON_DATABASE_CORRUPT, "");
}

TEST_F(SqliteStoreTest, ARecordThatCannotBeParsedIsDamage) {
  Fill(1);
  SQLite::Database(path_, SQLite::OPEN_READWRITE).exec("UPDATE trials SET record = x'ffffff'");
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<Store> store, Open());
  const absl::Status status = store->GetTrial(1, 1).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path_)));
  EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_DATABASE_CORRUPT);
}

TEST_F(SqliteStoreTest, AFullDiskFailsTheCommitAndReadsGoOn) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<Store> store, Open(256 << 10));
  v1::Change change;
  *change.add_jobs() = MakeJobRecord(1);
  ASSERT_OK(store->Commit(&change));
  int64_t kept = 0;
  absl::Status status;
  for (int64_t number = 1; number <= 1000 && status.ok(); ++number) {
    v1::Change next;
    *next.add_trials() = MakeTrial(1, number);
    next.mutable_trials(0)->set_summary(std::string(2000, 's'));
    *next.add_events() = MakeEvent(1, number, v1::EVENT_KIND_TRIAL_PROPOSED);
    status = store->Commit(&next);
    if (status.ok()) kept = number;
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr(path_)));
  EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_DISK_FULL);
  EXPECT_GT(kept, 0);
  EXPECT_OK(store->GetTrial(1, kept));
  EXPECT_FALSE(store->GetTrial(1, kept + 1).ok());
  EXPECT_EQ(store->LastEventSequence().value(), kept);
  store.reset();

  // With more space the work goes on.
  ASSERT_OK_AND_ASSIGN(store, Open(1 << 20));
  v1::Change next;
  *next.add_trials() = MakeTrial(1, kept + 1);
  EXPECT_OK(store->Commit(&next));
}

// Runs as another user if the tests run as root, for whom every file is writable.
class SqliteStoreReadOnlyTest : public SqliteStoreTest {
 protected:
  void SetUp() override {
    Fill(1);
    ASSERT_EQ(chmod(folder_.path().c_str(), 0755), 0);
    if (geteuid() == 0) {
      ASSERT_EQ(seteuid(65534), 0);
      became_nobody_ = true;
    }
  }
  void TearDown() override {
    if (became_nobody_) {
      ASSERT_EQ(seteuid(0), 0);
    }
    chmod(folder_.path().c_str(), 0755);
  }
  bool became_nobody_ = false;
};

TEST_F(SqliteStoreReadOnlyTest, RefusesAFileItCannotWrite) {
  if (!became_nobody_) chmod(path_.c_str(), 0444);
  ExpectRefused(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_DATABASE_READ_ONLY,
                "read-only");
}

TEST_F(SqliteStoreReadOnlyTest, RefusesAFolderItCannotWrite) {
  // Even if the file itself may be written.
  if (became_nobody_) {
    ASSERT_EQ(seteuid(0), 0);
  }
  std::filesystem::remove(path_ + ".lock");
  chmod(path_.c_str(), 0666);
  chmod(folder_.path().c_str(), 0555);
  if (became_nobody_) {
    ASSERT_EQ(seteuid(65534), 0);
  }
  ExpectRefused(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_DATABASE_READ_ONLY,
                "read-only");
}

TEST_F(SqliteStoreTest, EveryQueryOfManyRowsUsesAnIndex) {
  Fill(1);
  SQLite::Database shell(path_, SQLite::OPEN_READONLY);
  for (const char* sql :
       {"SELECT record FROM trials WHERE job_id = 1 AND number > 5 ORDER BY number LIMIT 9",
        "SELECT record FROM trials WHERE job_id = 1 AND number > 5 AND state = 'failed' "
        "ORDER BY number LIMIT 9",
        "SELECT message FROM events WHERE job_id = 1 AND sequence > 5 ORDER BY sequence LIMIT 9",
        "SELECT record FROM jobs WHERE ended = 0 ORDER BY id",
        "DELETE FROM requests WHERE at_unix_us < 5"}) {
    SQLite::Statement plan(shell, absl::StrCat("EXPLAIN QUERY PLAN ", sql));
    while (plan.executeStep()) {
      EXPECT_THAT(plan.getColumn(3).getString(), Not(HasSubstr("TEMP B-TREE"))) << sql;
      EXPECT_THAT(plan.getColumn(3).getString(),
                  ::testing::AnyOf(HasSubstr("SEARCH"), HasSubstr("USING INDEX jobs_live")))
          << sql;
    }
  }
}

}  // namespace
}  // namespace frontier::coordinator
