// One job that has not ended, or is to go on after its end, in memory.
#ifndef FRONTIER_COORDINATOR_CORE_JOB_STATE_H_
#define FRONTIER_COORDINATOR_CORE_JOB_STATE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/strong_id.h"
#include "common/pareto/pareto.h"
#include "coordinator/core/worker_registry.h"
#include "coordinator/space/space.h"
#include "coordinator/stopping/curves.h"
#include "coordinator/stopping/ladders.h"
#include "coordinator/stopping/rungs.h"
#include "coordinator/storage/store.h"
#include "coordinator/strategy/strategy.h"
#include "frontier/v1/record.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::coordinator {

// Whether a new trial may be proposed, as far as counts and state go; whether it may be once the
// job is not paused.
bool MayPropose(const v1::Job& job);
bool MayProposeLater(const v1::Job& job);

// A trial that waits for another attempt.
struct QueuedTrial {
  TrialNumber number;
  absl::Duration since;  // Clock::Elapsed
};

// The job as clients see it at `now`: with what is computed on reading. Also for ended jobs.
v1::Job ViewJob(const v1::JobRecord& record, const WorkerRegistry& workers, absl::Duration elapsed,
                absl::Time now);

// Pure state: what the store has of the job, in the form in which decisions need it. Changed only
// by JobDraft::Apply, after the change is written. Of trials that have ended only what proposals
// depend on stays in memory. Not thread-safe.
class JobState {
 public:
  // How strategies see the end of a trial that succeeded or failed. DATA_LOSS names the trial if
  // its result lacks what the job's objectives and constraints are of.
  static absl::StatusOr<Observation> Observe(const v1::JobSpec& spec, const v1::Trial& trial);

  // A new job: `record.job.spec` complete but for its strategy, whose defaults and first state are
  // put into the record.
  // INVALID_ARGUMENT (reason INVALID_FIELD) for a search space or strategy that makes no sense.
  static absl::StatusOr<std::unique_ptr<JobState>> Create(v1::JobRecord record);
  // A job as the store has it. Queued trials count as queued at `elapsed`.
  static absl::StatusOr<std::unique_ptr<JobState>> Restore(v1::JobRecord record, const Store& store,
                                                           absl::Duration elapsed);

  // Of a job that is not stored yet.
  void SetId(JobId id) { record_.mutable_job()->set_id(id.value()); }

  JobId id() const { return JobId(record_.job().id()); }
  const v1::JobRecord& record() const { return record_; }
  const v1::Job& job() const { return record_.job(); }
  const v1::JobSpec& spec() const { return record_.job().spec(); }
  const Space& space() const { return *space_; }
  const ParetoFront& front() const { return front_; }
  const std::deque<QueuedTrial>& queue() const { return queue_; }
  const Ladders& ladders() const { return ladders_; }
  const Curves& curves() const { return curves_; }
  // Digests of what trials that are not finished are trained on from, by their numbers.
  const absl::flat_hash_map<int64_t, std::string>& checkpoints() const { return checkpoints_; }
  // Whether an attempt may start, as far as counts and state go: a trial is queued or waits at a
  // rung and may go on, or one can be proposed.
  bool HasWork() const;
  // The trial that waits at a rung and is to go on before others are proposed, if any. In a job
  // that has nothing else to do and no trial that was trained to its end, the best of all.
  std::optional<TrialNumber> NextToGoOn() const;
  // Of a queued or running trial.
  const v1::Architecture& ArchitectureOf(TrialNumber number) const {
    return architectures_.at(number);
  }
  // Queued and running trials, by number, without their architectures.
  const std::map<TrialNumber, v1::Trial>& open_trials() const { return open_; }
  // Null if the trial has ended or was never made.
  const v1::Trial* FindOpen(TrialNumber number) const;

  // The queued trial that `worker_id` should take, if any. One that this worker has just failed is
  // left for others until `patience` has passed, if `others_can_take_it`.
  std::optional<TrialNumber> NextQueued(absl::string_view worker_id, bool others_can_take_it,
                                        absl::Duration elapsed, absl::Duration patience) const;

 private:
  friend class JobDraft;

  explicit JobState(v1::JobRecord record)
      : record_(std::move(record)),
        ladders_(spec()),
        rungs_(ladders_.reduction()),
        curves_(spec().early_stopping()) {}
  absl::Status Build();
  // Adds what proposals depend on, of one that has ended, to `ended`, in no order.
  struct Ended;
  absl::Status TakeTrial(const v1::Trial& trial, absl::Duration elapsed, std::vector<Ended>* ended);
  absl::Status TakeRungs(const v1::Trial& trial, std::vector<Ended>* ended) const;
  // What has not ended among the first `known_ends` of the history, open or not; by number.
  std::vector<Running> RunningAfter(size_t known_ends) const;

  v1::JobRecord record_;
  std::unique_ptr<Space> space_;
  std::unique_ptr<Strategy> strategy_;
  absl::flat_hash_set<std::string> hashes_;  // of every trial made
  std::vector<Observation> history_;         // since the space was composed
  std::map<TrialNumber, v1::Trial> open_;
  std::map<TrialNumber, v1::Architecture> architectures_;  // of these; they do not change
  std::deque<QueuedTrial> queue_;
  ParetoFront front_;
  Ladders ladders_;
  Rungs rungs_;
  Curves curves_;
  absl::flat_hash_map<int64_t, std::string> checkpoints_;  // digests, of trials at rungs
  // Of trials that were scored untrained, and trained: score and accuracy.
  std::vector<std::pair<double, double>> scores_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_JOB_STATE_H_
