#include "coordinator/core/trial_task.h"

#include <cstdint>
#include <utility>

#include "common/base/random.h"
#include "coordinator/core/parent.h"
#include "coordinator/core/trial_machine.h"

namespace frontier::coordinator {

const v1::TrainingRecipe& RecipeOf(const v1::JobSpec& spec, const v1::Trial& trial) {
  return trial.has_training() ? trial.training() : spec.training();
}

v1::TrialTask MakeTrialTask(const v1::Job& job, const v1::Trial& trial,
                            const v1::Architecture& architecture) {
  const v1::JobSpec& spec = job.spec();
  v1::TrialTask task;
  task.mutable_key()->set_job_id(trial.job_id());
  task.mutable_key()->set_trial(trial.number());
  *task.mutable_architecture() = architecture;
  *task.mutable_dataset() = spec.dataset();
  *task.mutable_training() = RecipeOf(spec, trial);
  *task.mutable_limits() = spec.limits();
  task.set_seed(Rng(spec.strategy().seed(), static_cast<uint64_t>(trial.number())).NextUint64());
  task.set_reproducible(spec.reproducible());
  if (!ParentWeights(spec).empty()) {
    *task.mutable_inheritance() = InheritanceOf(spec, trial);
  }
  task.set_inference_precision(trial.inference_precision());
  task.set_summary(trial.summary());
  const std::string& read = trial.result().engine().dataset_sha256();
  task.set_dataset_sha256(read.empty() ? job.dataset_sha256() : read);
  if (trial.early_stop().cause() == v1::STOP_CAUSE_SCREENED) {
    task.set_proxy(spec.screening().proxy());
  } else if (HasEnded(trial.state()) && trial.result().epochs_size() > 0 &&
             trial.result().epochs_size() < task.training().epochs()) {
    // A bar at that epoch which no accuracy reaches.
    task.mutable_stop_rule()->mutable_least_accuracy()->Resize(trial.result().epochs_size(), 0);
    task.mutable_stop_rule()->set_least_accuracy(trial.result().epochs_size() - 1, 2);
  }
  return task;
}

void SetLeg(const v1::JobSpec& spec, const Leg& leg, const Curves& curves, const v1::Trial& trial,
            v1::TrialTask* task) {
  if (leg.screens) {
    task->set_proxy(spec.screening().proxy());
    return;
  }
  if (leg.probes) return;
  task->set_until_epoch(leg.until_epoch);
  task->set_checkpoint_sha256(trial.checkpoint_sha256());
  v1::StopRule rule = curves.Rule();
  if (rule.ByteSizeLong() > 0) *task->mutable_stop_rule() = std::move(rule);
}

}  // namespace frontier::coordinator
