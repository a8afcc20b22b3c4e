// Searches in simulated time: strategies as a coordinator runs them, with workers that answer from
// a table instead of training.
#ifndef FRONTIER_COORDINATOR_SIMULATION_SIMULATOR_H_
#define FRONTIER_COORDINATOR_SIMULATION_SIMULATOR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/space/space.h"
#include "coordinator/strategy/strategy.h"
#include "frontier/v1/job.pb.h"

namespace frontier::coordinator {

// What a worker would report of a trial that pauses.
struct RungOutcome {
  int epochs = 0;  // trained by then
  std::vector<double> objectives;
  double violation = 0;
  double seconds = 0;  // from proposal to here, without pauses
};

// What a worker would report.
struct Outcome {
  size_t row = 0;  // of the table
  bool succeeded = true;
  std::vector<double> objectives;  // all to be minimized, finite; empty if it failed
  double violation = 0;
  double seconds = 0;                   // from proposal to report, without pauses; >= 0
  std::vector<RungOutcome> rungs = {};  // at every epoch at which the job's trials pause
};

struct SimulationLimits {
  int workers = 1;
  int64_t trials = 0;  // 0 = no limit
  double seconds = 0;  // trials that end later do not count; 0 = no limit
};

struct SimulatedTrial {
  int64_t number = 0;  // in the order of proposals, from 1
  std::string hash;
  v1::Origin origin;
  double started = 0;  // seconds; of the first attempt
  double ended = 0;    // of the last
  Outcome outcome;
  // In a job with rungs: epochs trained; whether it was stopped before the end of its training,
  // `outcome` then has the objectives at its last rung.
  int epochs = 0;
  bool stopped = false;
};

// Runs searches over one space one after the other, and keeps what each genotype comes to: all have
// the same constraints on parameters and MACs. What is lent to it outlives it. Not thread-safe.
class Simulator {
 public:
  using Evaluate = absl::FunctionRef<absl::StatusOr<Outcome>(const v1::Genotype&)>;

  // `evaluate` is asked once for each genotype; what it finds no answer for cannot be proposed:
  // NOT_FOUND. Other errors end the search.
  Simulator(const Space* space, Evaluate evaluate) : space_(space), evaluate_(evaluate) {}

  // One search of `job`, of which the strategy, the objectives' number, epochs and rungs, and the
  // constraints on parameters and MACs count: trials in the order in which they ended. Ends at a
  // limit, of which there is at least one, or when the space is exhausted.
  absl::StatusOr<std::vector<SimulatedTrial>> Run(const v1::JobSpec& job,
                                                  const SimulationLimits& limits);

 private:
  class Search;
  struct Known {
    std::optional<Candidate> candidate;  // without its architecture
    Outcome outcome;
  };

  const Known& Find(const v1::JobSpec& job, const v1::Genotype& genotype);

  const Space* const space_;
  const Evaluate evaluate_;
  absl::Status problem_;
  absl::flat_hash_map<std::string, std::unique_ptr<Known>> known_;  // by serialized genotype
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SIMULATION_SIMULATOR_H_
