// Which part of a trial's training an attempt does.
#ifndef FRONTIER_COORDINATOR_CORE_LEGS_H_
#define FRONTIER_COORDINATOR_CORE_LEGS_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/stopping/ladders.h"
#include "coordinator/stopping/rungs.h"
#include "coordinator/strategy/strategy.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/record.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::coordinator {

// From where a trial is to where it pauses next, or ends.
struct Leg {
  bool probes = false;   // the whole training of a probe, whose costs are to be known
  bool screens = false;  // the network is scored and not trained
  int until_epoch = 0;   // where training pauses; 0 = at its end
  RungPlace place;       // of that pause
};

// The next leg of `trial`, which has not ended; while it runs, the one it is on. Probes of a search
// space have one, which is their whole training.
Leg NextLeg(const v1::JobSpec& spec, const Ladders& ladders, const v1::Trial& trial);

// Origin of trials that were taken over from an earlier job, or named by their job's user.
inline constexpr char kWarmStart[] = "warm_start";

// Whether the trial was scored and is not decided on yet: it is queued, but not to be started.
bool WaitsForPool(const v1::Trial& trial);
// Trials of one number are of one pool.
int64_t PoolOf(const v1::JobSpec& spec, int64_t trial);
// Number of the last trial that can be in the pool.
int64_t EndOfPool(const v1::JobSpec& spec, int64_t pool);

// How a trial stands that has come to `rung`, by what was measured there. Of an untrained network
// the score takes the place of accuracy and loss; what training costs is no objective yet.
// DATA_LOSS names the trial if something is missing.
absl::StatusOr<Observation> ObserveRung(const v1::JobSpec& spec, const v1::Trial& trial,
                                        const v1::RungResult& rung);

// The score of a trial that was scored untrained, and the accuracy it was trained to.
std::optional<std::pair<double, double>> ScoreAndAccuracy(const v1::Trial& trial);

// Validation accuracy after each epoch.
std::vector<double> CurveOf(const v1::TrialResult& result);

// Metrics that an attempt of such a leg must report for the job's objectives and constraints.
std::vector<v1::Metric> NeededMetrics(const v1::JobSpec& spec, const Leg& leg);

// Adds what earlier legs of the trial used to the energy, CO2 and times of `result`.
void AddEarlierLegs(const v1::Trial& trial, v1::TrialResult* result);

// Whether training of a trial can go on from its checkpoint: there is one, and it is not from
// before an end of its job.
bool HasCheckpoint(const v1::JobRecord& record, const v1::Trial& trial);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_LEGS_H_
