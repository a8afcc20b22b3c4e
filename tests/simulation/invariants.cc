#include "tests/simulation/invariants.h"

#include <algorithm>
#include <limits>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "coordinator/core/outlines.h"
#include "coordinator/core/references.h"
#include "coordinator/core/trial_machine.h"
#include "tests/simulation/worker.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::simulation {
namespace {

using coordinator::AttemptId;
using coordinator::HasEnded;

constexpr int kAll = std::numeric_limits<int>::max();

struct Counts {
  int64_t queued = 0;
  int64_t running = 0;
  int64_t succeeded = 0;
  int64_t failed = 0;
  int64_t cancelled = 0;
  int64_t stopped = 0;
};

std::string Name(const v1::Trial& trial) {
  return absl::StrCat("job ", trial.job_id(), " trial ", trial.number());
}

void Count(const v1::Trial& trial, Counts* counts) {
  counts->queued += trial.state() == v1::TRIAL_STATE_QUEUED;
  counts->running += trial.state() == v1::TRIAL_STATE_RUNNING;
  counts->succeeded += trial.state() == v1::TRIAL_STATE_SUCCEEDED;
  counts->failed += trial.state() == v1::TRIAL_STATE_FAILED;
  counts->cancelled += trial.state() == v1::TRIAL_STATE_CANCELLED;
  counts->stopped += trial.state() == v1::TRIAL_STATE_STOPPED;
}

// That `attempt` found this: the figure says under which lease it was found.
std::string CheckOrigin(const v1::Trial& trial, const v1::TrialResult& result, int attempt,
                        const Told& told) {
  const auto lease = told.leases.find(TokenOf(testing::ValueOf(result, v1::METRIC_ACCURACY)));
  if (lease == told.leases.end() || lease->second.trial.value() != trial.number() ||
      lease->second.job.value() != trial.job_id() || lease->second.attempt != attempt) {
    return absl::StrCat(Name(trial), " has the result of another attempt than ", attempt);
  }
  return "";
}

std::string CheckAttempts(const v1::Trial& trial, const std::set<AttemptId>& leased,
                          const Told& told) {
  int succeeded = 0;
  int running = 0;
  for (const v1::Attempt& attempt : trial.attempts()) {
    const AttemptId id{JobId(trial.job_id()), TrialNumber(trial.number()), attempt.number()};
    const bool runs = attempt.state() == v1::ATTEMPT_STATE_RUNNING;
    running += runs;
    succeeded += attempt.state() == v1::ATTEMPT_STATE_SUCCEEDED;
    if (runs != (leased.count(id) > 0)) {
      return absl::StrCat(id.ToString(),
                          runs ? " runs without a lease" : " has ended and is leased");
    }
  }
  const bool done = trial.state() == v1::TRIAL_STATE_SUCCEEDED;
  if (succeeded != trial.rungs_size() + (done ? 1 : 0)) {
    return absl::StrCat(Name(trial), " has ", succeeded, " successful attempts and ",
                        trial.rungs_size(), " rungs and is in state ", trial.state());
  }
  if (running != (trial.state() == v1::TRIAL_STATE_RUNNING ? 1 : 0)) {
    return absl::StrCat(Name(trial), " has ", running, " running attempts and is in state ",
                        trial.state());
  }
  for (const v1::RungResult& rung : trial.rungs()) {
    v1::TrialResult result;
    *result.mutable_measurements() = rung.measurements();
    std::string wrong = CheckOrigin(trial, result, rung.attempt(), told);
    if (!wrong.empty()) return wrong;
  }
  if (!done) return "";
  const v1::Attempt& last = trial.attempts(trial.attempts_size() - 1);
  if (last.state() != v1::ATTEMPT_STATE_SUCCEEDED) {
    return absl::StrCat(Name(trial), " has an attempt after its success");
  }
  return CheckOrigin(trial, trial.result(), last.number(), told);
}

// What was told of is there, as it was told.
std::string CheckTold(const coordinator::Store& store, const Told& told) {
  for (const auto& [id, report] : told.reports) {
    const auto trial = store.GetTrial(id.job.value(), id.trial.value());
    if (!trial.ok() || trial->attempts_size() < id.attempt ||
        trial->attempts(id.attempt - 1).report_id() != report.request_id ||
        trial->attempts(id.attempt - 1).reported_state() != report.state) {
      return absl::StrCat(id.ToString(), ": its report was acknowledged and is not there");
    }
  }
  for (const auto& [token, id] : told.leases) {
    const auto trial = store.GetTrial(id.job.value(), id.trial.value());
    if (!trial.ok() || trial->attempts_size() < id.attempt) {
      return absl::StrCat(id.ToString(), ": its lease was told and is not there");
    }
  }
  return "";
}

std::string CheckBlobs(const coordinator::Store& store, const coordinator::BlobStore& blobs) {
  absl::flat_hash_map<std::string, int> references;
  const absl::Status counted = coordinator::CountReferences(store, &references);
  if (!counted.ok()) return std::string(counted.message());
  for (const auto& [sha256, count] : references) {
    if (!blobs.Has(sha256)) return absl::StrCat("weights ", sha256, " are kept and not there");
  }
  return "";
}

std::string CheckEvents(const coordinator::Store& store, const v1::Job& job,
                        const std::vector<v1::Trial>& trials) {
  const auto events = store.ListEvents(job.id(), 0, kAll);
  if (!events.ok()) return std::string(events.status().message());
  std::map<v1::EventKind, int64_t> kinds;
  for (const v1::Event& event : *events) ++kinds[event.kind()];
  int64_t attempts = 0;
  for (const v1::Trial& trial : trials) attempts += trial.attempts_size();
  const std::pair<v1::EventKind, int64_t> expected[] = {
      {v1::EVENT_KIND_JOB_SUBMITTED, 1},
      {v1::EVENT_KIND_TRIAL_PROPOSED, job.trials_created()},
      {v1::EVENT_KIND_ATTEMPT_STARTED, attempts},
      {v1::EVENT_KIND_TRIAL_SUCCEEDED, job.trials_succeeded()},
      {v1::EVENT_KIND_TRIAL_FAILED, job.trials_failed()}};
  for (const auto& [kind, count] : expected) {
    if (kinds[kind] == count) continue;
    return absl::StrCat("job ", job.id(), ": the log has ", kinds[kind], " events of kind ", kind,
                        ", there should be ", count);
  }
  return "";
}

std::string CheckCounts(const v1::Job& job, const std::vector<v1::Trial>& trials) {
  Counts counts;
  for (const v1::Trial& trial : trials) Count(trial, &counts);
  if (job.trials_created() != static_cast<int64_t>(trials.size()) ||
      job.trials_queued() != counts.queued || job.trials_running() != counts.running ||
      job.trials_succeeded() != counts.succeeded || job.trials_failed() != counts.failed ||
      job.trials_cancelled() != counts.cancelled || job.trials_stopped() != counts.stopped) {
    return absl::StrCat("job ", job.id(), ": its counts are not those of its trials: ",
                        job.ShortDebugString().substr(0, 2000));
  }
  if (job.trials_created() > job.spec().budget().trials()) {
    return absl::StrCat("job ", job.id(), " has ", job.trials_created(), " trials, its budget is ",
                        job.spec().budget().trials());
  }
  if (HasEnded(job.state()) && counts.queued + counts.running > 0) {
    return absl::StrCat("job ", job.id(), " has ended and has open trials");
  }
  return "";
}

}  // namespace

std::vector<int64_t> BruteForceFront(const std::vector<v1::Trial>& trials) {
  const auto figures = [](const v1::Trial& trial) {
    return std::pair(-testing::ValueOf(trial.result(), v1::METRIC_ACCURACY),
                     testing::ValueOf(trial.result(), v1::METRIC_LATENCY_MS));
  };
  std::vector<int64_t> front;
  for (const v1::Trial& trial : trials) {
    if (trial.state() != v1::TRIAL_STATE_SUCCEEDED || !trial.feasible()) continue;
    const auto mine = figures(trial);
    const bool beaten = std::any_of(trials.begin(), trials.end(), [&](const v1::Trial& other) {
      if (other.state() != v1::TRIAL_STATE_SUCCEEDED || !other.feasible()) return false;
      const auto theirs = figures(other);
      return theirs != mine && theirs.first <= mine.first && theirs.second <= mine.second;
    });
    if (!beaten) front.push_back(trial.number());
  }
  return front;
}

std::string CheckStore(const coordinator::Store& store, const coordinator::BlobStore& blobs,
                       const Told& told) {
  for (const std::string& wrong : {CheckTold(store, told), CheckBlobs(store, blobs)}) {
    if (!wrong.empty()) return wrong;
  }
  const auto outlines = coordinator::FindWrongOutlines(store);
  if (!outlines.ok()) return std::string(outlines.status().message());
  if (!outlines->empty()) return outlines->front();
  const auto leases = store.LoadLeases();
  if (!leases.ok()) return std::string(leases.status().message());
  std::set<AttemptId> leased;
  std::set<std::pair<int64_t, int64_t>> trials_leased;
  for (const v1::LeaseRecord& lease : *leases) {
    leased.insert(AttemptId::FromKey(lease.key()));
    if (!trials_leased.emplace(lease.key().job_id(), lease.key().trial()).second) {
      return absl::StrCat("trial ", lease.key().trial(), " is leased twice");
    }
    if (lease.token() >= store.NextLeaseToken().value_or(0)) {
      return absl::StrCat("token ", lease.token(), " will be given out again");
    }
  }
  if (!told.leases.empty() && told.leases.rbegin()->first >= store.NextLeaseToken().value_or(0)) {
    return absl::StrCat("token ", told.leases.rbegin()->first, " was told and will be given again");
  }
  for (const int64_t id : told.jobs) {
    const auto record = store.GetJob(id);
    if (!record.ok()) return std::string(record.status().message());
    const v1::Job& job = record->job();
    if (told.cancelled_jobs.count(id) > 0 && job.state() != v1::JOB_STATE_CANCELLED) {
      return absl::StrCat("job ", id, " was cancelled and is in state ", job.state());
    }
    const auto trials =
        store.ListTrials(id, 0, v1::TRIAL_STATE_UNSPECIFIED, kAll, coordinator::TrialParts::kAll);
    if (!trials.ok()) return std::string(trials.status().message());
    std::vector<int64_t> front;
    for (const v1::Trial& trial : *trials) {
      if (trial.on_front()) front.push_back(trial.number());
      std::string wrong = CheckAttempts(trial, leased, told);
      if (!wrong.empty()) return wrong;
    }
    for (const std::string& wrong : {CheckCounts(job, *trials), CheckEvents(store, job, *trials)}) {
      if (!wrong.empty()) return wrong;
    }
    if (front != BruteForceFront(*trials)) {
      return absl::StrCat("job ", id, ": the front is not what beats all others");
    }
  }
  return "";
}

}  // namespace frontier::simulation
