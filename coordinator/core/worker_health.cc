#include "coordinator/core/worker_health.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/enum_names.h"

namespace frontier::coordinator {
namespace {

bool MayBeTheWorkers(v1::FailureCause cause) {
  switch (cause) {
    case v1::FAILURE_CAUSE_CRASHED:
    case v1::FAILURE_CAUSE_TIMED_OUT:
    case v1::FAILURE_CAUSE_DATASET:
    case v1::FAILURE_CAUSE_INTERNAL:
      return true;
    default:
      return false;
  }
}

bool IsStrike(const v1::Attempt& attempt) {
  return attempt.has_failure() && MayBeTheWorkers(attempt.failure().cause());
}

bool IsOf(const v1::Strike& strike, const v1::Trial& trial) {
  return strike.job_id() == trial.job_id() && strike.trial() == trial.number();
}

// Whether there was one.
bool TakeBack(const v1::Trial& trial, v1::WorkerRecord* record) {
  auto* strikes = record->mutable_strikes();
  const auto end = std::remove_if(strikes->begin(), strikes->end(),
                                  [&trial](const v1::Strike& s) { return IsOf(s, trial); });
  if (end == strikes->end()) return false;
  strikes->erase(end, strikes->end());
  if (strikes->size() < kStrikes) record->mutable_worker()->clear_quarantine();
  return true;
}

bool OthersHaveStrikesOf(int64_t job_id, const std::string& worker_id,
                         const WorkerRegistry& workers) {
  return workers.AnyRecord([&](const v1::WorkerRecord& record) {
    return record.worker().id() != worker_id && HasStrikeOf(record, job_id);
  });
}

void AddStrike(const v1::Trial& trial, const WorkerRegistry& workers, bool job_works,
               absl::Time now, v1::WorkerRecord* record) {
  const auto& strikes = record->strikes();
  const bool known = std::any_of(strikes.begin(), strikes.end(),
                                 [&trial](const v1::Strike& s) { return IsOf(s, trial); });
  if (!known) {
    // Those beyond the limit would change nothing.
    if (strikes.size() >= kStrikes) record->mutable_strikes()->DeleteSubrange(0, 1);
    v1::Strike* strike = record->add_strikes();
    strike->set_job_id(trial.job_id());
    strike->set_trial(trial.number());
  }
  if (record->strikes_size() < kStrikes) return;
  if (!job_works && OthersHaveStrikesOf(trial.job_id(), record->worker().id(), workers)) return;
  v1::Worker* worker = record->mutable_worker();
  // What was under way when it began is no reason for a longer one.
  if (worker->has_quarantine() && !WhyNotAdmitted(*worker, now).empty()) return;
  const v1::Failure& failure = trial.attempts().rbegin()->failure();
  v1::Quarantine* quarantine = worker->mutable_quarantine();
  absl::Duration length = kFirstQuarantine;
  for (int i = 0; i < quarantine->times() && length < kLongestQuarantine; ++i) length *= 2;
  quarantine->set_times(quarantine->times() + 1);
  quarantine->set_until_unix_us(absl::ToUnixMicros(now + std::min(length, kLongestQuarantine)));
  quarantine->set_reason(
      absl::StrCat("trial after trial failed here, job ", trial.job_id(), " trial ", trial.number(),
                   " last: ", EnumName(failure.cause()), ": ", failure.message()));
}

}  // namespace

bool HasStrikeOf(const v1::WorkerRecord& record, int64_t job_id) {
  return std::any_of(record.strikes().begin(), record.strikes().end(),
                     [job_id](const v1::Strike& strike) { return strike.job_id() == job_id; });
}

std::vector<v1::WorkerRecord> JudgeWorkers(const WorkerRegistry& workers, const v1::Trial& trial,
                                           bool job_works, absl::Time now) {
  if (trial.attempts().empty()) return {};
  const v1::Attempt& last = *trial.attempts().rbegin();
  const v1::WorkerRecord* here = workers.Find(last.worker_id());
  if (last.state() == v1::ATTEMPT_STATE_SUCCEEDED) {
    if (here == nullptr || (here->strikes().empty() && !here->worker().has_quarantine())) return {};
    v1::WorkerRecord healthy = *here;
    healthy.clear_strikes();
    healthy.mutable_worker()->clear_quarantine();
    return {std::move(healthy)};
  }
  if (!IsStrike(last)) return {};
  std::map<std::string, v1::WorkerRecord> changed;
  bool elsewhere = false;
  for (const v1::Attempt& attempt : trial.attempts()) {
    if (!IsStrike(attempt) || attempt.worker_id() == last.worker_id()) continue;
    elsewhere = true;
    const v1::WorkerRecord* other = workers.Find(attempt.worker_id());
    if (other == nullptr) continue;
    v1::WorkerRecord record = *other;
    if (TakeBack(trial, &record)) changed[attempt.worker_id()] = std::move(record);
  }
  if (here != nullptr) {
    v1::WorkerRecord record = *here;
    if (!elsewhere) {
      AddStrike(trial, workers, job_works, now, &record);
      changed[last.worker_id()] = std::move(record);
    } else if (TakeBack(trial, &record)) {
      changed[last.worker_id()] = std::move(record);
    }
  }
  std::vector<v1::WorkerRecord> records;
  for (auto& [id, record] : changed) records.push_back(std::move(record));
  return records;
}

bool IsAdmitted(const v1::Worker& worker, int running, absl::Time now) {
  return WhyNotAdmitted(worker, now).empty() && (!worker.has_quarantine() || running == 0);
}

std::string WhyNotAdmitted(const v1::Worker& worker, absl::Time now) {
  if (worker.draining()) return absl::StrCat("worker '", worker.id(), "' is draining");
  if (!worker.has_quarantine()) return "";
  const absl::Duration left = absl::FromUnixMicros(worker.quarantine().until_unix_us()) - now;
  // More than the longest: the wall clock was set back since.
  if (left <= absl::ZeroDuration() || left > kLongestQuarantine) return "";
  return absl::StrCat("worker '", worker.id(), "' is in quarantine for ",
                      absl::FormatDuration(absl::Ceil(left, absl::Seconds(1))), ", since ",
                      worker.quarantine().reason());
}

}  // namespace frontier::coordinator
