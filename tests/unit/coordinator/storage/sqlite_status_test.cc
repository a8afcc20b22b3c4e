#include "coordinator/storage/sqlite/sqlite_status.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <cerrno>
#include <stdexcept>

#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using frontier::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

struct Case {
  int code;
  int system_errno;
  absl::StatusCode status;
  v1::ErrorReason reason;
};

TEST(SqliteStatusTest, MapsByExtendedCode) {
  const Case cases[] = {
      {SQLITE_BUSY, 0, absl::StatusCode::kUnavailable, v1::ERROR_REASON_DATABASE_LOCKED},
      {SQLITE_BUSY_SNAPSHOT, 0, absl::StatusCode::kUnavailable, v1::ERROR_REASON_DATABASE_LOCKED},
      {SQLITE_BUSY_RECOVERY, 0, absl::StatusCode::kUnavailable, v1::ERROR_REASON_DATABASE_LOCKED},
      {SQLITE_LOCKED_SHAREDCACHE, 0, absl::StatusCode::kUnavailable,
       v1::ERROR_REASON_DATABASE_LOCKED},
      {SQLITE_PROTOCOL, 0, absl::StatusCode::kUnavailable, v1::ERROR_REASON_DATABASE_LOCKED},
      {SQLITE_READONLY, 0, absl::StatusCode::kFailedPrecondition,
       v1::ERROR_REASON_DATABASE_READ_ONLY},
      {SQLITE_READONLY_DIRECTORY, 0, absl::StatusCode::kFailedPrecondition,
       v1::ERROR_REASON_DATABASE_READ_ONLY},
      {SQLITE_READONLY_DBMOVED, 0, absl::StatusCode::kInternal, v1::ERROR_REASON_UNSPECIFIED},
      {SQLITE_CANTOPEN, EACCES, absl::StatusCode::kFailedPrecondition,
       v1::ERROR_REASON_DATABASE_READ_ONLY},
      {SQLITE_CANTOPEN, 0, absl::StatusCode::kInternal, v1::ERROR_REASON_UNSPECIFIED},
      {SQLITE_CORRUPT, 0, absl::StatusCode::kDataLoss, v1::ERROR_REASON_DATABASE_CORRUPT},
      {SQLITE_CORRUPT_INDEX, 0, absl::StatusCode::kDataLoss, v1::ERROR_REASON_DATABASE_CORRUPT},
      {SQLITE_IOERR_CORRUPTFS, 0, absl::StatusCode::kDataLoss, v1::ERROR_REASON_DATABASE_CORRUPT},
      {SQLITE_NOTADB, 0, absl::StatusCode::kDataLoss, v1::ERROR_REASON_DATABASE_CORRUPT},
      {SQLITE_FULL, 0, absl::StatusCode::kResourceExhausted, v1::ERROR_REASON_DISK_FULL},
      {SQLITE_IOERR_WRITE, ENOSPC, absl::StatusCode::kResourceExhausted,
       v1::ERROR_REASON_DISK_FULL},
      {SQLITE_IOERR_SHMSIZE, EDQUOT, absl::StatusCode::kResourceExhausted,
       v1::ERROR_REASON_DISK_FULL},
      {SQLITE_IOERR_WRITE, EIO, absl::StatusCode::kInternal, v1::ERROR_REASON_UNSPECIFIED},
      {SQLITE_CONSTRAINT_FOREIGNKEY, 0, absl::StatusCode::kInternal, v1::ERROR_REASON_UNSPECIFIED},
  };
  for (const Case& c : cases) {
    const absl::Status status = SqliteError("/data/f.db", c.code, c.system_errno, "words");
    EXPECT_THAT(status, StatusIs(c.status, AllOf(HasSubstr("/data/f.db"), HasSubstr("words"))))
        << c.code;
    EXPECT_EQ(GetErrorReason(status), c.reason) << c.code;
  }
}

TEST(SqliteStatusTest, ReadsTheCodeOfAnException) {
  EXPECT_EQ(GetErrorReason(SqliteException("f.db", SQLite::Exception("full", SQLITE_FULL), 0)),
            v1::ERROR_REASON_DISK_FULL);
  EXPECT_THAT(SqliteException("f.db", std::runtime_error("odd"), 0),
              StatusIs(absl::StatusCode::kInternal, AllOf(HasSubstr("f.db"), HasSubstr("odd"))));
}

}  // namespace
}  // namespace frontier::coordinator
