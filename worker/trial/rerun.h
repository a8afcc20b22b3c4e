// Trains a recorded trial again, to see whether it comes out the same.
#ifndef FRONTIER_WORKER_TRIAL_RERUN_H_
#define FRONTIER_WORKER_TRIAL_RERUN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/clock.h"
#include "frontier/v1/job_service.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::worker {

struct RerunOptions {
  std::string dataset_folder;
  std::string hardware_class;  // of this machine
  std::string weights_path;    // where the trained model is left
  std::string parent_path;     // model file of TrialTask.inheritance, if there is one
};

struct Rerun {
  v1::TrialResult recorded;
  v1::TrialResult now;

  bool identical() const { return recorded.weights_sha256() == now.weights_sha256(); }
  // What differs in the records and may be why the weights do, in words: "library: recorded ...,
  // now ...". Empty if nothing does.
  std::vector<std::string> Differences() const;
  // For people, a few lines.
  std::string Describe(int64_t job_id, int64_t trial) const;
};

// The trial in what `frontier show JOB TRIAL --json` prints. INVALID_ARGUMENT if `json` is
// something else; FAILED_PRECONDITION if the trial has no result, no task, or no weights on record.
absl::StatusOr<v1::GetTrialResponse> ParseRecordedTrial(absl::string_view json);

// Trains with the recorded seed, threads, precision and picks. `trial` is one that
// ParseRecordedTrial accepts. INVALID_ARGUMENT for a record this version cannot follow;
// FAILED_PRECONDITION with the cause if the trial fails now.
absl::StatusOr<Rerun> RerunTrial(const v1::GetTrialResponse& trial, const RerunOptions& options,
                                 Clock* clock);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_TRIAL_RERUN_H_
