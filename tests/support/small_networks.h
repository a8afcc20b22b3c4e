// The reference networks that are small enough for the slowest of tests.
#ifndef FRONTIER_TESTS_SUPPORT_SMALL_NETWORKS_H_
#define FRONTIER_TESTS_SUPPORT_SMALL_NETWORKS_H_

#include <string>
#include <vector>

namespace frontier::testing {

inline std::vector<std::string> SmallNetworks() {
  return {"mobilenetv2-like", "resnet20", "small-cnn", "squeezenet-like", "vgg-like"};
}

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_SMALL_NETWORKS_H_
