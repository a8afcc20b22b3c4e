// From a lease to what is run, and from its end to what is reported.
#ifndef FRONTIER_WORKER_AGENT_TRIAL_REPORT_H_
#define FRONTIER_WORKER_AGENT_TRIAL_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "frontier/v1/measurement.pb.h"
#include "frontier/v1/trial.pb.h"
#include "worker/agent/trial_runner.h"
#include "worker/energy/energy_model.h"

namespace frontier::worker {

// What a worker grants a trial whose job does not say.
struct TrialDefaults {
  int threads = 1;
  int64_t memory_bytes = 0;  // 0 = no limit
  absl::Duration wall_limit = absl::Hours(1);
  int most_threads = 1;  // the cores this worker may use; only reproducible trials may have more
};

TrialOrder MakeOrder(const v1::TrialTask& task, const TrialDefaults& defaults,
                     const std::string& dataset_folder, const std::string& weights_path,
                     const std::string& hardware_class);

// CPU_SECONDS, WALL_SECONDS, ENERGY_J and CO2_G of an attempt that reserved `threads` cores.
std::vector<v1::Measurement> MeasureUse(const TrialEnd& end, int threads, const EnergyModel& model,
                                        absl::string_view hardware_class);

// Drops weights or checkpoint from `result` unless the file at `path` is what the result says it
// is; why, or empty.
std::string CheckUpload(const std::string& path, v1::TrialResult* result);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_TRIAL_REPORT_H_
