// Any space of architectures with hyperparameters beside it.
#ifndef FRONTIER_COORDINATOR_SPACE_HYPERPARAMETER_SPACE_H_
#define FRONTIER_COORDINATOR_SPACE_HYPERPARAMETER_SPACE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/space/hyperparameters.h"
#include "coordinator/space/space.h"

namespace frontier::coordinator {

// A genotype is one of `architectures` followed by one of the hyperparameters; the two halves are
// drawn, mutated and crossed independently. A mutation falls on a half in proportion to its
// decisions with more than one option. In the enumeration the hyperparameters are the fastest.
// INVALID_ARGUMENT as Hyperparameters::Create.
absl::StatusOr<std::unique_ptr<Space>> CreateHyperparameterSpace(
    std::unique_ptr<Space> architectures, const Hyperparameters::Specs& specs);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_HYPERPARAMETER_SPACE_H_
