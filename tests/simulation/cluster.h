// A coordinator with its real core and storage, workers, a user, and what lies between them: clock,
// network and disk, all simulated. Deterministic: the same operations give the same history.
#ifndef FRONTIER_TESTS_SIMULATION_CLUSTER_H_
#define FRONTIER_TESTS_SIMULATION_CLUSTER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "coordinator/core/dispatcher.h"
#include "coordinator/storage/group_journal.h"
#include "coordinator/storage/store.h"
#include "tests/simulation/invariants.h"
#include "tests/simulation/operation.h"
#include "tests/simulation/worker.h"
#include "tests/support/memory_store.h"
#include "tests/support/simulated_disk.h"
#include "tests/support/temp_folder.h"

namespace frontier::simulation {

// The wall clock jumps apart from the other, which begins anew with each start of the machine.
class SimulatedClock final : public Clock {
 public:
  absl::Time Now() override { return absl::FromUnixSeconds(1700000000) + passed_ + offset_; }
  absl::Duration Elapsed() override { return passed_ - started_; }
  void Advance(absl::Duration duration) { passed_ += duration; }
  void Jump(absl::Duration by) { offset_ += by; }
  void Restart() { started_ = passed_; }

 private:
  absl::Duration passed_;
  absl::Duration offset_;
  absl::Duration started_;
};

class Cluster {
 public:
  // Two jobs, submitted already. `seed` chooses their strategies and sizes.
  explicit Cluster(uint64_t seed);
  ~Cluster();

  // One operation, then the invariants.
  void Apply(const Operation& operation);
  // No more faults: all goes on until both jobs have ended, which is an invariant, too.
  void Settle();

  // The first that broke; empty = all hold.
  const std::string& violation() const { return violation_; }
  // How often each kind of fault did something.
  const std::map<std::string, int>& faults() const { return faults_; }
  // All that the coordinator, which is up, says of the jobs, times left out.
  std::string AllAnswers();

 private:
  struct Message {
    size_t worker = 0;
    uint64_t call = 0;
    bool to_coordinator = true;
    Request request;
    absl::StatusOr<Response> response = absl::UnavailableError("none");
  };
  enum class Left { kAll, kSome, kSynced };

  void Fault(const std::string& kind) { ++faults_[kind]; }
  void Violate(const std::string& what);
  size_t Pick(uint32_t a) const { return a % workers_.size(); }

  void StartCoordinator();
  void StopCoordinator(Left left, uint32_t seed);
  // Stops and starts with all durable, and compares what is answered before and after.
  void RestartCleanly();

  void Send(size_t worker, Call call);
  void Deliver(size_t index);
  void Handle(const Message& message);
  template <typename Answer>
  void Respond(const Message& message, int64_t losses, const absl::StatusOr<Answer>& answer);
  // The weights or checkpoint of a report, which come before it.
  void Upload(const v1::ReportRequest& report);
  void NoteLease(const v1::AttemptLease& lease);
  void NoteTold(const Request& request, const Response& response);
  void Tick();
  void Lie(size_t worker, uint32_t how);
  void Expect(bool holds, const std::string& what);
  void CallAsClient(uint32_t which);
  void AdmitWorker(size_t worker);
  void ExtendSpace();
  void CheckLive();
  bool AllEnded();

  const uint64_t seed_;
  testing::TempFolder folder_;
  testing::SimulatedDisk disk_;
  testing::MemoryBlobStore blobs_;
  SimulatedClock clock_;
  std::unique_ptr<coordinator::Store> store_;
  std::unique_ptr<coordinator::GroupJournal> journal_;
  std::unique_ptr<coordinator::Dispatcher> dispatcher_;  // null while it is down
  uint64_t calls_ = 0;
  std::vector<Worker> workers_;
  std::vector<bool> cut_;
  std::deque<Message> messages_;             // on their way
  std::set<std::string> uploaded_;           // digests
  std::vector<v1::ReportRequest> accepted_;  // for replays
  std::vector<int64_t> jobs_;
  int64_t client_requests_ = 0;
  int64_t updates_ = 0;
  int applied_ = 0;
  bool trouble_ = false;  // the disk has failed since it last was in order
  Told told_;
  std::map<std::string, int> faults_;
  std::string violation_;
};

// All operations, then what is left. Empty, or what broke.
// `history`, unless null, gets what the coordinator then says of the jobs, times left out.
std::string Play(uint64_t seed, const Schedule& schedule, std::map<std::string, int>* faults,
                 std::string* history = nullptr);

}  // namespace frontier::simulation

#endif  // FRONTIER_TESTS_SIMULATION_CLUSTER_H_
