// Those of the published networks that take a second and some memory even at small inputs.
#include <string>

#include "common/architecture/reference.h"
#include "gtest/gtest.h"
#include "tests/support/one_training_step.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

v1::Shape MakeShape(int channels, int height, int width) {
  v1::Shape shape;
  shape.set_channels(channels);
  shape.set_height(height);
  shape.set_width(width);
  return shape;
}

void ExpectTrains(const std::string& name) {
  for (const v1::Shape& shape : {MakeShape(1, 28, 28), MakeShape(3, 32, 32)}) {
    ASSERT_OK_AND_ASSIGN(const v1::Architecture network, ReferenceArchitecture(name, shape, 10));
    testing::ExpectTrainsAndExports(network, 4);
  }
}

TEST(LargeNetworksTest, DenseNet121Trains) { ExpectTrains("densenet-121"); }
TEST(LargeNetworksTest, ResNet18Trains) { ExpectTrains("resnet-18"); }
TEST(LargeNetworksTest, ResNet50Trains) { ExpectTrains("resnet-50"); }
TEST(LargeNetworksTest, Vgg16Trains) { ExpectTrains("vgg-16"); }

}  // namespace
}  // namespace frontier
