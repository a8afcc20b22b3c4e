// What the networks made of repeated cells have in common.
#ifndef FRONTIER_COMMON_ARCHITECTURE_CELL_LAYERS_H_
#define FRONTIER_COMMON_ARCHITECTURE_CELL_LAYERS_H_

#include "frontier/v1/architecture.pb.h"

namespace frontier {

// SquareConvolution and SquarePool of an odd kernel for samples of shape `sample`: those of height
// 1 are signals, and a kernel on them has height 1.
v1::Convolution CellConvolution(const v1::Shape& sample, int out_channels, int kernel,
                                int stride = 1);
v1::Pool CellPool(const v1::Shape& sample, int kernel);

// 2 x 2 with stride 2. An odd extent is padded, so that its half is rounded up; an extent of 1 is
// kept.
v1::Pool HalvingCellPool(const v1::Shape& map);

}  // namespace frontier

#endif  // FRONTIER_COMMON_ARCHITECTURE_CELL_LAYERS_H_
