#include "coordinator/storage/sqlite/schema.h"

#include <SQLiteCpp/Exception.h>

#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "coordinator/storage/sqlite/change.h"
#include "coordinator/storage/sqlite/sqlite_status.h"
#include "frontier/v1/record.pb.h"

namespace frontier::coordinator {
namespace {

// Of databases of version 1, whose records of jobs held their specs.
void SplitSpecs(Connection* connection) {
  std::vector<v1::JobRecord> jobs;
  {
    Query query = connection->Prepare("SELECT id, record FROM jobs");
    while (query.Next()) {
      const absl::string_view bytes = query.GetBlob(1);
      if (!jobs.emplace_back().ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        throw SQLite::Exception("record of job " + std::to_string(query.GetInt(0)) +
                                " cannot be read");
      }
    }
  }
  for (v1::JobRecord& record : jobs) {
    WriteSpec(record.job().id(), record.job().spec(), connection);
    record.mutable_job()->clear_spec();
    const std::string bytes = record.SerializeAsString();
    Query query = connection->Prepare("UPDATE jobs SET record = ? WHERE id = ?");
    query.Blob(bytes).Int(record.job().id()).Run();
  }
}

struct Migration {
  const char* statements;
  void (*rewrite)(Connection* connection) = nullptr;  // after the statements
};

// Step i takes version i to version i + 1. A released step is never changed; a database that each
// version left is in tests/golden/databases.
//
// `record` columns hold the serialized message and are what the coordinator reads; the columns
// beside them are for indices and for people with the sqlite3 shell. Times are microseconds since
// the epoch, states and kinds the lower-case names of the protocol's enums.
constexpr Migration kMigrations[] = {
    {R"sql(
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  ended INTEGER NOT NULL,  -- 0 or 1
  submitted_unix_us INTEGER NOT NULL,
  ended_unix_us INTEGER NOT NULL,
  record BLOB NOT NULL  -- JobRecord
) STRICT;
CREATE INDEX jobs_live ON jobs (id) WHERE ended = 0;

CREATE TABLE trials (
  job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  state TEXT NOT NULL,
  canonical_hash TEXT NOT NULL,
  summary TEXT NOT NULL,
  on_front INTEGER NOT NULL,
  feasible INTEGER NOT NULL,
  failure TEXT,
  created_unix_us INTEGER NOT NULL,
  ended_unix_us INTEGER NOT NULL,
  record BLOB NOT NULL,  -- Trial without its architecture
  PRIMARY KEY (job_id, number)
) STRICT;
CREATE INDEX trials_by_state ON trials (job_id, state, number);

-- Written once for each trial, while its row in trials changes often.
CREATE TABLE architectures (
  job_id INTEGER NOT NULL,
  trial INTEGER NOT NULL,
  architecture BLOB NOT NULL,
  PRIMARY KEY (job_id, trial),
  FOREIGN KEY (job_id, trial) REFERENCES trials (job_id, number) ON DELETE CASCADE
) STRICT;

CREATE TABLE attempts (
  job_id INTEGER NOT NULL,
  trial INTEGER NOT NULL,
  number INTEGER NOT NULL,
  state TEXT NOT NULL,
  worker_id TEXT NOT NULL,
  started_unix_us INTEGER NOT NULL,
  ended_unix_us INTEGER NOT NULL,
  epochs INTEGER NOT NULL,
  cpu_seconds REAL,
  energy_j REAL,
  co2_g REAL,
  failure TEXT,
  PRIMARY KEY (job_id, trial, number),
  FOREIGN KEY (job_id, trial) REFERENCES trials (job_id, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE measurements (
  job_id INTEGER NOT NULL,
  trial INTEGER NOT NULL,
  metric TEXT NOT NULL,
  value REAL,
  low REAL,
  high REAL,
  unit TEXT NOT NULL,
  method TEXT NOT NULL,
  hardware_class TEXT NOT NULL,
  PRIMARY KEY (job_id, trial, metric),
  FOREIGN KEY (job_id, trial) REFERENCES trials (job_id, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  trial INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  kind TEXT NOT NULL,
  at_unix_us INTEGER NOT NULL,
  worker_id TEXT NOT NULL,
  message TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_job ON events (job_id, sequence);

CREATE TABLE leases (
  job_id INTEGER NOT NULL,
  trial INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  token INTEGER NOT NULL UNIQUE,
  worker_id TEXT NOT NULL,
  expires_unix_us INTEGER NOT NULL,
  record BLOB NOT NULL,  -- LeaseRecord
  PRIMARY KEY (job_id, trial, attempt),
  FOREIGN KEY (job_id, trial) REFERENCES trials (job_id, number) ON DELETE CASCADE
) STRICT;

CREATE TABLE workers (
  id TEXT PRIMARY KEY,
  version TEXT NOT NULL,
  hardware_class TEXT NOT NULL,
  slots INTEGER NOT NULL,
  last_seen_unix_us INTEGER NOT NULL,
  record BLOB NOT NULL  -- WorkerRecord
) STRICT, WITHOUT ROWID;

CREATE TABLE requests (
  request_id TEXT PRIMARY KEY,
  method TEXT NOT NULL,
  content_sha256 TEXT NOT NULL,
  response BLOB NOT NULL,
  at_unix_us INTEGER NOT NULL
) STRICT;
CREATE INDEX requests_by_time ON requests (at_unix_us);

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('next_lease_token', 1);
)sql"},
    {R"sql(
-- Written once for each job and for each of its spaces, while its row in jobs changes with each trial.
CREATE TABLE job_specs (
  job_id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
  spec BLOB NOT NULL  -- JobSpec
) STRICT;
)sql",
     SplitSpecs},
    {R"sql(
-- 1 = not found any more; its other rows go by and by.
ALTER TABLE jobs ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX jobs_deleted ON jobs (id) WHERE deleted = 1;
CREATE INDEX trials_on_front ON trials (job_id, number) WHERE on_front = 1;
)sql"},
    {R"sql(
-- What a restart needs of trials, many in one row; derived from trials, and gone when one changes.
CREATE TABLE outlines (
  job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  outlines BLOB NOT NULL,  -- TrialOutlines
  PRIMARY KEY (job_id, first, last)
) STRICT;
CREATE TRIGGER trials_inserted AFTER INSERT ON trials BEGIN
  DELETE FROM outlines WHERE job_id = NEW.job_id AND last >= NEW.number AND first =
    (SELECT max(first) FROM outlines WHERE job_id = NEW.job_id AND first <= NEW.number);
END;
CREATE TRIGGER trials_updated AFTER UPDATE ON trials BEGIN
  DELETE FROM outlines WHERE job_id = OLD.job_id AND last >= OLD.number AND first =
    (SELECT max(first) FROM outlines WHERE job_id = OLD.job_id AND first <= OLD.number);
END;
CREATE TRIGGER trials_deleted AFTER DELETE ON trials BEGIN
  DELETE FROM outlines WHERE job_id = OLD.job_id AND last >= OLD.number AND first =
    (SELECT max(first) FROM outlines WHERE job_id = OLD.job_id AND first <= OLD.number);
END;
)sql"},
};

}  // namespace

int64_t SchemaVersion() { return static_cast<int64_t>(std::size(kMigrations)); }

absl::Status CheckSchema(const std::string& path, Connection* connection) {
  const int64_t application_id = connection->GetInt("PRAGMA application_id");
  const int64_t version = connection->GetInt("PRAGMA user_version");
  const bool empty = connection->GetInt("SELECT count(*) FROM sqlite_schema") == 0;
  if (application_id != kApplicationId && !(empty && application_id == 0 && version == 0)) {
    return ErrorWithReason(
        absl::StatusCode::kDataLoss, v1::ERROR_REASON_DATABASE_CORRUPT,
        absl::StrCat("database '", path, "' was not made by Frontier (application id ",
                     application_id, ", expected ", kApplicationId, ")"));
  }
  if (version > SchemaVersion()) {
    return ErrorWithReason(
        absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_DATABASE_NEWER,
        absl::StrCat("database '", path, "' has schema version ", version,
                     ", written by a newer Frontier; this one (", ProductVersion(),
                     ") knows up to version ", SchemaVersion()));
  }
  if (version < 0 || (empty && version > 0)) {
    return DatabaseCorrupt(path, absl::StrCat("schema version ", version, " without its tables"));
  }
  return absl::OkStatus();
}

void MigrateSchema(Connection* connection) {
  const int64_t version = connection->GetInt("PRAGMA user_version");
  if (version == SchemaVersion()) return;
  connection->Execute("BEGIN IMMEDIATE");
  for (int64_t step = version; step < SchemaVersion(); ++step) {
    connection->Execute(kMigrations[step].statements);
    if (kMigrations[step].rewrite != nullptr) kMigrations[step].rewrite(connection);
  }
  connection->Execute(absl::StrCat("PRAGMA application_id = ", kApplicationId));
  connection->Execute(absl::StrCat("PRAGMA user_version = ", SchemaVersion()));
  connection->Execute("COMMIT");
}

}  // namespace frontier::coordinator
