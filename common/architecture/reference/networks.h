// The reference networks, one function each, and what they share. Only reference.cc and the files
// beside this one include it.
#ifndef FRONTIER_COMMON_ARCHITECTURE_REFERENCE_NETWORKS_H_
#define FRONTIER_COMMON_ARCHITECTURE_REFERENCE_NETWORKS_H_

#include "common/architecture/builder.h"
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

// The halvings of a network that was made for 224 x 224 images. Small samples leave out the first
// ones: as few as leave 4 pixels or more along the longer side at the end.
class Halvings {
 public:
  // `count` halvings in the published network.
  Halvings(const v1::Shape& input, int count);

  // Takes the next one: its stride, 2 or 1.
  int Next();
  // Whether the next one is left out.
  bool SkipsNext() const { return skipped_ > 0; }

 private:
  int skipped_ = 0;
};

// A 2 x 2 pool of stride 2, along the axes that have two pixels.
v1::Pool HalvingPool(const v1::Shape& input);

// The stem of ResNet and DenseNet: a 7 x 7 convolution of 64 with stride 2, norm, ReLU, and a
// padded 3 x 3 max pool of stride 2. A convolution that does not halve is 3 x 3; a pool that does
// not is left out.
int AddWideStem(ArchitectureBuilder* b, Halvings* halvings);

}  // namespace frontier::reference

#endif  // FRONTIER_COMMON_ARCHITECTURE_REFERENCE_NETWORKS_H_
