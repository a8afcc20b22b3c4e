#include "coordinator/storage/sqlite/connection.h"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <cmath>

namespace frontier::coordinator {

Query::~Query() {
  // Repeats the error of the last step, which has been thrown already.
  [[maybe_unused]] const int result = statement_->tryReset();
  // The bytes bound without a copy may be gone by the next use; always succeeds.
  statement_->clearBindings();
}

Query& Query::Int(int64_t value) {
  statement_->bind(++bound_, value);
  return *this;
}

Query& Query::Real(double value) {
  if (std::isnan(value)) return Null();
  statement_->bind(++bound_, value);
  return *this;
}

Query& Query::Text(const std::string& value) {
  statement_->bindNoCopy(++bound_, value);
  return *this;
}

Query& Query::Blob(const std::string& value) {
  statement_->bindNoCopy(++bound_, value.data(), static_cast<int>(value.size()));
  return *this;
}

Query& Query::Null() {
  statement_->bind(++bound_);
  return *this;
}

bool Query::Next() { return statement_->executeStep(); }

void Query::Run() {
  statement_->exec();
  Again();
}

void Query::Again() {
  statement_->reset();
  bound_ = 0;
}

int64_t Query::GetInt(int column) const { return statement_->getColumn(column).getInt64(); }

std::string Query::GetText(int column) const { return statement_->getColumn(column).getString(); }

absl::string_view Query::GetBlob(int column) const {
  const SQLite::Column value = statement_->getColumn(column);
  const auto* data = static_cast<const char*>(value.getBlob());
  return absl::string_view(data, data == nullptr ? 0 : static_cast<size_t>(value.getBytes()));
}

bool Query::IsNull(int column) const { return statement_->getColumn(column).isNull(); }

Connection::Connection(const std::string& path, Access access, absl::Duration busy_timeout,
                       const std::string& vfs)
    : database_(path,
                (access == Access::kReadWrite ? SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE
                                              : SQLite::OPEN_READONLY) |
                    SQLite::OPEN_NOMUTEX,
                static_cast<int>(absl::ToInt64Milliseconds(busy_timeout)), vfs) {
  sqlite3_extended_result_codes(database_.getHandle(), 1);
  database_.exec("PRAGMA foreign_keys = ON");
  // Damage is found when a page is read, not when its content makes no sense.
  database_.exec("PRAGMA cell_size_check = ON");
}

Query Connection::Prepare(const char* sql) {
  std::unique_ptr<SQLite::Statement>& statement = statements_[sql];
  if (statement == nullptr) statement = std::make_unique<SQLite::Statement>(database_, sql);
  return Query(statement.get());
}

void Connection::Execute(const std::string& sql) { database_.exec(sql); }

int64_t Connection::GetInt(const char* sql) {
  SQLite::Statement statement(database_, sql);
  return statement.executeStep() ? statement.getColumn(0).getInt64() : 0;
}

std::string Connection::GetText(const char* sql) {
  SQLite::Statement statement(database_, sql);
  return statement.executeStep() ? statement.getColumn(0).getString() : std::string();
}

bool Connection::IsReadOnly() { return sqlite3_db_readonly(database_.getHandle(), "main") == 1; }

bool Connection::InTransaction() { return sqlite3_get_autocommit(database_.getHandle()) == 0; }

int Connection::SystemErrno() { return sqlite3_system_errno(database_.getHandle()); }

}  // namespace frontier::coordinator
