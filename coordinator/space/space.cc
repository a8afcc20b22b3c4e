#include "coordinator/space/space.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/space/compress_space.h"
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
    case v1::SearchSpace::kCompress: {
      absl::StatusOr<std::unique_ptr<CompressSpace>> space =
          CreateCompressSpace(spec.compress(), input, classes);
      if (!space.ok()) return PrefixField("compress", space.status());
      return *std::move(space);
    }
    case v1::SearchSpace::KIND_NOT_SET:
      break;
  }
  return InvalidField("kind", "no search space given; known are: staged, compress");
}

}  // namespace frontier::coordinator
