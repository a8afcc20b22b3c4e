#include "tests/support/spaces.h"

namespace frontier::testing {

v1::Shape MakeShape(int channels, int height, int width) {
  v1::Shape shape;
  shape.set_channels(channels);
  shape.set_height(height);
  shape.set_width(width);
  return shape;
}

v1::SearchSpace FiveByFiveSpace() {
  v1::SearchSpace space;
  space.mutable_staged()->add_stem_widths(4);
  v1::StageChoices* stage = space.mutable_staged()->add_stages();
  stage->add_blocks(v1::BLOCK_CONVOLUTION);
  for (int kernel : {1, 3, 5, 7, 9}) stage->add_kernels(kernel);
  for (int width : {2, 4, 6, 8, 10}) stage->add_widths(width);
  stage->add_depths(1);
  stage->add_strides(1);
  stage->add_connections(0);
  return space;
}

v1::SearchSpace BroadSpace() {
  v1::SearchSpace space;
  for (int width : {1, 8, 16}) space.mutable_staged()->add_stem_widths(width);
  for (int number = 1; number <= 4; ++number) {
    v1::StageChoices* stage = space.mutable_staged()->add_stages();
    for (int block = v1::Block_MIN + 1; block <= v1::Block_MAX; ++block) {
      stage->add_blocks(static_cast<v1::Block>(block));
    }
    for (int kernel : {1, 3, 5}) stage->add_kernels(kernel);
    for (int width : {1, 3, 8, 16}) stage->add_widths(width);
    for (int depth : {1, 2, 3}) stage->add_depths(depth);
    for (int stride : {1, 2, 3}) stage->add_strides(stride);
    for (int from = 0; from <= number - 2 || from == 0; ++from) stage->add_connections(from);
  }
  return space;
}

}  // namespace frontier::testing
