// A worker that trains nothing: it leases, and reports made-up figures at once.
#ifndef FRONTIER_TESTS_BENCH_COORDINATOR_NO_OP_WORKER_H_
#define FRONTIER_TESTS_BENCH_COORDINATOR_NO_OP_WORKER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/rpc/client/worker_client.h"
#include "frontier/v1/trial.pb.h"
#include "frontier/v1/worker_service.pb.h"

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
  // One trial; false if the coordinator had none within `patience`.
  absl::StatusOr<bool> RunTrial(absl::Duration patience, Times* times);

 private:
  std::string NextRequestId();
  v1::LeaseRequest MakeLeaseRequest();
  v1::TrialResult MakeResult();

  const std::unique_ptr<WorkerClient> client_;
  const std::string id_;
  const std::string incarnation_;
  Clock* const clock_;
  Rng rng_;
  int64_t requests_ = 0;
  std::optional<v1::AttemptLease> lease_;  // to work on next
};

}  // namespace frontier::bench

#endif  // FRONTIER_TESTS_BENCH_COORDINATOR_NO_OP_WORKER_H_
