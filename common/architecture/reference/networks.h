// The reference networks, one function each, and what they share. Only reference.cc and the files
// beside this one include it.
#ifndef FRONTIER_COMMON_ARCHITECTURE_REFERENCE_NETWORKS_H_
#define FRONTIER_COMMON_ARCHITECTURE_REFERENCE_NETWORKS_H_

#include "common/architecture/builder.h"
#include "common/architecture/reference/halvings.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier::reference {

// Each adds all layers to a builder that holds the input alone; reference.h describes the networks.
void BuildDenseNet121(ArchitectureBuilder* b);
void BuildMnasNetB1(ArchitectureBuilder* b);
void BuildMobileNetV2(ArchitectureBuilder* b);
void BuildMobileNetV2Like(ArchitectureBuilder* b);
void BuildMobileNetV3Small(ArchitectureBuilder* b);
void BuildProxylessNasMobile(ArchitectureBuilder* b);
void BuildResNet18(ArchitectureBuilder* b);
void BuildResNet20(ArchitectureBuilder* b);
void BuildResNet50(ArchitectureBuilder* b);
void BuildShuffleNetV2(ArchitectureBuilder* b);
void BuildSmallCnn(ArchitectureBuilder* b);
void BuildSqueezeNet10(ArchitectureBuilder* b);
void BuildSqueezeNet11(ArchitectureBuilder* b);
void BuildSqueezeNetLike(ArchitectureBuilder* b);
void BuildVgg16(ArchitectureBuilder* b);
void BuildVggLike(ArchitectureBuilder* b);

// The stem of ResNet and DenseNet: a 7 x 7 convolution of 64 with stride 2, norm, ReLU, and a
// padded 3 x 3 max pool of stride 2. A convolution that does not halve is 3 x 3; a pool that does
// not is left out.
int AddWideStem(ArchitectureBuilder* b, Halvings* halvings);

}  // namespace frontier::reference

#endif  // FRONTIER_COMMON_ARCHITECTURE_REFERENCE_NETWORKS_H_
