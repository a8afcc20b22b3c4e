// How fast a reference network trains here.
#ifndef FRONTIER_WORKER_TRIAL_TRAINING_SPEED_H_
#define FRONTIER_WORKER_TRIAL_TRAINING_SPEED_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"

namespace frontier::worker {

struct TrainingSpeedOptions {
  int threads = 1;
  absl::Duration length = absl::Seconds(1);
  std::string picks_path;  // of a PickStore; picks made here are added
  std::string hardware_class;
};

// Images per second of ResNet-20 on 1 x 28 x 28 pixels at batch 64 in the precision that is the
// fastest here, over whole steps for at least `length` after a first one. Errors as
// TrainingPlan::Create and Step.
absl::StatusOr<double> MeasureTrainingSpeed(const TrainingSpeedOptions& options, Clock* clock);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_TRIAL_TRAINING_SPEED_H_
