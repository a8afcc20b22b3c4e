// Whether a training recipe makes sense, alone and with each value of the hyperparameters.
#ifndef FRONTIER_COORDINATOR_CORE_RECIPE_CHECK_H_
#define FRONTIER_COORDINATOR_CORE_RECIPE_CHECK_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "frontier/v1/job.pb.h"

namespace frontier::coordinator {

// INVALID_ARGUMENT (reason INVALID_FIELD, path "training.learning_rate") names the first field that
// is wrong for a data set whose shape and classes are known, with its value.
absl::Status CheckTraining(const v1::TrainingRecipe& training, const v1::DatasetSpec& dataset);

// Whether every candidate's recipe passes `check`: tries all combinations of values if there are at
// most 10,000, else each value in one of them and as many drawn at random. INVALID_ARGUMENT (reason
// INVALID_FIELD) names the hyperparameter ("search_space.hyperparameters[2]") and the values at
// which it fails, or what is wrong with the hyperparameters themselves.
absl::Status CheckHyperparameters(const v1::JobSpec& spec,
                                  absl::FunctionRef<absl::Status(const v1::TrainingRecipe&)> check);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_RECIPE_CHECK_H_
