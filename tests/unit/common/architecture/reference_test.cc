#include "common/architecture/reference.h"

#include <string>

#include "common/architecture/graph.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

v1::Shape MakeShape(int channels, int height, int width) {
  v1::Shape shape;
  shape.set_channels(channels);
  shape.set_height(height);
  shape.set_width(width);
  return shape;
}

TEST(ReferenceTest, EveryNetworkFitsAnyInput) {
  for (const std::string& name : ReferenceNames()) {
    for (const v1::Shape& shape :
         {MakeShape(1, 28, 28), MakeShape(3, 32, 32), MakeShape(2, 8, 9), MakeShape(3, 224, 224)}) {
      EXPECT_OK(ReferenceArchitecture(name, shape, 7)) << name;
    }
  }
}

TEST(ReferenceTest, PaddedPoolsTakeAnyExtent) {
  for (const char* name : {"mobilenetv2-like", "resnet20", "small-cnn"}) {
    for (const v1::Shape& shape : {MakeShape(4, 1, 128), MakeShape(2, 1, 1)}) {
      EXPECT_OK(ReferenceArchitecture(name, shape, 7)) << name;
    }
  }
}

TEST(ReferenceTest, SamplesSmallerThanThePoolsAreRefused) {
  EXPECT_OK(ReferenceArchitecture("squeezenet-like", MakeShape(1, 4, 4), 10));
  for (const char* name : {"squeezenet-like", "vgg-like"}) {
    EXPECT_THAT(ReferenceArchitecture(name, MakeShape(1, 3, 28), 10),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("pool")))
        << name;
  }
}

struct Size {
  const char* name;
  int64_t parameters, macs_28, macs_32;  // MACs at 1 x 28 x 28 and 3 x 32 x 32
};

// Counted by PyTorch on tests/bench/peers/torch_networks.py: parameters of one input channel;
// multiply-accumulates of convolutions and linear layers.
TEST(ReferenceTest, NetworksHaveTheSizeOfTheirPeersInPyTorch) {
  for (const Size& size : {Size{"mobilenetv2-like", 124682, 8141856, 10928928},
                           Size{"resnet20", 272186, 31021952, 40813184},
                           Size{"squeezenet-like", 61482, 4843264, 6915328},
                           Size{"vgg-like", 288170, 29128448, 38634752}}) {
    SCOPED_TRACE(size.name);
    ASSERT_OK_AND_ASSIGN(const v1::Architecture small,
                         ReferenceArchitecture(size.name, MakeShape(1, 28, 28), 10));
    ASSERT_OK_AND_ASSIGN(const GraphCosts small_costs, AnalyzeGraph(small));
    EXPECT_EQ(small_costs.parameters, size.parameters);
    EXPECT_EQ(small_costs.macs, size.macs_28);
    ASSERT_OK_AND_ASSIGN(const v1::Architecture large,
                         ReferenceArchitecture(size.name, MakeShape(3, 32, 32), 10));
    ASSERT_OK_AND_ASSIGN(const GraphCosts large_costs, AnalyzeGraph(large));
    EXPECT_EQ(large_costs.macs, size.macs_32);
  }
}

TEST(ReferenceTest, ResNet20HasItsPublishedSize) {
  ASSERT_OK_AND_ASSIGN(const v1::Architecture network,
                       ReferenceArchitecture("resnet20", MakeShape(3, 32, 32), 10));
  ASSERT_OK_AND_ASSIGN(const GraphCosts costs, AnalyzeGraph(network));
  // With shortcuts that have no weights, as in the paper (0.27 M), it is 269,722; here two
  // projections and their norms come on top.
  EXPECT_EQ(costs.parameters, 269722 + 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64);
  EXPECT_EQ(costs.depth, 20);
}

TEST(ReferenceTest, MobileNetLikeHasDepthwiseStages) {
  ASSERT_OK_AND_ASSIGN(const v1::Architecture network,
                       ReferenceArchitecture("mobilenetv2-like", MakeShape(1, 28, 28), 10));
  int depthwise = 0;
  int adds = 0;
  for (const v1::Node& node : network.nodes()) {
    depthwise += node.has_convolution() && node.convolution().groups() > 1;
    adds += node.op() == v1::OPERATOR_ADD;
  }
  EXPECT_EQ(depthwise, 7);
  EXPECT_EQ(adds, 4);
}

TEST(ReferenceTest, UnknownNameListsTheKnown) {
  EXPECT_THAT(ReferenceArchitecture("resnet21", MakeShape(1, 28, 28), 10),
              StatusIs(absl::StatusCode::kNotFound,
                       ::testing::AllOf(HasSubstr("'resnet21'"), HasSubstr("resnet20"))));
}

}  // namespace
}  // namespace frontier
