// One connection to the database, with its prepared statements.
#ifndef FRONTIER_COORDINATOR_STORAGE_SQLITE_CONNECTION_H_
#define FRONTIER_COORDINATOR_STORAGE_SQLITE_CONNECTION_H_

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace frontier::coordinator {

// A prepared statement in use. Values are bound by position from 1 and copied by nobody: bytes must
// outlive this object. The end of its life ends the statement's read transaction.
class Query {
 public:
  explicit Query(SQLite::Statement* statement) : statement_(statement) {}
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  Query& Int(int64_t value);
  Query& Real(double value);  // not a number is stored as NULL
  Query& Text(const std::string& value);
  Query& Blob(const std::string& value);
  Query& Null();

  // True if there is a row. Throws SQLite::Exception.
  bool Next();
  // To the end, without rows. Throws SQLite::Exception.
  void Run();
  // Makes ready for the next values.
  void Again();

  int64_t GetInt(int column) const;
  std::string GetText(int column) const;
  // Valid until the next step.
  absl::string_view GetBlob(int column) const;
  bool IsNull(int column) const;

 private:
  SQLite::Statement* const statement_;
  int bound_ = 0;
};

enum class Access { kReadWrite, kReadOnly };

// Not thread-safe. Methods throw SQLite::Exception; the store catches them.
class Connection {
 public:
  // `vfs` names SQLite's file layer; empty = its default.
  Connection(const std::string& path, Access access, absl::Duration busy_timeout,
             const std::string& vfs);

  // `sql` is a constant: statements are kept by its address.
  Query Prepare(const char* sql);
  void Execute(const std::string& sql);
  // The first value of the first row, 0 if there is no row.
  int64_t GetInt(const char* sql);
  std::string GetText(const char* sql);

  bool IsReadOnly();
  bool InTransaction();
  // Rows that the last statement changed.
  int Changes() const { return database_.getChanges(); }
  int64_t LastInsertRowId() const { return database_.getLastInsertRowid(); }
  int SystemErrno();
  // For what needs all of SQLiteCpp.
  SQLite::Database& database() { return database_; }

 private:
  SQLite::Database database_;
  absl::flat_hash_map<const char*, std::unique_ptr<SQLite::Statement>> statements_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STORAGE_SQLITE_CONNECTION_H_
