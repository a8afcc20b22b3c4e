// A worker that trains nothing: it leases, and reports made-up figures at once.
#ifndef FRONTIER_TESTS_BENCH_COORDINATOR_NO_OP_WORKER_H_
#define FRONTIER_TESTS_BENCH_COORDINATOR_NO_OP_WORKER_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/rpc/client/worker_client.h"
#include "frontier/v1/worker_service.pb.h"
#include "tests/bench/coordinator/request_maker.h"

namespace frontier::bench {

// One connection of its own. Not thread-safe.
class NoOpWorker {
 public:
  // What the calls of one trial took. Its report asks for the next lease, so most need no call for
  // theirs.
  struct Times {
    absl::Duration lease;
    absl::Duration report;
  };

  // `clock` outlives the worker.
  NoOpWorker(const std::string& coordinator, int number, Clock* clock);

  absl::Status Register();
  // Whether it holds a lease, after asking for one if it has none.
  absl::StatusOr<bool> TakeLease(absl::Duration patience);
  // One trial; false if the coordinator had none within `patience`.
  absl::StatusOr<bool> RunTrial(absl::Duration patience, Times* times);

 private:
  const std::unique_ptr<WorkerClient> client_;
  Clock* const clock_;
  RequestMaker maker_;
  std::optional<v1::AttemptLease> lease_;  // to work on next
  // On their way until they are answered: a repeat has the same id.
  std::optional<v1::LeaseRequest> asking_;
  std::optional<v1::ReportRequest> reporting_;
};

}  // namespace frontier::bench

#endif  // FRONTIER_TESTS_BENCH_COORDINATOR_NO_OP_WORKER_H_
