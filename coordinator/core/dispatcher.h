// The decider: the only layer that locks. Takes requests, decides on pure state, writes each change
// to the journal, then shows it in memory. What the journal loses is forgotten here, too: the state
// is read from the store again.
#ifndef FRONTIER_COORDINATOR_CORE_DISPATCHER_H_
#define FRONTIER_COORDINATOR_CORE_DISPATCHER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "coordinator/blobs/blob_store.h"
#include "coordinator/storage/journal.h"
#include "coordinator/storage/store.h"
#include "frontier/v1/job_service.pb.h"
#include "frontier/v1/worker_service.pb.h"

namespace frontier::coordinator {

// How long what is left of a job is kept after its end, and a worker after it was last seen.
struct Retention {
  absl::Duration trials = absl::InfiniteDuration();  // those that are not on the front
  absl::Duration log = absl::InfiniteDuration();
  absl::Duration models = absl::InfiniteDuration();  // trained weights of the front
  absl::Duration jobs = absl::InfiniteDuration();    // all of it
  // Not of those being drained, which must not come back as if nobody had.
  absl::Duration workers = absl::InfiniteDuration();
};

struct DispatcherOptions {
  // A lease not renewed for this long is lost. Longer = slower to notice a dead worker.
  absl::Duration lease_duration = absl::Seconds(30);
  // What workers are told; at most a third of the lease duration.
  absl::Duration heartbeat_interval = absl::Seconds(5);
  // How long the answer to a request id is kept for repeats.
  absl::Duration request_retention = absl::Hours(24);
  // Trials of which a restart reads the outlines together, in place of all that is stored of them.
  int64_t outlined_together = 512;
  Retention retention;
};

// Thread-safe. Errors carry an ErrorDetail; NOT_FOUND names the job, trial or worker. No answer may
// leave the process before WhenDurable says so.
class Dispatcher {
 public:
  virtual ~Dispatcher() = default;

  // For clients. Semantics as in job_service.proto.
  virtual absl::StatusOr<v1::SubmitJobResponse> SubmitJob(const v1::SubmitJobRequest& request) = 0;
  virtual absl::StatusOr<v1::GetJobResponse> GetJob(const v1::GetJobRequest& request) = 0;
  virtual absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest& request) = 0;
  virtual absl::StatusOr<v1::CancelJobResponse> CancelJob(const v1::CancelJobRequest& request) = 0;
  virtual absl::StatusOr<v1::PauseJobResponse> PauseJob(const v1::PauseJobRequest& request) = 0;
  virtual absl::StatusOr<v1::ResumeJobResponse> ResumeJob(const v1::ResumeJobRequest& request) = 0;
  virtual absl::StatusOr<v1::UpdateJobResponse> UpdateJob(const v1::UpdateJobRequest& request) = 0;
  virtual absl::StatusOr<v1::DeleteJobResponse> DeleteJob(const v1::DeleteJobRequest& request) = 0;
  virtual absl::StatusOr<v1::ExtendSpaceResponse> ExtendSpace(
      const v1::ExtendSpaceRequest& request) = 0;
  virtual absl::StatusOr<v1::ReplayJobResponse> ReplayJob(const v1::ReplayJobRequest& request) = 0;
  virtual absl::StatusOr<v1::ListTrialsResponse> ListTrials(
      const v1::ListTrialsRequest& request) = 0;
  virtual absl::StatusOr<v1::GetTrialResponse> GetTrial(const v1::GetTrialRequest& request) = 0;
  virtual absl::StatusOr<v1::GetFrontResponse> GetFront(const v1::GetFrontRequest& request) = 0;
  virtual absl::StatusOr<v1::ListWorkersResponse> ListWorkers(
      const v1::ListWorkersRequest& request) = 0;
  virtual absl::StatusOr<v1::DrainWorkerResponse> DrainWorker(
      const v1::DrainWorkerRequest& request) = 0;
  virtual absl::StatusOr<v1::AdmitWorkerResponse> AdmitWorker(
      const v1::AdmitWorkerRequest& request) = 0;
  // One step of a watch: the job as it is and its events after `request.after_event` (0 = none from
  // the past: answers with no events); at most 200 events. `*cursor` is where to go on.
  virtual absl::StatusOr<v1::WatchJobResponse> PollJob(const v1::WatchJobRequest& request,
                                                       int64_t* cursor) = 0;
  // Digest of the weights the coordinator holds for a trial. NOT_FOUND if it holds none.
  virtual absl::StatusOr<std::string> FindWeights(const v1::GetWeightsRequest& request) = 0;

  // For workers. Semantics as in worker_service.proto.
  virtual absl::StatusOr<v1::RegisterResponse> Register(const v1::RegisterRequest& request) = 0;
  // Does not wait: a response without a lease means no work now.
  virtual absl::StatusOr<v1::LeaseResponse> TryLease(const v1::LeaseRequest& request) = 0;
  virtual absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request) = 0;
  // Whether the lease is held, so that its weights may be taken in.
  virtual absl::Status CheckLease(const v1::UploadWeightsHeader& header) = 0;
  // Digest of the weights that the trial of a held lease inherits. NOT_FOUND if it inherits none.
  virtual absl::StatusOr<std::string> FindParentWeights(
      const v1::GetParentWeightsRequest& request) = 0;
  // Digest of the checkpoint from which the trial of a held lease goes on. NOT_FOUND if there is
  // none.
  virtual absl::StatusOr<std::string> FindCheckpoint(const v1::GetCheckpointRequest& request) = 0;
  virtual absl::StatusOr<v1::ReportResponse> Report(const v1::ReportRequest& request) = 0;
  virtual absl::StatusOr<v1::GiveBackResponse> GiveBack(const v1::GiveBackRequest& request) = 0;

  // When an answer may leave: `done` is called once all that has been decided by now is durable.
  // With an error if it was lost, or if the journal had a loss since losses() was as given, which
  // is to be asked for before the call that gave the answer.
  virtual int64_t losses() const = 0;
  virtual void WhenDurable(int64_t losses, Journal::Done done) = 0;

  // Changes that have been decided and are not durable yet: how far behind the store is.
  virtual int64_t backlog() const = 0;

  // Ends what time ends: leases, wall-clock budgets, what is kept of old jobs. To be called a few
  // times a second.
  virtual absl::Status Tick() = 0;

  // That this process stood still for so long (suspended, or without a processor), so that nobody
  // can be blamed for not having been heard of. To be called before the next Tick.
  virtual void NoteStall(absl::Duration stall) = 0;

  // `listener` is called when changes have become durable, outside the lock: a waiting lease call
  // may now find work, watchers may see something new. Not any more once this has set another.
  virtual void SetChangeListener(absl::AnyInvocable<void()> listener) = 0;
};

// Restores from the store: every lease found there counts as just renewed; weights that no
// trial refers to are deleted. `journal` writes to `store`; they, `blobs` and `clock` outlive the
// dispatcher.
absl::StatusOr<std::unique_ptr<Dispatcher>> CreateDispatcher(const DispatcherOptions& options,
                                                             Store* store, Journal* journal,
                                                             BlobStore* blobs, Clock* clock);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_DISPATCHER_H_
