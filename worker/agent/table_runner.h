// Answers trials from a table of results instead of training them.
#ifndef FRONTIER_WORKER_AGENT_TABLE_RUNNER_H_
#define FRONTIER_WORKER_AGENT_TABLE_RUNNER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/tables/table.h"
#include "worker/agent/trial_runner.h"

namespace frontier::worker {

// Columns of the table:
//  - "architecture": as `frontier trials` shows it, in the space's own notation. Each once;
//  - "accuracy", "loss", "latency_ms", "parameters", "macs": after the whole training. What the
//    daemon measures itself (times, energy, CO2) follows from "seconds";
//  - "accuracy@12", "loss@12": after so many epochs, for jobs whose trials pause there. What else a
//    trial measures is the same at all times;
//  - "proxy": the score of the untrained network, for jobs that screen;
//  - "seconds": of the whole training; an attempt uses its epochs' share. Absent = 1.
// Fields may be empty; a trial that needs one of those fails as invalid, like one whose
// architecture is not there, or that is to stop by its learning curve. An attempt takes no time
// here, and is reported to have used what the table says, as CPU time of one core; what it leaves
// at a pause is the number of its epochs. INVALID_ARGUMENT or DATA_LOSS for a table that cannot be
// used, with the reason.
absl::StatusOr<std::unique_ptr<TrialRunner>> NewTableRunner(const Table& table,
                                                            const std::string& name);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_TABLE_RUNNER_H_
