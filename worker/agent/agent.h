// The worker daemon: leases attempts, runs them, reports them, and keeps the coordinator informed.
#ifndef FRONTIER_WORKER_AGENT_AGENT_H_
#define FRONTIER_WORKER_AGENT_AGENT_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/rpc/client/worker_client.h"
#include "frontier/v1/measurement.pb.h"
#include "worker/agent/checkpoint_folder.h"
#include "worker/agent/coordinator_session.h"
#include "worker/agent/dataset_catalog.h"
#include "worker/agent/lease_table.h"
#include "worker/agent/outbox.h"
#include "worker/agent/parent_folder.h"
#include "worker/agent/stop_event.h"
#include "worker/agent/trial_report.h"
#include "worker/agent/trial_runner.h"
#include "worker/energy/energy_model.h"

namespace frontier::worker {

struct AgentOptions {
  std::string worker_id;    // stable over starts
  std::string incarnation;  // new for each start; 1 to 64 characters
  int slots = 1;            // trials at a time
  TrialDefaults trial_defaults;
  v1::Hardware hardware;
  std::vector<std::string> labels;
  // CPUs of each slot; empty = any. A trial of more threads than its slot has CPUs is not bound.
  std::vector<std::vector<int>> slot_cpus;
  std::string picks_path;  // of TrialProcessInput
  // How long one request for work waits at the coordinator.
  absl::Duration lease_wait = absl::Seconds(20);
  // How long to look for the coordinator at the start; zero = for ever.
  absl::Duration connect_timeout = absl::ZeroDuration();
  // How long leaving may take: outcomes reported, leases given back.
  absl::Duration shutdown_timeout = absl::Seconds(10);
  uint64_t seed = 0;  // of the spread of pauses
};

// All outlive the agent.
struct AgentDependencies {
  WorkerClient* client = nullptr;
  // For requests for work; another one than `client`, since leaving cancels it.
  WorkerClient* lease_client = nullptr;
  TrialRunner* runner = nullptr;
  const DatasetCatalog* catalog = nullptr;
  const EnergyModel* energy = nullptr;
  Outbox* outbox = nullptr;
  CheckpointFolder* checkpoints = nullptr;
  ParentFolder* parents = nullptr;
  Clock* clock = nullptr;
  Pacer* pacer = nullptr;
};

// Threads: one asks for work, one sends heartbeats, one for each slot runs trials.
//
// A lease goes from the answer that grants it (or a heartbeat's START) through the lease table to a
// slot; the slot runs it, writes the outcome to the outbox, uploads the weights and reports. Until
// that is settled every heartbeat names the lease. While the coordinator is away trials go on; it
// counts leases as just renewed when it is back.
class Agent {
 public:
  Agent(const AgentOptions& options, const AgentDependencies& dependencies);

  // Delivers what an earlier start left in the outbox, registers, and works until told to leave.
  // OK if it was; DEADLINE_EXCEEDED if there was no coordinator within the connect timeout; the
  // coordinator's error if it refuses this worker (reason PROTOCOL_VERSION: both versions are
  // named). Once.
  absl::Status Run();

  // Leave now: trials are killed and their leases given back. Async-signal-safe.
  void Shutdown();
  // Leave when the trials that run have ended; no new ones are begun. Async-signal-safe.
  void Drain();

 private:
  void LeaseLoop();
  void HeartbeatLoop();
  void SlotLoop(int slot);

  absl::Status DeliverOutbox();
  v1::LeaseRequest MakeLeaseRequest();
  // False if the worker must leave.
  bool RequestWork(v1::LeaseRequest* request, Backoff* backoff);
  LeaseTable::Accepted TakeIn(const v1::AttemptLease& lease);
  void RunLease(const HeldLease& held, int slot);
  // Sets the path of the weights that the trial inherits, if it does.
  absl::Status FindParent(const HeldLease& held, v1::TrialProcessInput* input);
  // Puts the checkpoint from which the trial goes on at `path`, if it does; warns if it cannot.
  void FetchCheckpoint(const HeldLease& held, const std::string& path);
  // Whether it was settled. Asks for another lease in the same call.
  bool ReportOutcome(const HeldLease& held, v1::ReportRequest report);
  absl::Status SendHeartbeat(bool leaving);
  void Obey(const v1::Directive& directive);
  void Abandon();
  void Fail(const absl::Status& status);

  const AgentOptions options_;
  const AgentDependencies deps_;
  CoordinatorSession session_;
  LeaseTable table_;

  StopEvent leave_;           // ask for no more work
  StopEvent kill_;            // end what runs
  StopEvent abandon_;         // settle nothing more
  StopEvent registered_;      // heartbeats may begin
  StopEvent slots_ended_;     // no trial runs any more
  StopEvent end_heartbeats_;  // one last heartbeat, then none
  StopEvent heartbeats_ended_;

  std::atomic<int> live_slots_{0};
  bool heartbeat_answered_ = true;  // heartbeat thread only
  Mutex mutex_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);  // why the worker left on its own
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_AGENT_H_
