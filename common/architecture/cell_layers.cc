#include "common/architecture/cell_layers.h"

#include "common/architecture/builder.h"

namespace frontier {

v1::Convolution CellConvolution(const v1::Shape& sample, int out_channels, int kernel, int stride) {
  v1::Convolution attributes = SquareConvolution(out_channels, kernel, stride);
  if (sample.height() == 1) {
    attributes.set_kernel_height(1);
    attributes.set_stride_height(1);
    attributes.set_padding_height(0);
  }
  return attributes;
}

v1::Pool CellPool(const v1::Shape& sample, int kernel) {
  v1::Pool attributes = SquarePool(kernel, 1);
  if (sample.height() == 1) {
    attributes.set_kernel_height(1);
    attributes.set_padding_height(0);
  }
  return attributes;
}

v1::Pool HalvingCellPool(const v1::Shape& map) {
  v1::Pool attributes = SquarePool(2, 2);
  attributes.set_padding_height(map.height() % 2);
  attributes.set_padding_width(map.width() % 2);
  if (map.height() == 1) {
    attributes.set_kernel_height(1);
    attributes.set_stride_height(1);
    attributes.set_padding_height(0);
  }
  if (map.width() == 1) {
    attributes.set_kernel_width(1);
    attributes.set_stride_width(1);
    attributes.set_padding_width(0);
  }
  return attributes;
}

}  // namespace frontier
