// The published networks: their sizes, and what becomes of them at other inputs.
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "common/architecture/reference.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
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

struct Published {
  const char* name;
  int64_t parameters, macs;
  int depth;  // convolutions and linear layers on the longest path
};

// Parameters and multiply-accumulates of convolutions and linear layers at 3 x 224 x 224 and 1000
// classes, as torchvision's definitions have them; ProxylessNAS by the authors' own release (4.1 M,
// 320 M in the paper).
const Published kPublished[] = {
    {"densenet-121", 7978856, 2834161664, 121},      {"mnasnet-b1", 4383312, 314415872, 53},
    {"mobilenetv2", 3504872, 300774272, 53},         {"mobilenetv3-small", 2542856, 56510400, 54},
    {"proxylessnas-mobile", 4080512, 320427584, 62}, {"resnet-18", 11689512, 1814073344, 18},
    {"resnet-50", 25557032, 4089184256, 50},         {"shufflenetv2-x1.0", 2278604, 144907992, 51},
    {"squeezenet-1.0", 1248424, 818924576, 18},      {"squeezenet-1.1", 1235496, 349151936, 18},
    {"vgg-16", 138357544, 15470264320, 16},
};

TEST(PublishedNetworksTest, HaveTheirPublishedSize) {
  for (const Published& published : kPublished) {
    SCOPED_TRACE(published.name);
    ASSERT_OK_AND_ASSIGN(const v1::Architecture network,
                         ReferenceArchitecture(published.name, MakeShape(3, 224, 224), 1000));
    ASSERT_OK_AND_ASSIGN(const GraphCosts costs, AnalyzeGraph(network));
    EXPECT_EQ(costs.parameters, published.parameters);
    EXPECT_EQ(costs.macs, published.macs);
    EXPECT_EQ(costs.depth, published.depth);
  }
}

// Size of the map that the first global pool gets, or the last map before a linear layer.
v1::Shape LastMap(const v1::Architecture& network) {
  const GraphCosts costs = AnalyzeGraph(network).value();
  for (int i = 0; i < network.nodes_size(); ++i) {
    const v1::Node& node = network.nodes(i);
    // Not the pool of a squeeze-and-excite.
    const bool pool = node.op() == v1::OPERATOR_GLOBAL_AVERAGE_POOL && node.name() == "pool";
    if (pool || node.op() == v1::OPERATOR_LINEAR) return costs.nodes[node.inputs(0)].output;
  }
  return v1::Shape();
}

TEST(PublishedNetworksTest, KeepFourPixelsOfSmallSamples) {
  for (const Published& published : kPublished) {
    const std::string name = published.name;
    SCOPED_TRACE(name);
    for (const int extent : {28, 32, 48, 64, 96, 128, 160, 224}) {
      ASSERT_OK_AND_ASSIGN(const v1::Architecture network,
                           ReferenceArchitecture(name, MakeShape(3, extent, extent), 10));
      const v1::Shape map = LastMap(network);
      EXPECT_EQ(map.height(), map.width());
      if (name == "vgg-16") {
        EXPECT_EQ(map.height(), extent / 32 > 0 ? extent / 32 : 1) << extent;
      } else {
        // Halves of DenseNet and SqueezeNet are rounded down here and there.
        EXPECT_GE(map.height(), 3) << extent;
        EXPECT_LE(map.height(), 14) << extent;
      }
    }
  }
}

TEST(PublishedNetworksTest, TakeAnyInput) {
  for (const Published& published : kPublished) {
    for (const v1::Shape& shape :
         {MakeShape(1, 28, 28), MakeShape(3, 32, 32), MakeShape(4, 1, 128), MakeShape(1, 40, 98),
          MakeShape(2, 128, 1), MakeShape(2, 5, 3), MakeShape(1, 1, 1), MakeShape(3, 331, 299),
          MakeShape(3, 600, 2)}) {
      EXPECT_OK(ReferenceArchitecture(published.name, shape, 7))
          << published.name << " " << ShapeText(shape);
    }
  }
}

TEST(PublishedNetworksTest, RefuseInputsThatAreNone) {
  constexpr int kMax = std::numeric_limits<int>::max();
  constexpr int kMin = std::numeric_limits<int>::min();
  for (const Published& published : kPublished) {
    for (const v1::Shape& shape : {MakeShape(0, 32, 32), MakeShape(3, 0, 0), MakeShape(3, -1, 32),
                                   MakeShape(3, kMin, kMin), MakeShape(kMax, kMax, kMax)}) {
      EXPECT_THAT(ReferenceArchitecture(published.name, shape, 10),
                  testing::StatusIs(absl::StatusCode::kInvalidArgument, ::testing::_))
          << published.name << " " << ShapeText(shape);
    }
    for (const int classes : {0, -1, kMin}) {
      EXPECT_THAT(ReferenceArchitecture(published.name, MakeShape(3, 32, 32), classes),
                  testing::StatusIs(absl::StatusCode::kInvalidArgument, ::testing::_))
          << published.name << " " << classes;
    }
  }
}

TEST(PublishedNetworksTest, AreDifferentArchitectures) {
  std::set<std::string> hashes;
  for (const std::string& name : ReferenceNames()) {
    ASSERT_OK_AND_ASSIGN(const v1::Architecture network,
                         ReferenceArchitecture(name, MakeShape(3, 64, 64), 10));
    ASSERT_OK_AND_ASSIGN(const std::string hash, CanonicalHash(network));
    EXPECT_TRUE(hashes.insert(hash).second) << name;
  }
}

TEST(PublishedNetworksTest, SmallSamplesLeaveOutTheStemsHalvings) {
  const auto strides = [](const v1::Architecture& network) {
    int halvings = 0;
    for (const v1::Node& node : network.nodes()) {
      if (node.has_pool()) halvings += node.pool().stride_height() == 2;
      // The shortcut beside a strided convolution does not halve again.
      if (node.has_convolution() && node.name().find("shortcut") == std::string::npos) {
        halvings += node.convolution().stride_height() == 2;
      }
    }
    return halvings;
  };
  const struct {
    int extent, halvings;
  } cases[] = {{224, 5}, {97, 5}, {96, 4}, {49, 4}, {48, 3}, {32, 3}, {28, 3}, {24, 2}, {4, 0}};
  for (const auto& c : cases) {
    ASSERT_OK_AND_ASSIGN(const v1::Architecture network,
                         ReferenceArchitecture("resnet-18", MakeShape(3, c.extent, c.extent), 10));
    EXPECT_EQ(strides(network), c.halvings) << c.extent;
    const v1::Convolution& stem = network.nodes(1).convolution();
    EXPECT_EQ(stem.kernel_height(), c.halvings == 5 ? 7 : 3) << c.extent;
  }
}

}  // namespace
}  // namespace frontier
