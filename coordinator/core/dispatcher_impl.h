// The decider. Every public method takes the one lock, decides, commits, applies; what goes to
// listeners goes after the lock is released.
#ifndef FRONTIER_COORDINATOR_CORE_DISPATCHER_IMPL_H_
#define FRONTIER_COORDINATOR_CORE_DISPATCHER_IMPL_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/strong_id.h"
#include "coordinator/blobs/blob_store.h"
#include "coordinator/core/attempt_id.h"
#include "coordinator/core/dispatcher.h"
#include "coordinator/core/job_draft.h"
#include "coordinator/core/job_state.h"
#include "coordinator/core/lease_table.h"
#include "coordinator/core/outlines.h"
#include "coordinator/core/request_log.h"
#include "coordinator/core/scheduler.h"
#include "coordinator/core/worker_registry.h"
#include "coordinator/storage/journal.h"
#include "coordinator/storage/store.h"

namespace frontier::coordinator {

class DispatcherImpl final : public Dispatcher {
 public:
  DispatcherImpl(const DispatcherOptions& options, Store* store, Journal* journal, BlobStore* blobs,
                 Clock* clock);

  // Once, before anything else.
  absl::Status Start();

  absl::StatusOr<v1::SubmitJobResponse> SubmitJob(const v1::SubmitJobRequest& request) override;
  absl::StatusOr<v1::GetJobResponse> GetJob(const v1::GetJobRequest& request) override;
  absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest& request) override;
  absl::StatusOr<v1::CancelJobResponse> CancelJob(const v1::CancelJobRequest& request) override;
  absl::StatusOr<v1::PauseJobResponse> PauseJob(const v1::PauseJobRequest& request) override;
  absl::StatusOr<v1::ResumeJobResponse> ResumeJob(const v1::ResumeJobRequest& request) override;
  absl::StatusOr<v1::UpdateJobResponse> UpdateJob(const v1::UpdateJobRequest& request) override;
  absl::StatusOr<v1::DeleteJobResponse> DeleteJob(const v1::DeleteJobRequest& request) override;
  absl::StatusOr<v1::ExtendSpaceResponse> ExtendSpace(
      const v1::ExtendSpaceRequest& request) override;
  absl::StatusOr<v1::ReplayJobResponse> ReplayJob(const v1::ReplayJobRequest& request) override;
  absl::StatusOr<v1::ListTrialsResponse> ListTrials(const v1::ListTrialsRequest& request) override;
  absl::StatusOr<v1::GetTrialResponse> GetTrial(const v1::GetTrialRequest& request) override;
  absl::StatusOr<v1::GetFrontResponse> GetFront(const v1::GetFrontRequest& request) override;
  absl::StatusOr<v1::ListWorkersResponse> ListWorkers(
      const v1::ListWorkersRequest& request) override;
  absl::StatusOr<v1::DrainWorkerResponse> DrainWorker(
      const v1::DrainWorkerRequest& request) override;
  absl::StatusOr<v1::AdmitWorkerResponse> AdmitWorker(
      const v1::AdmitWorkerRequest& request) override;
  absl::StatusOr<v1::WatchJobResponse> PollJob(const v1::WatchJobRequest& request,
                                               int64_t* cursor) override;
  absl::StatusOr<std::string> FindWeights(const v1::GetWeightsRequest& request) override;

  absl::StatusOr<v1::RegisterResponse> Register(const v1::RegisterRequest& request) override;
  absl::StatusOr<v1::LeaseResponse> TryLease(const v1::LeaseRequest& request) override;
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request) override;
  absl::Status CheckLease(const v1::UploadWeightsHeader& header) override;
  absl::StatusOr<std::string> FindParentWeights(
      const v1::GetParentWeightsRequest& request) override;
  absl::StatusOr<std::string> FindCheckpoint(const v1::GetCheckpointRequest& request) override;
  absl::StatusOr<v1::ReportResponse> Report(const v1::ReportRequest& request) override;
  absl::StatusOr<v1::GiveBackResponse> GiveBack(const v1::GiveBackRequest& request) override;

  int64_t losses() const override { return journal_->losses(); }
  void WhenDurable(int64_t losses, Journal::Done done) override {
    journal_->WhenDurable(losses, std::move(done));
  }
  int64_t backlog() const override { return journal_->backlog(); }
  absl::Status Tick() override;
  void NoteStall(absl::Duration stall) override;
  void SetChangeListener(absl::AnyInvocable<void()> listener) override;

 private:
  // Sees to what follows from a change that was committed, on leaving a public method. Declared
  // before the lock, so that it is destroyed after it.
  class NotifyOnExit {
   public:
    explicit NotifyOnExit(DispatcherImpl* dispatcher) : dispatcher_(dispatcher) {}
    ~NotifyOnExit() { dispatcher_->NotifyIfChanged(); }
    NotifyOnExit(const NotifyOnExit&) = delete;
    NotifyOnExit& operator=(const NotifyOnExit&) = delete;

   private:
    DispatcherImpl* const dispatcher_;
  };

  absl::Status TickLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // dispatcher_impl.cc: the door, time, weights.
  // Once all that was committed is durable: deletes the blobs that are not used any more, and calls
  // the listener. Nothing if there is nothing new.
  void NotifyIfChanged();
  void NoteDurable(int64_t writes);
  // Reads all state from the store.
  absl::Status Restore() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Does so again if the journal has lost what the state stands on, and notices jumps of the wall
  // clock. First in every method that looks at the state.
  absl::Status Renew() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Leaves a jump of the wall clock out of the wall time of jobs.
  void NoteClock() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status RestoreLeases() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // After a loss lets the journal take changes in again, if it is time and the store takes a write.
  absl::Status Resume() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Ends what Restore found to fit nothing.
  absl::Status EndLeftovers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CommitChange(v1::Change change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether things may be removed for their age. A wall clock that jumps, or has just been started,
  // may be wrong, and has an hour to be set right.
  bool IsClockTrusted() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Settles, commits and applies a draft; nothing happens for one that is empty. The job is gone
  // from `live_` after this if it ended.
  absl::Status Commit(JobDraft* draft) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The second half of it, for callers who add the answer to a request in between.
  absl::Status CommitSettled(JobDraft* draft) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // As CommitSettled, with what the ends of attempts of `trials` say of their workers.
  absl::Status CommitJudged(const std::vector<TrialNumber>& trials, JobDraft* draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Commits the loss of the given attempts, job by job; those that are not leased are left out.
  absl::Status LoseLeases(const std::vector<AttemptId>& ids, v1::FailureCause cause,
                          absl::string_view message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status EndOverdueAttempts() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SettleJob(JobId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SettleJobs() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status StoreLastSeen() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SweepWeights() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RemoveLease(const AttemptId& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReleaseWeights(const std::string& sha256) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteUnused(const std::string& sha256) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DeleteUnreferenced(const std::vector<std::string>& blobs);

  // dispatcher_clients.cc
  // Null if the job has ended or never was.
  JobState* FindLive(JobId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // NOT_FOUND or (ended job) FAILED_PRECONDITION with reason WRONG_STATE.
  absl::StatusOr<JobState*> GetLive(JobId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<v1::Job> View(JobId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  v1::Job View(const v1::JobRecord& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  template <typename Response, typename Request>
  absl::StatusOr<Response> ChangeJob(absl::string_view method, const Request& request,
                                     absl::Status (JobDraft::*change)());

  // dispatcher_admin.cc
  // A job that has ended, to be gone on with; null if it is live. Reads all its trials.
  absl::StatusOr<std::unique_ptr<JobState>> LoadEnded(const v1::UpdateJobRequest& request);
  template <typename Response, typename Request>
  absl::StatusOr<Response> ChangeWorker(absl::string_view method, const Request& request,
                                        absl::FunctionRef<void(v1::WorkerRecord*)> change);

  // dispatcher_housekeeping.cc
  // What goes of a job that has ended, and how far that has come.
  struct Removal {
    bool job = false;  // all of it
    bool trials = false;
    bool log = false;
    bool models = false;
    std::string parent = "";  // digest of the weights that the job's space refers to
    int64_t through_trial = 0;
    int64_t through_event = 0;
  };
  absl::Status RestoreRemovals() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Begins what the rules of retention want gone.
  absl::Status ApplyRetention() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ForgetWorkers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status MarkDeleted(const v1::JobRecord& record, v1::Change change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status BeginRemoval(v1::JobRecord record, const Removal& removal)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Goes one step on with one removal.
  absl::Status ContinueRemovals() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ContinueRemoval(JobId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status EndRemoval(JobId id, const Removal& removal) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // dispatcher_outlines.cc
  struct Outlining {
    JobId job;
    OutlinePlan::Due due;
    bool with_curve = false;
    int64_t losses = 0;
  };
  // For a job that is to be live, before any of its changes.
  absl::Status PlanOutlines(const JobState& job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<Outlining> NextOutlining() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Outlines some of the trials that are due.
  absl::Status WriteOutlines();

  // A larger space for a job, checked but not yet its own.
  struct Extension {
    v1::SearchSpace spec;
    std::unique_ptr<Space> space;
    std::string gains;
  };
  static absl::StatusOr<Extension> PrepareExtension(const v1::JobSpec& spec,
                                                    const v1::ExtendSpaceRequest& request,
                                                    const std::vector<v1::Worker>& workers);
  // That a trial of the job is in `space` what it was.
  static absl::Status CheckTrial(const v1::JobSpec& spec, const Space& space,
                                 const v1::Trial& trial);
  // That all are which the store has; the number of the last.
  absl::StatusOr<int64_t> CheckStoredTrials(JobId id, const v1::JobSpec& spec,
                                            const Space& space) const;

  // dispatcher_workers.cc
  absl::StatusOr<v1::LeaseResponse> TryLeaseLocked(const v1::LeaseRequest& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::optional<v1::LeaseResponse>> TryLeaseFrom(JobId id,
                                                                const v1::LeaseRequest& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What was answered to a report of an attempt that is not leased any more. Errors: REQUEST_REUSED
  // if that had other content, else as NotHeld.
  absl::StatusOr<v1::TrialState> FindReported(const AttemptId& id, const RequestKey& key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Queued first, else proposed; nothing if the job has nothing for this worker.
  absl::StatusOr<std::optional<TrialNumber>> PickTrial(JobState* job, absl::string_view worker_id,
                                                       JobDraft* draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool OthersCanTake(const JobState& job, absl::string_view worker_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  v1::AttemptLease MakeLease(const AttemptId& id, const JobState& job, const v1::Trial& trial,
                             int64_t token) const;
  bool IsHeld(const AttemptId& id, absl::string_view worker_id, int64_t token)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Why a lease is not held: STALE_LEASE, or NOT_FOUND for a job or trial that never was.
  absl::Status NotHeld(const AttemptId& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Makes the trials of an earlier job some of a job that is not stored yet.
  absl::Status ReuseTrials(std::vector<v1::Trial> trials, JobDraft* draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // FAILED_PRECONDITION (reason INVALID_FIELD) unless the blob is there.
  absl::Status CheckUploaded(const AttemptId& id, const char* field,
                             const std::string& sha256) const;
  absl::Status DraftReport(const v1::ReportRequest& request, const AttemptId& id, JobState* job,
                           JobDraft* draft) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes back the leases of a worker that leaves, but for those whose tokens are in `named`.
  absl::Status LeaveWorker(const std::string& worker_id, const std::set<int64_t>& named)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status TakeEpochs(const v1::HeartbeatRequest& request, v1::HeartbeatResponse* response)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const DispatcherOptions options_;
  Store* const store_;
  Journal* const journal_;
  BlobStore* const blobs_;
  Clock* const clock_;
  std::atomic<bool> changed_ = false;        // since the listener was last called
  std::atomic<int64_t> durable_writes_ = 0;  // the last change that is known to be durable
  Mutex listener_mutex_;
  absl::AnyInvocable<void()> listener_ ABSL_GUARDED_BY(listener_mutex_);

  Mutex mutex_;
  int64_t losses_ ABSL_GUARDED_BY(mutex_) = 0;    // of the journal, when the state was last read
  bool refused_ ABSL_GUARDED_BY(mutex_) = false;  // the journal takes nothing in since a loss
  absl::Duration last_resumed_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  absl::Duration resume_pause_ ABSL_GUARDED_BY(mutex_);
  absl::Duration next_resume_ ABSL_GUARDED_BY(mutex_);
  int64_t writes_ ABSL_GUARDED_BY(mutex_) = 0;  // changes, numbered from 1
  std::map<JobId, std::unique_ptr<JobState>> live_ ABSL_GUARDED_BY(mutex_);
  std::map<JobId, OutlinePlan> outline_plans_ ABSL_GUARDED_BY(mutex_);  // of these
  LeaseTable leases_ ABSL_GUARDED_BY(mutex_);
  WorkerRegistry workers_ ABSL_GUARDED_BY(mutex_);
  int64_t last_job_id_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t next_token_ ABSL_GUARDED_BY(mutex_) = 1;
  Scheduler scheduler_ ABSL_GUARDED_BY(mutex_);
  std::map<JobId, Removal> removals_ ABSL_GUARDED_BY(mutex_);
  // Of weights: by trials that keep them, and by uploads of live leases.
  absl::flat_hash_map<std::string, int> references_ ABSL_GUARDED_BY(mutex_);
  // Digests of what may have no reference any more, to be deleted once that is durable.
  std::vector<std::string> unused_blobs_ ABSL_GUARDED_BY(mutex_);
  // How often each is in there, or in what waits for that.
  absl::flat_hash_map<std::string, int> releases_ ABSL_GUARDED_BY(mutex_);
  v1::Change stray_leases_ ABSL_GUARDED_BY(mutex_);         // of no running attempt
  std::vector<AttemptId> orphans_ ABSL_GUARDED_BY(mutex_);  // running attempts without a lease
  // Uploads for leases older than this token were let in by an earlier process, so they are not in
  // `references_`: no sweep while such a lease lives.
  int64_t first_token_ ABSL_GUARDED_BY(mutex_) = 1;
  absl::Duration next_sweep_ ABSL_GUARDED_BY(mutex_);
  absl::Duration next_prune_ ABSL_GUARDED_BY(mutex_);
  absl::Duration next_retention_ ABSL_GUARDED_BY(mutex_);
  // Since when workers have been heard without a break: the last stall, or outage of the disk.
  absl::Duration attentive_from_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  // Of the wall clock to the monotonic one, when it was last looked at; none before the first look.
  std::optional<absl::Duration> clock_offset_ ABSL_GUARDED_BY(mutex_);
  absl::Duration clock_trusted_from_ ABSL_GUARDED_BY(mutex_);
  absl::Duration next_last_seen_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_DISPATCHER_IMPL_H_
