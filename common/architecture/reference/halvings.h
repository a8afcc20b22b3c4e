// How the published networks, and search spaces around them, halve their maps.
#ifndef FRONTIER_COMMON_ARCHITECTURE_REFERENCE_HALVINGS_H_
#define FRONTIER_COMMON_ARCHITECTURE_REFERENCE_HALVINGS_H_

#include "frontier/v1/architecture.pb.h"

namespace frontier::reference {

// The halvings of a network that was made for 224 x 224 images. Small samples leave out the first
// ones: as few as leave 4 pixels or more along the longer side at the end.
class Halvings {
 public:
  // `count` halvings in the published network.
  Halvings(const v1::Shape& input, int count);

  // Takes the next one: its stride, 2 or 1.
  int Next();

 private:
  int skipped_ = 0;
};

// A 2 x 2 pool of stride 2, along the axes that have two pixels.
v1::Pool HalvingPool(const v1::Shape& input);

// A 3 x 3 pool of stride 2 that leaves half of each extent, rounded down, as SqueezeNet's pools do
// by rounding up: an even extent, and one pixel, need padding for that.
v1::Pool CeilPool(const v1::Shape& input);

// Window and stride, without padding, that leave at most 7 x 7 pixels: in front of VGG's linear
// layers. 1 x 1 if nothing is to be done.
v1::Pool HeadPool(const v1::Shape& input);

}  // namespace frontier::reference

#endif  // FRONTIER_COMMON_ARCHITECTURE_REFERENCE_HALVINGS_H_
