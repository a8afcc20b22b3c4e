#include "coordinator/space/space.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/space/nasbench101_space.h"
#include "coordinator/space/nasbench201_space.h"
#include "coordinator/space/staged_space.h"

namespace frontier::coordinator {

absl::StatusOr<std::unique_ptr<Space>> CreateSpace(const v1::SearchSpace& spec,
                                                   const v1::Shape& input, int classes) {
  switch (spec.kind_case()) {
    case v1::SearchSpace::kStaged: {
      absl::StatusOr<std::unique_ptr<Space>> space =
          CreateStagedSpace(spec.staged(), input, classes);
      if (!space.ok()) return PrefixField("staged", space.status());
      return space;
    }
    case v1::SearchSpace::kNasbench201: {
      absl::StatusOr<std::unique_ptr<Space>> space =
          CreateNasBench201Space(spec.nasbench201(), input, classes);
      if (!space.ok()) return PrefixField("nasbench201", space.status());
      return space;
    }
    case v1::SearchSpace::kNasbench101: {
      absl::StatusOr<std::unique_ptr<Space>> space =
          CreateNasBench101Space(spec.nasbench101(), input, classes);
      if (!space.ok()) return PrefixField("nasbench101", space.status());
      return space;
    }
    case v1::SearchSpace::KIND_NOT_SET:
      break;
  }
  return InvalidField("kind", "no search space given; known are: staged, nasbench201, nasbench101");
}

}  // namespace frontier::coordinator
