#include "coordinator/storage/sqlite/sqlite_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <future>
#include <limits>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/mutex.h"
#include "common/base/status.h"
#include "coordinator/storage/sqlite/change.h"
#include "coordinator/storage/sqlite/connection.h"
#include "coordinator/storage/sqlite/file_lock.h"
#include "coordinator/storage/sqlite/names.h"
#include "coordinator/storage/sqlite/schema.h"
#include "coordinator/storage/sqlite/sqlite_status.h"
#include "google/protobuf/arena.h"

namespace frontier::coordinator {
namespace {

// A file up to this size is checked when it is opened; takes well under a second.
constexpr int64_t kCheckedBytes = int64_t{64} << 20;

constexpr int64_t kKeptLogBytes = int64_t{64} << 20;

// Trials that a visit of all reads at a time.
constexpr int kBatch = 2000;

// One connection writes; readers take another each, so that none waits for the writer.
class SqliteStore final : public Store {
 public:
  SqliteStore(const SqliteStoreOptions& options, std::unique_ptr<FileLock> lock,
              std::unique_ptr<Connection> writer)
      : options_(options), lock_(std::move(lock)), writer_(std::move(writer)) {}

  absl::Status Commit(v1::Change* change) override;
  absl::StatusOr<v1::JobRecord> GetJob(int64_t job_id) const override;
  absl::StatusOr<std::vector<v1::JobRecord>> ListJobs(int64_t before, int limit) const override;
  absl::StatusOr<std::vector<v1::JobRecord>> LoadLiveJobs() const override;
  absl::StatusOr<std::vector<v1::JobRecord>> LoadDeletedJobs() const override;
  absl::StatusOr<int64_t> LastJobId() const override;
  absl::StatusOr<v1::Trial> GetTrial(int64_t job_id, int64_t number) const override;
  absl::StatusOr<std::vector<v1::Trial>> ListTrials(int64_t job_id, int64_t after,
                                                    v1::TrialState state, int limit,
                                                    TrialParts parts) const override;
  absl::Status ForEachTrial(int64_t job_id, TrialParts parts,
                            absl::FunctionRef<absl::Status(const v1::Trial&)> visit) const override;
  absl::Status ForEachOutline(
      int64_t job_id, absl::FunctionRef<absl::Status(const v1::Trial&)> visit) const override;
  absl::StatusOr<std::vector<TrialRange>> ListOutlines(int64_t job_id) const override;
  absl::StatusOr<std::vector<v1::Trial>> ListFront(int64_t job_id, TrialParts parts) const override;
  absl::StatusOr<std::vector<v1::Event>> ListEvents(int64_t job_id, int64_t after,
                                                    int limit) const override;
  absl::StatusOr<int64_t> LastEventSequence() const override;
  absl::StatusOr<std::vector<v1::LeaseRecord>> LoadLeases() const override;
  absl::StatusOr<int64_t> NextLeaseToken() const override;
  absl::StatusOr<std::vector<v1::WorkerRecord>> LoadWorkers() const override;
  absl::StatusOr<std::optional<v1::RequestRecord>> FindRequest(
      absl::string_view request_id) const override;

 private:
  // Runs `read(connection)` on a connection of its own; exceptions become errors.
  absl::Status Read(absl::FunctionRef<absl::Status(Connection*)> read) const;
  // All rows of `query`, whose first column is a serialized Message.
  template <typename Message>
  absl::StatusOr<std::vector<Message>> ReadRecords(const char* sql,
                                                   absl::FunctionRef<void(Query*)> bind,
                                                   absl::string_view what) const;
  // All jobs of `query`, whose columns are their records and specs.
  absl::StatusOr<std::vector<v1::JobRecord>> ReadJobs(const char* sql,
                                                      absl::FunctionRef<void(Query*)> bind) const;
  absl::StatusOr<int64_t> ReadInt(const char* sql) const;
  template <typename Message>
  absl::Status Parse(absl::string_view bytes, absl::string_view what, Message* message) const;
  // Trials that were read together.
  struct TrialBatch {
    google::protobuf::Arena arena;
    std::vector<const v1::Trial*> trials;
    int64_t through = 0;  // number up to which these are all
    bool more = false;    // there may be trials beyond it
  };
  // Reads the trials after one.
  using BatchReader = absl::FunctionRef<absl::Status(Connection*, int64_t after, TrialBatch*)>;
  // Calls `visit` for the trials of batch after batch.
  absl::Status VisitBatches(BatchReader read,
                            absl::FunctionRef<absl::Status(const v1::Trial&)> visit) const;
  // Trials after one and before another, at most kBatch.
  absl::Status ReadTrials(Connection* connection, int64_t job_id, TrialParts parts, int64_t after,
                          int64_t before, TrialBatch* batch) const;
  // The next outlines after one, or the trials up to these.
  absl::Status ReadOutlines(Connection* connection, int64_t job_id, int64_t after,
                            TrialBatch* batch) const;
  // The trial in the columns record and architecture.
  absl::Status ParseTrial(const Query& query, v1::Trial* trial) const;

  const SqliteStoreOptions options_;
  const std::unique_ptr<FileLock> lock_;  // released after the connections are closed
  Mutex writer_mutex_;
  const std::unique_ptr<Connection> writer_ ABSL_PT_GUARDED_BY(writer_mutex_);
  mutable Mutex readers_mutex_;
  // Those not in use; as many exist as reads ever ran at once.
  mutable std::vector<std::unique_ptr<Connection>> readers_ ABSL_GUARDED_BY(readers_mutex_);
};

absl::Status SqliteStore::Commit(v1::Change* change) {
  MutexLock lock(&writer_mutex_);
  std::vector<int64_t> sequences;
  try {
    writer_->Execute("BEGIN IMMEDIATE");
    WriteChange(*change, writer_.get(), &sequences);
    writer_->Execute("COMMIT");
  } catch (const std::exception& error) {
    absl::Status status = SqliteException(options_.path, error, writer_->SystemErrno());
    try {
      // Some errors have rolled back already.
      if (writer_->InTransaction()) writer_->Execute("ROLLBACK");
    } catch (const std::exception& second) {
      return absl::Status(status.code(), absl::StrCat(status.message(),
                                                      "; and then rolling back: ", second.what()));
    }
    return status;
  }
  for (int i = 0; i < change->events_size(); ++i) {
    change->mutable_events(i)->set_sequence(sequences[static_cast<size_t>(i)]);
  }
  return absl::OkStatus();
}

absl::Status SqliteStore::Read(absl::FunctionRef<absl::Status(Connection*)> read) const {
  std::unique_ptr<Connection> connection;
  {
    MutexLock lock(&readers_mutex_);
    if (!readers_.empty()) {
      connection = std::move(readers_.back());
      readers_.pop_back();
    }
  }
  absl::Status status;
  try {
    if (connection == nullptr) {
      connection = std::make_unique<Connection>(options_.path, Access::kReadOnly,
                                                options_.busy_timeout, options_.vfs);
    }
    status = read(connection.get());
  } catch (const std::exception& error) {
    // A connection that failed is not used again.
    return SqliteException(options_.path, error,
                           connection == nullptr ? 0 : connection->SystemErrno());
  }
  MutexLock lock(&readers_mutex_);
  readers_.push_back(std::move(connection));
  return status;
}

template <typename Message>
absl::Status SqliteStore::Parse(absl::string_view bytes, absl::string_view what,
                                Message* message) const {
  if (message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::OkStatus();
  }
  return DatabaseCorrupt(options_.path, absl::StrCat("record of ", what, " cannot be read"));
}

template <typename Message>
absl::StatusOr<std::vector<Message>> SqliteStore::ReadRecords(const char* sql,
                                                              absl::FunctionRef<void(Query*)> bind,
                                                              absl::string_view what) const {
  std::vector<Message> records;
  absl::Status status = Read([&](Connection* connection) -> absl::Status {
    Query query = connection->Prepare(sql);
    bind(&query);
    while (query.Next()) {
      RETURN_IF_ERROR(Parse(query.GetBlob(0), what, &records.emplace_back()));
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return records;
}

absl::StatusOr<int64_t> SqliteStore::ReadInt(const char* sql) const {
  int64_t value = 0;
  absl::Status status = Read([&](Connection* connection) {
    Query query = connection->Prepare(sql);
    if (query.Next()) value = query.GetInt(0);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return value;
}

absl::StatusOr<std::vector<v1::JobRecord>> SqliteStore::ReadJobs(
    const char* sql, absl::FunctionRef<void(Query*)> bind) const {
  std::vector<v1::JobRecord> jobs;
  absl::Status status = Read([&](Connection* connection) -> absl::Status {
    Query query = connection->Prepare(sql);
    bind(&query);
    while (query.Next()) {
      v1::JobRecord& job = jobs.emplace_back();
      RETURN_IF_ERROR(Parse(query.GetBlob(0), "a job", &job));
      RETURN_IF_ERROR(Parse(query.GetBlob(1), absl::StrCat("job ", job.job().id(), " spec"),
                            job.mutable_job()->mutable_spec()));
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return jobs;
}

absl::StatusOr<v1::JobRecord> SqliteStore::GetJob(int64_t job_id) const {
  ASSIGN_OR_RETURN(std::vector<v1::JobRecord> jobs,
                   ReadJobs("SELECT j.record, s.spec FROM jobs j JOIN job_specs s "
                            "ON s.job_id = j.id WHERE j.id = ? AND j.deleted = 0",
                            [&](Query* query) { query->Int(job_id); }));
  if (jobs.empty()) return absl::NotFoundError(absl::StrCat("no job ", job_id));
  return std::move(jobs.front());
}

absl::StatusOr<std::vector<v1::JobRecord>> SqliteStore::ListJobs(int64_t before, int limit) const {
  return ReadJobs(
      "SELECT j.record, s.spec FROM jobs j JOIN job_specs s ON s.job_id = j.id "
      "WHERE j.id < ? AND j.deleted = 0 ORDER BY j.id DESC LIMIT ?",
      [&](Query* query) {
        query->Int(before > 0 ? before : std::numeric_limits<int64_t>::max()).Int(limit);
      });
}

absl::StatusOr<std::vector<v1::JobRecord>> SqliteStore::LoadLiveJobs() const {
  return ReadJobs(
      "SELECT j.record, s.spec FROM jobs j JOIN job_specs s ON s.job_id = j.id "
      "WHERE j.ended = 0 ORDER BY j.id",
      [](Query*) {});
}

absl::StatusOr<std::vector<v1::JobRecord>> SqliteStore::LoadDeletedJobs() const {
  return ReadJobs(
      "SELECT j.record, s.spec FROM jobs j JOIN job_specs s ON s.job_id = j.id "
      "WHERE j.deleted = 1 ORDER BY j.id",
      [](Query*) {});
}

absl::StatusOr<int64_t> SqliteStore::LastJobId() const {
  return ReadInt("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'");
}

absl::Status SqliteStore::ParseTrial(const Query& query, v1::Trial* trial) const {
  RETURN_IF_ERROR(Parse(query.GetBlob(0), "a trial", trial));
  if (query.IsNull(1)) return absl::OkStatus();
  return Parse(query.GetBlob(1),
               absl::StrCat("job ", trial->job_id(), " trial ", trial->number(), " architecture"),
               trial->mutable_architecture());
}

absl::StatusOr<v1::Trial> SqliteStore::GetTrial(int64_t job_id, int64_t number) const {
  v1::Trial trial;
  absl::Status status = Read([&](Connection* connection) -> absl::Status {
    Query query = connection->Prepare(
        "SELECT t.record, a.architecture FROM trials t LEFT JOIN architectures a "
        "ON a.job_id = t.job_id AND a.trial = t.number WHERE t.job_id = ? AND t.number = ?");
    query.Int(job_id).Int(number);
    if (!query.Next())
      return absl::NotFoundError(absl::StrCat("job ", job_id, " has no trial ", number));
    return ParseTrial(query, &trial);
  });
  if (!status.ok()) return status;
  return trial;
}

absl::StatusOr<std::vector<v1::Trial>> SqliteStore::ListTrials(int64_t job_id, int64_t after,
                                                               v1::TrialState state, int limit,
                                                               TrialParts parts) const {
  const std::string state_name = StateName(state);
  std::vector<v1::Trial> trials;
  absl::Status status = Read([&](Connection* connection) -> absl::Status {
    const bool all = state == v1::TRIAL_STATE_UNSPECIFIED;
    const char* statement =
        parts == TrialParts::kWithoutArchitecture
            ? (all ? "SELECT record, NULL FROM trials WHERE job_id = ? AND number > ? "
                     "ORDER BY number LIMIT ?"
                   : "SELECT record, NULL FROM trials INDEXED BY trials_by_state "
                     "WHERE job_id = ? AND number > ? AND state = ? ORDER BY number LIMIT ?")
        : all ? "SELECT t.record, a.architecture FROM trials t LEFT JOIN architectures a "
                "ON a.job_id = t.job_id AND a.trial = t.number "
                "WHERE t.job_id = ? AND t.number > ? ORDER BY t.number LIMIT ?"
              : "SELECT t.record, a.architecture FROM trials t INDEXED BY trials_by_state "
                "LEFT JOIN architectures a ON a.job_id = t.job_id AND a.trial = t.number "
                "WHERE t.job_id = ? AND t.number > ? AND t.state = ? ORDER BY t.number LIMIT ?";
    Query query = connection->Prepare(statement);
    query.Int(job_id).Int(after);
    if (!all) query.Text(state_name);
    query.Int(limit);
    while (query.Next()) RETURN_IF_ERROR(ParseTrial(query, &trials.emplace_back()));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return trials;
}

absl::StatusOr<std::vector<v1::Trial>> SqliteStore::ListFront(int64_t job_id,
                                                              TrialParts parts) const {
  std::vector<v1::Trial> trials;
  absl::Status status = Read([&](Connection* connection) -> absl::Status {
    Query query = connection->Prepare(
        parts == TrialParts::kAll
            ? "SELECT t.record, a.architecture FROM trials t INDEXED BY trials_on_front "
              "LEFT JOIN architectures a ON a.job_id = t.job_id AND a.trial = t.number "
              "WHERE t.job_id = ? AND t.on_front = 1 ORDER BY t.number"
            : "SELECT record, NULL FROM trials INDEXED BY trials_on_front "
              "WHERE job_id = ? AND on_front = 1 ORDER BY number");
    query.Int(job_id);
    while (query.Next()) RETURN_IF_ERROR(ParseTrial(query, &trials.emplace_back()));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return trials;
}

absl::Status SqliteStore::ReadTrials(Connection* connection, int64_t job_id, TrialParts parts,
                                     int64_t after, int64_t before, TrialBatch* batch) const {
  Query query = connection->Prepare(
      parts == TrialParts::kAll
          ? "SELECT t.record, a.architecture FROM trials t LEFT JOIN architectures a "
            "ON a.job_id = t.job_id AND a.trial = t.number "
            "WHERE t.job_id = ? AND t.number > ? AND t.number < ? ORDER BY t.number LIMIT ?"
          : "SELECT record, NULL FROM trials "
            "WHERE job_id = ? AND number > ? AND number < ? ORDER BY number LIMIT ?");
  query.Int(job_id).Int(after).Int(before).Int(kBatch);
  while (query.Next()) {
    auto* trial = google::protobuf::Arena::CreateMessage<v1::Trial>(&batch->arena);
    RETURN_IF_ERROR(ParseTrial(query, trial));
    batch->trials.push_back(trial);
  }
  batch->more = batch->trials.size() == kBatch;
  batch->through = batch->more ? batch->trials.back()->number() : before - 1;
  return absl::OkStatus();
}

absl::Status SqliteStore::VisitBatches(
    BatchReader read, absl::FunctionRef<absl::Status(const v1::Trial&)> visit) const {
  const auto read_after = [&](int64_t after) -> absl::StatusOr<std::unique_ptr<TrialBatch>> {
    auto batch = std::make_unique<TrialBatch>();
    RETURN_IF_ERROR(
        Read([&](Connection* connection) { return read(connection, after, batch.get()); }));
    return batch;
  };
  ASSIGN_OR_RETURN(std::unique_ptr<TrialBatch> batch, read_after(0));
  while (true) {
    // The next is read while these are looked at: reading is half of the time.
    std::future<absl::StatusOr<std::unique_ptr<TrialBatch>>> next;
    if (batch->more) next = std::async(std::launch::async, read_after, batch->through);
    for (const v1::Trial* trial : batch->trials) RETURN_IF_ERROR(visit(*trial));
    if (!next.valid()) return absl::OkStatus();
    ASSIGN_OR_RETURN(batch, next.get());
  }
}

absl::Status SqliteStore::ForEachTrial(
    int64_t job_id, TrialParts parts,
    absl::FunctionRef<absl::Status(const v1::Trial&)> visit) const {
  const auto read = [&](Connection* connection, int64_t after, TrialBatch* batch) {
    return ReadTrials(connection, job_id, parts, after, std::numeric_limits<int64_t>::max(), batch);
  };
  return VisitBatches(read, visit);
}

absl::Status SqliteStore::ReadOutlines(Connection* connection, int64_t job_id, int64_t after,
                                       TrialBatch* batch) const {
  Query query = connection->Prepare(
      "SELECT first, last, outlines FROM outlines WHERE job_id = ? AND first > ? "
      "ORDER BY first LIMIT 1");
  query.Int(job_id).Int(after);
  const bool found = query.Next();
  const int64_t first = found ? query.GetInt(0) : std::numeric_limits<int64_t>::max();
  if (first > after + 1) {
    RETURN_IF_ERROR(
        ReadTrials(connection, job_id, TrialParts::kWithoutArchitecture, after, first, batch));
    batch->more |= found;
    return absl::OkStatus();
  }
  auto* outlines = google::protobuf::Arena::CreateMessage<v1::TrialOutlines>(&batch->arena);
  RETURN_IF_ERROR(Parse(query.GetBlob(2),
                        absl::StrCat("job ", job_id, " outlines from trial ", first), outlines));
  for (const v1::Trial& trial : outlines->trials()) batch->trials.push_back(&trial);
  batch->through = query.GetInt(1);
  batch->more = true;
  return absl::OkStatus();
}

absl::Status SqliteStore::ForEachOutline(
    int64_t job_id, absl::FunctionRef<absl::Status(const v1::Trial&)> visit) const {
  const auto read = [&](Connection* connection, int64_t after, TrialBatch* batch) {
    return ReadOutlines(connection, job_id, after, batch);
  };
  return VisitBatches(read, visit);
}

absl::StatusOr<std::vector<TrialRange>> SqliteStore::ListOutlines(int64_t job_id) const {
  std::vector<TrialRange> ranges;
  absl::Status status = Read([&](Connection* connection) {
    Query query =
        connection->Prepare("SELECT first, last FROM outlines WHERE job_id = ? ORDER BY first");
    query.Int(job_id);
    while (query.Next()) ranges.push_back({query.GetInt(0), query.GetInt(1)});
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return ranges;
}

absl::StatusOr<std::vector<v1::Event>> SqliteStore::ListEvents(int64_t job_id, int64_t after,
                                                               int limit) const {
  std::vector<v1::Event> events;
  absl::Status status = Read([&](Connection* connection) {
    Query query = connection->Prepare(
        "SELECT sequence, trial, attempt, kind, at_unix_us, worker_id, message FROM events "
        "WHERE job_id = ? AND sequence > ? ORDER BY sequence LIMIT ?");
    query.Int(job_id).Int(after).Int(limit);
    while (query.Next()) {
      v1::Event& event = events.emplace_back();
      event.set_sequence(query.GetInt(0));
      event.set_job_id(job_id);
      event.set_trial(query.GetInt(1));
      event.set_attempt(static_cast<int32_t>(query.GetInt(2)));
      event.set_kind(ParseKind(query.GetText(3)));
      event.set_at_unix_us(query.GetInt(4));
      event.set_worker_id(query.GetText(5));
      event.set_message(query.GetText(6));
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return events;
}

absl::StatusOr<int64_t> SqliteStore::LastEventSequence() const {
  return ReadInt("SELECT seq FROM sqlite_sequence WHERE name = 'events'");
}

absl::StatusOr<std::vector<v1::LeaseRecord>> SqliteStore::LoadLeases() const {
  return ReadRecords<v1::LeaseRecord>(
      "SELECT record FROM leases ORDER BY token", [](Query*) {}, "a lease");
}

absl::StatusOr<int64_t> SqliteStore::NextLeaseToken() const {
  return ReadInt("SELECT value FROM meta WHERE key = 'next_lease_token'");
}

absl::StatusOr<std::vector<v1::WorkerRecord>> SqliteStore::LoadWorkers() const {
  return ReadRecords<v1::WorkerRecord>(
      "SELECT record FROM workers ORDER BY id", [](Query*) {}, "a worker");
}

absl::StatusOr<std::optional<v1::RequestRecord>> SqliteStore::FindRequest(
    absl::string_view request_id) const {
  const std::string id(request_id);
  std::optional<v1::RequestRecord> found;
  absl::Status status = Read([&](Connection* connection) {
    Query query = connection->Prepare(
        "SELECT method, content_sha256, response, at_unix_us FROM requests WHERE request_id = ?");
    query.Text(id);
    if (query.Next()) {
      found.emplace();
      found->set_request_id(id);
      found->set_method(query.GetText(0));
      found->set_content_sha256(query.GetText(1));
      found->set_response(std::string(query.GetBlob(2)));
      found->set_at_unix_us(query.GetInt(3));
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return found;
}

absl::Status ReadOnly(const std::string& path, absl::string_view why) {
  return ErrorWithReason(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_DATABASE_READ_ONLY,
                         absl::StrCat("database '", path, "' is read-only", why));
}

// What can be said before SQLite touches the file.
absl::Status CheckFile(const std::string& path) {
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    return absl::NotFoundError(
        absl::StrCat("folder '", folder.string(), "' of database '", path, "' does not exist"));
  }
  // SQLite would open it for reading and fail later.
  if (faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) != 0 && errno != ENOENT) {
    return ReadOnly(path, absl::StrCat(": ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

// Throws SQLite::Exception.
absl::Status PrepareDatabase(const SqliteStoreOptions& options, Connection* connection) {
  const std::string& path = options.path;
  if (connection->IsReadOnly()) return ReadOnly(path, "");
  // Says whether the file is ours before anything about it is changed.
  RETURN_IF_ERROR(CheckSchema(path, connection));
  const int64_t page_bytes = connection->GetInt("PRAGMA page_size");
  if (connection->GetInt("PRAGMA page_count") * page_bytes <= kCheckedBytes) {
    const std::string problem = connection->GetText("PRAGMA quick_check(1)");
    if (problem != "ok") return DatabaseCorrupt(path, problem);
  }
  const std::string mode = connection->GetText("PRAGMA journal_mode = WAL");
  if (mode != "wal") {
    return absl::InternalError(absl::StrCat("database '", path,
                                            "': its file system allows journal "
                                            "mode ",
                                            mode, " only; WAL is needed"));
  }
  connection->Execute("PRAGMA synchronous = FULL");
  // Gives back what a long read made the log grow to.
  connection->Execute(absl::StrCat("PRAGMA journal_size_limit = ", kKeptLogBytes));
  if (options.max_bytes > 0) {
    const int64_t pages = std::max<int64_t>(1, options.max_bytes / page_bytes);
    connection->Execute(absl::StrCat("PRAGMA max_page_count = ", pages));
  }
  MigrateSchema(connection);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const SqliteStoreOptions& options) {
  RETURN_IF_ERROR(CheckFile(options.path));
  ASSIGN_OR_RETURN(std::unique_ptr<FileLock> lock,
                   FileLock::Acquire(options.path, options.busy_timeout));
  std::unique_ptr<Connection> connection;
  try {
    connection = std::make_unique<Connection>(options.path, Access::kReadWrite,
                                              options.busy_timeout, options.vfs);
    RETURN_IF_ERROR(PrepareDatabase(options, connection.get()));
  } catch (const std::exception& error) {
    return SqliteException(options.path, error,
                           connection == nullptr ? 0 : connection->SystemErrno());
  }
  return std::make_unique<SqliteStore>(options, std::move(lock), std::move(connection));
}

}  // namespace frontier::coordinator
