// From a job's training recipe to the settings of batching and engine.
#ifndef FRONTIER_WORKER_TRIAL_RECIPE_H_
#define FRONTIER_WORKER_TRIAL_RECIPE_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "frontier/v1/job.pb.h"
#include "worker/batching/augmentation.h"
#include "worker/engine/kernels/optimizer.h"
#include "worker/engine/schedule.h"

namespace frontier::worker {

// INVALID_ARGUMENT names the field that is out of range, or class weights that are not `classes`.
absl::Status CheckRecipe(const v1::TrainingRecipe& recipe, int classes);

// These take a recipe that CheckRecipe accepts.
AugmentationOptions AugmentationOf(const v1::TrainingRecipe& recipe);
// Without the learning rate, which the schedule gives.
OptimizerSettings OptimizerOf(const v1::TrainingRecipe& recipe);
ScheduleSettings ScheduleOf(const v1::TrainingRecipe& recipe, int64_t steps_per_epoch);
std::vector<float> ClassWeightsOf(const v1::TrainingRecipe& recipe);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_TRIAL_RECIPE_H_
