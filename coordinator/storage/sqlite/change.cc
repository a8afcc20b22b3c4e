#include "coordinator/storage/sqlite/change.h"

#include <SQLiteCpp/Exception.h>

#include <string>

#include "coordinator/storage/sqlite/names.h"

namespace frontier::coordinator {
namespace {

// Unset text stays NULL, so that `WHERE failure IS NOT NULL` works in a shell.
class OptionalText {
 public:
  OptionalText(bool present, std::string text) : present_(present), text_(std::move(text)) {}
  void BindTo(Query* query) const {
    if (present_) {
      query->Text(text_);
    } else {
      query->Null();
    }
  }

 private:
  const bool present_;
  const std::string text_;
};

bool HasEnded(v1::JobState state) {
  return state == v1::JOB_STATE_COMPLETED || state == v1::JOB_STATE_CANCELLED ||
         state == v1::JOB_STATE_FAILED;
}

// Of a job that is stored.
void UpdateJob(const v1::JobRecord& record, Connection* connection) {
  const v1::Job& job = record.job();
  const std::string state = StateName(job.state());
  const std::string bytes = record.SerializeAsString();
  Query query = connection->Prepare(
      "UPDATE jobs SET state = ?, ended = ?, submitted_unix_us = ?, ended_unix_us = ?, record = ? "
      "WHERE id = ?");
  query.Text(state).Int(HasEnded(job.state()) ? 1 : 0).Int(job.submitted_unix_us());
  query.Int(job.ended_unix_us()).Blob(bytes).Int(job.id()).Run();
  if (connection->Changes() != 1) {
    throw SQLite::Exception("job " + std::to_string(job.id()) + " has no spec and is not stored");
  }
}

void WriteJob(const v1::JobRecord& record, Connection* connection) {
  if (!record.job().has_spec()) {
    UpdateJob(record, connection);
    return;
  }
  const v1::Job& job = record.job();
  const std::string state = StateName(job.state());
  v1::JobRecord without_spec = record;
  without_spec.mutable_job()->clear_spec();
  const std::string bytes = without_spec.SerializeAsString();
  Query query = connection->Prepare(
      "INSERT INTO jobs (id, name, state, ended, submitted_unix_us, ended_unix_us, record) "
      "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, "
      "state = excluded.state, ended = excluded.ended, "
      "submitted_unix_us = excluded.submitted_unix_us, ended_unix_us = excluded.ended_unix_us, "
      "record = excluded.record");
  query.Int(job.id()).Text(job.spec().name()).Text(state).Int(HasEnded(job.state()) ? 1 : 0);
  query.Int(job.submitted_unix_us()).Int(job.ended_unix_us()).Blob(bytes);
  query.Run();
  WriteSpec(job.id(), job.spec(), connection);
}

void WriteArchitecture(const v1::Trial& trial, Connection* connection) {
  const std::string bytes = trial.architecture().SerializeAsString();
  // Touches no page while the architecture stays the same.
  Query query = connection->Prepare(
      "INSERT INTO architectures (job_id, trial, architecture) VALUES (?, ?, ?) "
      "ON CONFLICT (job_id, trial) DO UPDATE SET architecture = excluded.architecture "
      "WHERE architecture IS NOT excluded.architecture");
  query.Int(trial.job_id()).Int(trial.number()).Blob(bytes).Run();
}

void WriteAttempts(const v1::Trial& trial, Connection* connection) {
  // Attempts are added and changed, and never taken away.
  Query query = connection->Prepare(
      "INSERT INTO attempts (job_id, trial, number, state, worker_id, started_unix_us, "
      "ended_unix_us, epochs, cpu_seconds, energy_j, co2_g, failure) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job_id, trial, number) "
      "DO UPDATE SET state = excluded.state, worker_id = excluded.worker_id, "
      "started_unix_us = excluded.started_unix_us, ended_unix_us = excluded.ended_unix_us, "
      "epochs = excluded.epochs, cpu_seconds = excluded.cpu_seconds, "
      "energy_j = excluded.energy_j, co2_g = excluded.co2_g, failure = excluded.failure");
  for (const v1::Attempt& attempt : trial.attempts()) {
    const std::string state = StateName(attempt.state());
    const OptionalText failure(attempt.has_failure(), CauseName(attempt.failure().cause()));
    query.Int(trial.job_id()).Int(trial.number()).Int(attempt.number());
    query.Text(state).Text(attempt.worker_id());
    query.Int(attempt.started_unix_us()).Int(attempt.ended_unix_us()).Int(attempt.epochs_size());
    query.Real(attempt.cpu_seconds()).Real(attempt.energy_j()).Real(attempt.co2_g());
    failure.BindTo(&query);
    query.Run();
  }
}

void WriteMeasurements(const v1::Trial& trial, Connection* connection) {
  Query query = connection->Prepare(
      "INSERT OR REPLACE INTO measurements (job_id, trial, metric, value, low, high, unit, method, "
      "hardware_class) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const v1::Measurement& measurement : trial.result().measurements()) {
    const std::string metric = MetricName(measurement.metric());
    const std::string unit = MetricUnit(measurement.metric());
    query.Int(trial.job_id()).Int(trial.number()).Text(metric);
    query.Real(measurement.value()).Real(measurement.low()).Real(measurement.high());
    query.Text(unit).Text(measurement.method()).Text(measurement.hardware_class());
    query.Run();
  }
}

std::string WithoutArchitecture(const v1::Trial& trial) {
  if (!trial.has_architecture()) return trial.SerializeAsString();
  v1::Trial stored = trial;
  stored.clear_architecture();
  return stored.SerializeAsString();
}

void WriteTrial(const v1::Trial& trial, Connection* connection) {
  const std::string state = StateName(trial.state());
  const OptionalText failure(trial.has_failure(), CauseName(trial.failure().cause()));
  const std::string bytes = WithoutArchitecture(trial);
  {
    Query query = connection->Prepare(
        "INSERT INTO trials (job_id, number, state, canonical_hash, summary, on_front, feasible, "
        "failure, created_unix_us, ended_unix_us, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (job_id, number) DO UPDATE SET state = excluded.state, "
        "canonical_hash = excluded.canonical_hash, summary = excluded.summary, "
        "on_front = excluded.on_front, feasible = excluded.feasible, failure = excluded.failure, "
        "created_unix_us = excluded.created_unix_us, ended_unix_us = excluded.ended_unix_us, "
        "record = excluded.record");
    query.Int(trial.job_id()).Int(trial.number()).Text(state).Text(trial.canonical_hash());
    query.Text(trial.summary()).Int(trial.on_front() ? 1 : 0).Int(trial.feasible() ? 1 : 0);
    failure.BindTo(&query);
    query.Int(trial.created_unix_us()).Int(trial.ended_unix_us()).Blob(bytes).Run();
  }
  if (trial.has_architecture()) WriteArchitecture(trial, connection);
  WriteAttempts(trial, connection);
  WriteMeasurements(trial, connection);
}

void WriteLease(const v1::LeaseRecord& lease, Connection* connection) {
  const std::string bytes = lease.SerializeAsString();
  Query query = connection->Prepare(
      "INSERT INTO leases (job_id, trial, attempt, token, worker_id, expires_unix_us, record) "
      "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job_id, trial, attempt) DO UPDATE SET "
      "token = excluded.token, worker_id = excluded.worker_id, "
      "expires_unix_us = excluded.expires_unix_us, record = excluded.record");
  query.Int(lease.key().job_id()).Int(lease.key().trial()).Int(lease.key().attempt());
  query.Int(lease.token()).Text(lease.worker_id()).Int(lease.expires_unix_us()).Blob(bytes).Run();
}

void DeleteLease(const v1::AttemptKey& key, Connection* connection) {
  Query query =
      connection->Prepare("DELETE FROM leases WHERE job_id = ? AND trial = ? AND attempt = ?");
  query.Int(key.job_id()).Int(key.trial()).Int(key.attempt()).Run();
}

void WriteWorker(const v1::WorkerRecord& record, Connection* connection) {
  const v1::Worker& worker = record.worker();
  const std::string bytes = record.SerializeAsString();
  Query query = connection->Prepare(
      "INSERT INTO workers (id, version, hardware_class, slots, last_seen_unix_us, record) "
      "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET version = excluded.version, "
      "hardware_class = excluded.hardware_class, slots = excluded.slots, "
      "last_seen_unix_us = excluded.last_seen_unix_us, record = excluded.record");
  query.Text(worker.id()).Text(worker.version()).Text(worker.hardware().hardware_class());
  query.Int(worker.slots()).Int(worker.last_seen_unix_us()).Blob(bytes).Run();
}

void DeleteWorker(const std::string& id, Connection* connection) {
  Query query = connection->Prepare("DELETE FROM workers WHERE id = ?");
  query.Text(id).Run();
}

int64_t WriteEvent(const v1::Event& event, Connection* connection) {
  const std::string kind = KindName(event.kind());
  Query query = connection->Prepare(
      "INSERT INTO events (job_id, trial, attempt, kind, at_unix_us, worker_id, message) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)");
  query.Int(event.job_id()).Int(event.trial()).Int(event.attempt()).Text(kind);
  query.Int(event.at_unix_us()).Text(event.worker_id()).Text(event.message()).Run();
  return connection->LastInsertRowId();
}

void DeleteJob(int64_t job_id, Connection* connection) {
  Query query = connection->Prepare("UPDATE jobs SET deleted = 1 WHERE id = ?");
  query.Int(job_id).Run();
}

void RunSweep(const v1::Sweep& sweep, Connection* connection) {
  Query trials = connection->Prepare(
      sweep.keep_front() ? "DELETE FROM trials WHERE job_id = ? AND number <= ? AND on_front = 0"
                         : "DELETE FROM trials WHERE job_id = ? AND number <= ?");
  trials.Int(sweep.job_id()).Int(sweep.through_trial()).Run();
  Query events = connection->Prepare("DELETE FROM events WHERE job_id = ? AND sequence <= ?");
  events.Int(sweep.job_id()).Int(sweep.through_event()).Run();
  Query job = connection->Prepare(
      "DELETE FROM jobs WHERE id = ?1 AND deleted = 1 "
      "AND NOT EXISTS (SELECT 1 FROM trials WHERE job_id = ?1) "
      "AND NOT EXISTS (SELECT 1 FROM events WHERE job_id = ?1)");
  job.Int(sweep.job_id()).Run();
}

void WriteRequest(const v1::RequestRecord& request, Connection* connection) {
  Query query = connection->Prepare(
      "INSERT INTO requests (request_id, method, content_sha256, response, at_unix_us) "
      "VALUES (?, ?, ?, ?, ?)");
  query.Text(request.request_id()).Text(request.method()).Text(request.content_sha256());
  query.Blob(request.response()).Int(request.at_unix_us()).Run();
}

void WriteOutlines(const v1::TrialOutlines& outlines, Connection* connection) {
  Query overlapped =
      connection->Prepare("DELETE FROM outlines WHERE job_id = ? AND first <= ? AND last >= ?");
  overlapped.Int(outlines.job_id()).Int(outlines.last()).Int(outlines.first()).Run();
  const std::string bytes = outlines.SerializeAsString();
  Query query = connection->Prepare(
      "INSERT INTO outlines (job_id, first, last, outlines) VALUES (?, ?, ?, ?)");
  query.Int(outlines.job_id()).Int(outlines.first()).Int(outlines.last()).Blob(bytes).Run();
}

}  // namespace

void WriteSpec(int64_t job_id, const v1::JobSpec& spec, Connection* connection) {
  const std::string bytes = spec.SerializeAsString();
  Query query = connection->Prepare(
      "INSERT INTO job_specs (job_id, spec) VALUES (?, ?) "
      "ON CONFLICT (job_id) DO UPDATE SET spec = excluded.spec");
  query.Int(job_id).Blob(bytes).Run();
}

void WriteChange(const v1::Change& change, Connection* connection,
                 std::vector<int64_t>* sequences) {
  for (const v1::JobRecord& job : change.jobs()) WriteJob(job, connection);
  // Before the trials, which they are older than.
  for (const v1::TrialOutlines& outlines : change.outlines()) WriteOutlines(outlines, connection);
  for (const v1::Trial& trial : change.trials()) WriteTrial(trial, connection);
  for (const v1::LeaseRecord& lease : change.leases()) WriteLease(lease, connection);
  for (const v1::AttemptKey& key : change.ended_leases()) DeleteLease(key, connection);
  for (const std::string& id : change.deleted_workers()) DeleteWorker(id, connection);
  for (const v1::WorkerRecord& worker : change.workers()) WriteWorker(worker, connection);
  for (const v1::Event& event : change.events()) {
    sequences->push_back(WriteEvent(event, connection));
  }
  if (change.requests_before_unix_us() > 0) {
    Query query = connection->Prepare("DELETE FROM requests WHERE at_unix_us < ?");
    query.Int(change.requests_before_unix_us()).Run();
  }
  for (const v1::RequestRecord& request : change.requests()) WriteRequest(request, connection);
  if (change.next_lease_token() > 0) {
    Query query = connection->Prepare("UPDATE meta SET value = ? WHERE key = 'next_lease_token'");
    query.Int(change.next_lease_token()).Run();
  }
  for (const int64_t job_id : change.deleted_jobs()) DeleteJob(job_id, connection);
  for (const v1::Sweep& sweep : change.sweeps()) RunSweep(sweep, connection);
}

}  // namespace frontier::coordinator
