// A dispatcher over stores that outlive it, with shorthands for what clients and workers do.
#ifndef FRONTIER_TESTS_UNIT_COORDINATOR_CORE_HARNESS_H_
#define FRONTIER_TESTS_UNIT_COORDINATOR_CORE_HARNESS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/core/dispatcher.h"
#include "coordinator/storage/store.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/trial.pb.h"
#include "frontier/v1/worker_service.pb.h"
#include "tests/support/direct_journal.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_store.h"
#include "tests/support/temp_folder.h"

namespace frontier::testing {

// A job of `trials` trials on the 25 architectures of FiveByFiveSpace: accuracy up, latency down.
v1::JobSpec SmallJob(int64_t trials);

// A result with every metric, accuracy and latency as given.
v1::TrialResult MakeResult(double accuracy, double latency_ms);

// The value of a metric; 0 if it is not there.
double ValueOf(const v1::TrialResult& result, v1::Metric metric);

enum class StoreKind { kMemory, kSqlite };

class Harness {
 public:
  explicit Harness(StoreKind kind = StoreKind::kMemory,
                   const coordinator::Retention& retention = {});

  // What a crash and a new start of the coordinator does.
  void Restart();
  coordinator::Dispatcher& core() { return *dispatcher_; }
  coordinator::Store& store() { return *store_; }
  MemoryStore& memory() { return *memory_; }  // kMemory only
  MemoryBlobStore& blobs() { return blobs_; }
  FakeClock& clock() { return clock_; }
  const coordinator::DispatcherOptions& options() const { return options_; }

  // Unique over the harness's life.
  std::string NextRequestId();

  // Failures of these are failures of the test.
  int64_t Submit(const v1::JobSpec& spec);
  v1::Job Job(int64_t job_id);
  v1::Trial Trial(int64_t job_id, int64_t number);
  std::vector<v1::Trial> Trials(int64_t job_id);
  void Register(const std::string& worker, const std::string& incarnation = "i1", int slots = 1);
  void Tick();

  absl::StatusOr<v1::SubmitJobResponse> TrySubmit(const v1::JobSpec& spec);
  // Nothing if there is no work.
  std::optional<v1::AttemptLease> Lease(const std::string& worker,
                                        const std::string& incarnation = "i1");
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const std::string& worker,
                                                  const std::vector<v1::AttemptLease>& leases,
                                                  const std::string& incarnation = "i1");
  absl::StatusOr<v1::TrialState> Report(const std::string& worker, const v1::AttemptLease& lease,
                                        const v1::TrialResult& result);
  absl::StatusOr<v1::TrialState> ReportFailure(const std::string& worker,
                                               const v1::AttemptLease& lease,
                                               v1::FailureCause cause);
  absl::Status GiveBack(const std::string& worker, const v1::AttemptLease& lease);
  absl::Status Pause(int64_t job_id);
  absl::Status Resume(int64_t job_id);
  absl::Status Cancel(int64_t job_id);
  // Submits the job's space as `change` leaves it, as an extension of the version it has.
  absl::StatusOr<v1::Job> Extend(int64_t job_id,
                                 const std::function<void(v1::SearchSpace*)>& change);
  // Uploads weights with this digest for the lease.
  absl::Status Upload(const std::string& worker, const v1::AttemptLease& lease,
                      const std::string& sha256);

 private:
  TempFolder folder_;
  const StoreKind kind_;
  coordinator::DispatcherOptions options_;
  FakeClock clock_;
  MemoryStore* memory_ = nullptr;
  std::unique_ptr<coordinator::Store> store_;
  std::unique_ptr<DirectJournal> journal_;
  MemoryBlobStore blobs_;
  std::unique_ptr<coordinator::Dispatcher> dispatcher_;
  int64_t requests_ = 0;
};

v1::RegisterRequest MakeRegistration(const std::string& worker, const std::string& incarnation,
                                     int slots);
v1::ReportRequest MakeReport(const std::string& request_id, const std::string& worker,
                             const v1::AttemptLease& lease, const v1::TrialResult& result);

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_UNIT_COORDINATOR_CORE_HARNESS_H_
