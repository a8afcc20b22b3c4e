#include "common/architecture/reference.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/architecture/builder.h"
#include "common/architecture/reference/networks.h"

namespace frontier {
namespace {

struct Reference {
  const char* name;
  void (*build)(ArchitectureBuilder*);
};

// Sorted by name.
constexpr Reference kReferences[] = {
    {"densenet-121", reference::BuildDenseNet121},
    {"mnasnet-b1", reference::BuildMnasNetB1},
    {"mobilenetv2", reference::BuildMobileNetV2},
    {"mobilenetv2-like", reference::BuildMobileNetV2Like},
    {"mobilenetv3-small", reference::BuildMobileNetV3Small},
    {"proxylessnas-mobile", reference::BuildProxylessNasMobile},
    {"resnet-18", reference::BuildResNet18},
    {"resnet-50", reference::BuildResNet50},
    {"resnet20", reference::BuildResNet20},
    {"shufflenetv2-x1.0", reference::BuildShuffleNetV2},
    {"small-cnn", reference::BuildSmallCnn},
    {"squeezenet-1.0", reference::BuildSqueezeNet10},
    {"squeezenet-1.1", reference::BuildSqueezeNet11},
    {"squeezenet-like", reference::BuildSqueezeNetLike},
    {"vgg-16", reference::BuildVgg16},
    {"vgg-like", reference::BuildVggLike},
};

}  // namespace

std::vector<std::string> ReferenceNames() {
  std::vector<std::string> names;
  for (const Reference& reference : kReferences) names.emplace_back(reference.name);
  return names;
}

absl::StatusOr<v1::Architecture> ReferenceArchitecture(absl::string_view name,
                                                       const v1::Shape& input, int classes) {
  for (const Reference& reference : kReferences) {
    if (name != reference.name) continue;
    ArchitectureBuilder builder(input, classes);
    reference.build(&builder);
    return builder.Build();
  }
  return absl::NotFoundError(absl::StrCat("reference network '", name, "': known are ",
                                          absl::StrJoin(ReferenceNames(), ", ")));
}

}  // namespace frontier
