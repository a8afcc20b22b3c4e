// What must hold of a coordinator's database at any time.
#ifndef FRONTIER_TESTS_SIMULATION_INVARIANTS_H_
#define FRONTIER_TESTS_SIMULATION_INVARIANTS_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/blobs/blob_store.h"
#include "coordinator/core/attempt_id.h"
#include "coordinator/storage/store.h"
#include "frontier/v1/job_service.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::simulation {

// What the coordinator has told others, who rely on it.
struct Told {
  std::set<int64_t> jobs;
  std::set<int64_t> cancelled_jobs;
  std::map<int64_t, coordinator::AttemptId> leases;  // by token
  struct Report {
    std::string request_id;
    v1::TrialState state;
  };
  std::map<coordinator::AttemptId, Report> reports;
};

// Empty, or what is wrong: what was told is there; at most one result of a trial, from the attempt
// that held the lease; no attempt runs without a lease or has one without running; no budget is
// exceeded; log, rows and counts agree; the front is what beats all others; weights that are needed
// are there.
std::string CheckStore(const coordinator::Store& store, const coordinator::BlobStore& blobs,
                       const Told& told);

// The numbers of the trials that none of the others dominates, of those that may be on a front.
std::vector<int64_t> BruteForceFront(const std::vector<v1::Trial>& trials);

}  // namespace frontier::simulation

#endif  // FRONTIER_TESTS_SIMULATION_INVARIANTS_H_
