#include "coordinator/space/space.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status.h"
#include "coordinator/space/compress_space.h"
#include "coordinator/space/fire_space.h"
#include "coordinator/space/graph_space.h"
#include "coordinator/space/hyperparameter_space.h"
#include "coordinator/space/mobile_space.h"
#include "coordinator/space/nasbench101_space.h"
#include "coordinator/space/nasbench201_space.h"
#include "coordinator/space/probe_space.h"
#include "coordinator/space/residual_space.h"
#include "coordinator/space/staged_space.h"
#include "coordinator/space/vgg_space.h"

namespace frontier::coordinator {
namespace {

absl::StatusOr<std::unique_ptr<Space>> Prefix(absl::string_view field,
                                              absl::StatusOr<std::unique_ptr<Space>> space) {
  if (!space.ok()) return PrefixField(field, space.status());
  return space;
}

absl::StatusOr<std::unique_ptr<Space>> CreateComposedSpace(const v1::Composition& composition,
                                                           const v1::Shape& input, int classes) {
  if (composition.probing()) return CreateProbeSpace(composition.probes(), input, classes);
  if (composition.has_space()) {
    return Prefix("space", CreateStagedSpace(composition.space(), input, classes));
  }
  return InvalidField("space", "is not composed yet");
}

absl::StatusOr<std::unique_ptr<Space>> CreateArchitectureSpace(const v1::SearchSpace& spec,
                                                               const v1::Shape& input,
                                                               int classes) {
  switch (spec.kind_case()) {
    case v1::SearchSpace::kStaged:
      return Prefix("staged", CreateStagedSpace(spec.staged(), input, classes));
    case v1::SearchSpace::kNasbench201:
      return Prefix("nasbench201", CreateNasBench201Space(spec.nasbench201(), input, classes));
    case v1::SearchSpace::kNasbench101:
      return Prefix("nasbench101", CreateNasBench101Space(spec.nasbench101(), input, classes));
    case v1::SearchSpace::kMobile:
      return Prefix("mobile", CreateMobileSpace(spec.mobile(), input, classes));
    case v1::SearchSpace::kFire:
      return Prefix("fire", CreateFireSpace(spec.fire(), input, classes));
    case v1::SearchSpace::kResidual:
      return Prefix("residual", CreateResidualSpace(spec.residual(), input, classes));
    case v1::SearchSpace::kVgg:
      return Prefix("vgg", CreateVggSpace(spec.vgg(), input, classes));
    case v1::SearchSpace::kCompress:
      return Prefix("compress", CreateCompressSpace(spec.compress(), input, classes));
    case v1::SearchSpace::kGraph:
      return Prefix("graph", CreateGraphSpace(spec.graph(), input, classes));
    case v1::SearchSpace::kAuto:
      return Prefix("auto.composition",
                    CreateComposedSpace(spec.auto_().composition(), input, classes));
    case v1::SearchSpace::KIND_NOT_SET:
      break;
  }
  return InvalidField("kind",
                      "no search space given; known are: staged, nasbench201, nasbench101, mobile, "
                      "fire, residual, vgg, compress, graph, auto");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Space>> CreateSpace(const v1::SearchSpace& spec,
                                                   const v1::Shape& input, int classes) {
  absl::StatusOr<std::unique_ptr<Space>> space = CreateArchitectureSpace(spec, input, classes);
  if (!space.ok() || spec.hyperparameters().empty()) return space;
  // Probes are trained as the job says.
  if (spec.auto_().composition().probing()) return space;
  return CreateHyperparameterSpace(*std::move(space), spec.hyperparameters());
}

}  // namespace frontier::coordinator
