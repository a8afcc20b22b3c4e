#include "coordinator/space/space.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/space/graph_space.h"
#include "coordinator/space/hyperparameter_space.h"
#include "coordinator/space/staged_space.h"

namespace frontier::coordinator {
namespace {

absl::StatusOr<std::unique_ptr<Space>> CreateArchitectureSpace(const v1::SearchSpace& spec,
                                                               const v1::Shape& input,
                                                               int classes) {
  switch (spec.kind_case()) {
    case v1::SearchSpace::kStaged: {
      absl::StatusOr<std::unique_ptr<Space>> space =
          CreateStagedSpace(spec.staged(), input, classes);
      if (!space.ok()) return PrefixField("staged", space.status());
      return space;
    }
    case v1::SearchSpace::kGraph: {
      absl::StatusOr<std::unique_ptr<Space>> space = CreateGraphSpace(spec.graph(), input, classes);
      if (!space.ok()) return PrefixField("graph", space.status());
      return space;
    }
    case v1::SearchSpace::KIND_NOT_SET:
      break;
  }
  return InvalidField("kind", "no search space given; known are: staged, graph");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Space>> CreateSpace(const v1::SearchSpace& spec,
                                                   const v1::Shape& input, int classes) {
  absl::StatusOr<std::unique_ptr<Space>> space = CreateArchitectureSpace(spec, input, classes);
  if (!space.ok() || spec.hyperparameters().empty()) return space;
  return CreateHyperparameterSpace(*std::move(space), spec.hyperparameters());
}

}  // namespace frontier::coordinator
