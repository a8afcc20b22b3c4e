// The requests of a worker that trains nothing.
#ifndef FRONTIER_TESTS_BENCH_COORDINATOR_REQUEST_MAKER_H_
#define FRONTIER_TESTS_BENCH_COORDINATOR_REQUEST_MAKER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/random.h"
#include "frontier/v1/worker_service.pb.h"

namespace frontier::bench {

// Each request has an id of its own, over all workers of all processes. Not thread-safe.
class RequestMaker {
 public:
  explicit RequestMaker(int number);

  v1::RegisterRequest Registration();
  v1::LeaseRequest Lease();
  // Made-up figures, and another lease asked for.
  v1::ReportRequest Report(const v1::AttemptLease& lease);
  v1::HeartbeatRequest Heartbeat(const std::optional<v1::AttemptLease>& lease) const;

 private:
  std::string NextId();
  v1::TrialResult MakeResult();

  const std::string id_;
  const std::string incarnation_;
  Rng rng_;
  int64_t requests_ = 0;
};

}  // namespace frontier::bench

#endif  // FRONTIER_TESTS_BENCH_COORDINATOR_REQUEST_MAKER_H_
