#include "coordinator/storage/sqlite/sqlite_status.h"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace frontier::coordinator {
namespace {

absl::Status Locked(const std::string& message) {
  return ErrorWithReason(absl::StatusCode::kUnavailable, v1::ERROR_REASON_DATABASE_LOCKED, message);
}

absl::Status ReadOnly(const std::string& message) {
  return ErrorWithReason(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_DATABASE_READ_ONLY,
                         message);
}

absl::Status Corrupt(const std::string& message) {
  return ErrorWithReason(absl::StatusCode::kDataLoss, v1::ERROR_REASON_DATABASE_CORRUPT, message);
}

absl::Status Full(const std::string& message) {
  return ErrorWithReason(absl::StatusCode::kResourceExhausted, v1::ERROR_REASON_DISK_FULL, message);
}

bool MeansFull(int system_errno) {
  return system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG;
}

bool MeansReadOnly(int system_errno) {
  return system_errno == EACCES || system_errno == EPERM || system_errno == EROFS;
}

}  // namespace

absl::Status SqliteError(absl::string_view path, int extended_code, int system_errno,
                         absl::string_view message) {
  std::string text =
      absl::StrCat("database '", path, "': ", message, " (SQLite code ", extended_code);
  if (system_errno != 0) absl::StrAppend(&text, ", ", std::strerror(system_errno));
  absl::StrAppend(&text, ")");

  // A few extended codes mean something else than their family.
  switch (extended_code) {
    case SQLITE_READONLY_DBMOVED:
      return absl::InternalError(absl::StrCat(text, "; its file was moved or deleted while open"));
    case SQLITE_IOERR_CORRUPTFS:
      return Corrupt(text);
    default:
      break;
  }
  switch (extended_code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return Locked(absl::StrCat(text, "; another process holds it"));
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return ReadOnly(text);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Corrupt(text);
    case SQLITE_FULL:
      return Full(text);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      if (MeansFull(system_errno)) return Full(text);
      if (MeansReadOnly(system_errno)) return ReadOnly(text);
      return absl::InternalError(text);
    default:
      return absl::InternalError(text);
  }
}

absl::Status SqliteException(absl::string_view path, const std::exception& exception,
                             int system_errno) {
  const auto* error = dynamic_cast<const SQLite::Exception*>(&exception);
  if (error == nullptr) {
    return absl::InternalError(absl::StrCat("database '", path, "': ", exception.what()));
  }
  // Errors that SQLiteCpp finds by itself carry no extended code.
  const int code =
      error->getExtendedErrorCode() > 0 ? error->getExtendedErrorCode() : error->getErrorCode();
  return SqliteError(path, code, system_errno, error->what());
}

absl::Status DatabaseCorrupt(absl::string_view path, absl::string_view problem) {
  return Corrupt(absl::StrCat("database '", path, "' is damaged: ", problem));
}

}  // namespace frontier::coordinator
