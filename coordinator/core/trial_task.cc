#include "coordinator/core/trial_task.h"

#include <cstdint>

#include "common/base/random.h"
#include "coordinator/core/parent.h"

namespace frontier::coordinator {

const v1::TrainingRecipe& RecipeOf(const v1::JobSpec& spec, const v1::Trial& trial) {
  return trial.has_training() ? trial.training() : spec.training();
}

v1::TrialTask MakeTrialTask(const v1::JobSpec& spec, const v1::Trial& trial) {
  v1::TrialTask task;
  task.mutable_key()->set_job_id(trial.job_id());
  task.mutable_key()->set_trial(trial.number());
  *task.mutable_architecture() = trial.architecture();
  *task.mutable_dataset() = spec.dataset();
  *task.mutable_training() = RecipeOf(spec, trial);
  *task.mutable_limits() = spec.limits();
  task.set_seed(Rng(spec.strategy().seed(), static_cast<uint64_t>(trial.number())).NextUint64());
  task.set_reproducible(spec.reproducible());
  if (!ParentWeights(spec).empty()) {
    *task.mutable_inheritance() = InheritanceOf(spec, trial);
  }
  task.set_inference_precision(trial.inference_precision());
  return task;
}

}  // namespace frontier::coordinator
