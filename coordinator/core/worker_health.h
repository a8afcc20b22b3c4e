// Which workers are to blame for failures.
#ifndef FRONTIER_COORDINATOR_CORE_WORKER_HEALTH_H_
#define FRONTIER_COORDINATOR_CORE_WORKER_HEALTH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "coordinator/core/worker_registry.h"
#include "frontier/v1/record.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::coordinator {

// So many trials that failed on a worker, and on no other, since its last success put it in
// quarantine.
inline constexpr int kStrikes = 3;
// Of the first quarantine; the next ones are twice as long each, up to the longest.
inline constexpr absl::Duration kFirstQuarantine = absl::Minutes(1);
inline constexpr absl::Duration kLongestQuarantine = absl::Hours(1);

// What the end of a trial's last attempt says of workers: the records that change, for the store
// and then for the registry. A failure that may be the machine's (crash, time-out, data set,
// internal) is a strike against its worker; one that another worker had with the same trial is the
// trial's, and takes the strikes for it back. In a job without any success (`job_works` false) that
// has strikes against several workers it is the job's, and no reason for a quarantine. A success
// ends strikes and quarantine.
std::vector<v1::WorkerRecord> JudgeWorkers(const WorkerRegistry& workers, const v1::Trial& trial,
                                           bool job_works, absl::Time now);

// Whether a strike against the worker is of this job.
bool HasStrikeOf(const v1::WorkerRecord& record, int64_t job_id);

// Whether the worker may have another trial besides `running` ones: it is not drained, not in
// quarantine, or on probation after one and has none.
bool IsAdmitted(const v1::Worker& worker, int running, absl::Time now);

// Why it may have none, for people; empty if it may.
std::string WhyNotAdmitted(const v1::Worker& worker, absl::Time now);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_WORKER_HEALTH_H_
