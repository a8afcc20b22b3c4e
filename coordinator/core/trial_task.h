// What a trial's workers are told to do.
#ifndef FRONTIER_COORDINATOR_CORE_TRIAL_TASK_H_
#define FRONTIER_COORDINATOR_CORE_TRIAL_TASK_H_

#include "coordinator/core/legs.h"
#include "coordinator/stopping/curves.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::coordinator {

// How a trial is trained: by its own hyperparameters if it has any, else as its job says.
const v1::TrainingRecipe& RecipeOf(const v1::JobSpec& spec, const v1::Trial& trial);

// The same for every attempt, so that a retry repeats the trial; the key lacks the attempt. Of one
// that was stopped early: training up to there.
v1::TrialTask MakeTrialTask(const v1::Job& job, const v1::Trial& trial,
                            const v1::Architecture& architecture);

// Puts into the task of a trial that has not ended which part of its training is to be done.
void SetLeg(const v1::JobSpec& spec, const Leg& leg, const Curves& curves, const v1::Trial& trial,
            v1::TrialTask* task);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_TRIAL_TASK_H_
