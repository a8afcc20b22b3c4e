#include "coordinator/storage/sqlite/maintenance.h"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Database.h>
#include <sqlite3.h>

#include <exception>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/file.h"
#include "common/base/status.h"
#include "coordinator/storage/sqlite/connection.h"
#include "coordinator/storage/sqlite/file_lock.h"
#include "coordinator/storage/sqlite/schema.h"
#include "coordinator/storage/sqlite/sqlite_status.h"

namespace frontier::coordinator {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(5);

// Runs `use` on a connection to a database of ours; exceptions become errors.
absl::Status With(const std::string& path, Access access,
                  absl::FunctionRef<absl::Status(Connection*)> use) {
  // SQLite would make what is not there.
  RETURN_IF_ERROR(FileSize(path).status());
  std::unique_ptr<Connection> connection;
  try {
    connection = std::make_unique<Connection>(path, access, kPatience, /*vfs=*/"");
    RETURN_IF_ERROR(CheckSchema(path, connection.get()));
    return use(connection.get());
  } catch (const std::exception& error) {
    return SqliteException(path, error, connection == nullptr ? 0 : connection->SystemErrno());
  }
}

}  // namespace

absl::Status BackUpDatabase(const std::string& from, const std::string& to) {
  return With(from, Access::kReadOnly, [&](Connection* source) {
    SQLite::Database copy(to, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    copy.exec("PRAGMA synchronous = FULL");
    SQLite::Backup backup(copy, source->database());
    // That somebody locks it is all that is not thrown.
    if (backup.executeStep(-1) != SQLITE_DONE) {
      return absl::UnavailableError(absl::StrCat("database '", from, "' cannot be copied now"));
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<std::string>> FindDamage(const std::string& path) {
  std::vector<std::string> damage;
  RETURN_IF_ERROR(With(path, Access::kReadOnly, [&](Connection* connection) {
    {
      Query pages = connection->Prepare("PRAGMA integrity_check");
      while (pages.Next()) {
        std::string line = pages.GetText(0);
        if (line != "ok") damage.push_back(std::move(line));
      }
    }
    Query rows = connection->Prepare("PRAGMA foreign_key_check");
    while (rows.Next()) {
      damage.push_back(absl::StrCat("row ", rows.GetInt(1), " of table ", rows.GetText(0),
                                    " refers to a row of table ", rows.GetText(2),
                                    " that is not there"));
    }
    return absl::OkStatus();
  }));
  return damage;
}

absl::Status CompactDatabase(const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<FileLock> lock,
                   FileLock::Acquire(path, absl::ZeroDuration()));
  return With(path, Access::kReadWrite, [](Connection* connection) {
    connection->Execute("VACUUM");
    connection->Execute("PRAGMA wal_checkpoint(TRUNCATE)");
    return absl::OkStatus();
  });
}

}  // namespace frontier::coordinator
