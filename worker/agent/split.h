// Into how many trials of how many threads a machine is divided.
#ifndef FRONTIER_WORKER_AGENT_SPLIT_H_
#define FRONTIER_WORKER_AGENT_SPLIT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/clock.h"

namespace frontier::worker {

struct Split {
  int slots = 1;
  int threads = 1;  // of a trial
  bool operator==(const Split&) const = default;
};

// Most slots first: one thread for each core, two, and all of them for one trial; those whose slots
// take more than `memory_bytes` at `slot_bytes` each are left out, but never the last.
std::vector<Split> SplitCandidates(int cores, int64_t memory_bytes, int64_t slot_bytes);

// Trained images per second of all slots together.
using MeasureSplit = absl::FunctionRef<absl::StatusOr<double>(const Split&)>;

struct ChosenSplit {
  Split split;
  double images_per_second = 0;
};

// Measures the candidates in turn, `rounds` times, and takes the one with the best figure; of those
// within 3 % of it the first. One whose measurement fails is out, with a warning; if all are, the
// error of the last.
absl::StatusOr<ChosenSplit> ChooseSplit(const std::vector<Split>& candidates, int rounds,
                                        MeasureSplit measure);

// What a split depends on.
struct SplitConditions {
  std::string library;
  std::string hardware_class;
  int cores = 1;
};

// NOT_FOUND if there is no file at `path`, it is damaged, or of other conditions.
absl::StatusOr<ChosenSplit> ReadSplit(const std::string& path, const SplitConditions& conditions);
// Errors as WriteFileAtomically.
absl::Status WriteSplit(const std::string& path, const SplitConditions& conditions,
                        const ChosenSplit& chosen);

struct TrainingBurst {
  std::string program = "/proc/self/exe";  // started as `program measure-training ...`
  std::vector<std::vector<int>> cpus;      // of the slots; empty = any
  std::string picks_path;                  // of TrialProcessInput
  std::string hardware_class;
  absl::Duration length = absl::Milliseconds(700);  // of each process's training
  absl::Duration limit = absl::Seconds(20);         // then they are killed
};

// Runs a process for each slot of `split`, all at a time, and adds up the figures they print.
// INTERNAL or DEADLINE_EXCEEDED says which process did not give one.
absl::StatusOr<double> MeasureByTraining(const Split& split, const TrainingBurst& burst,
                                         Clock* clock);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_SPLIT_H_
