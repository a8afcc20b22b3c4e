// Search spaces for tests.
#ifndef FRONTIER_TESTS_SUPPORT_SPACES_H_
#define FRONTIER_TESTS_SUPPORT_SPACES_H_

#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::testing {

v1::Shape MakeShape(int channels, int height, int width);

// 25 different networks: one convolution stage of five kernels and five widths.
v1::SearchSpace FiveByFiveSpace();

// Four stages with every block, even and odd widths, strides to 3, and connections.
v1::SearchSpace BroadSpace();

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_SPACES_H_
