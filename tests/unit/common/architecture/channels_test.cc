#include "common/architecture/channels.h"

#include <cstdint>
#include <string>
#include <vector>

#include "common/architecture/builder.h"
#include "common/architecture/reference.h"
#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/random_architecture.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::MakeShape;
using ::testing::Each;
using ::testing::ElementsAre;

ChannelMap Map(const v1::Architecture& architecture) {
  const absl::StatusOr<ChannelMap> map =
      MapChannels(architecture, AnalyzeGraph(architecture).value());
  EXPECT_OK(map);
  return *map;
}

std::vector<std::string> Producers(const v1::Architecture& architecture,
                                   const ChannelGroup& group) {
  std::vector<std::string> names;
  for (const int node : group.producers) names.push_back(architecture.nodes(node).name());
  return names;
}

TEST(ChannelsTest, AnAdditionTiesAStageOfAResidualNetwork) {
  const v1::Architecture network =
      ReferenceArchitecture("resnet20", MakeShape(1, 28, 28), 10).value();
  const ChannelMap map = Map(network);
  // For each stage its trunk and three blocks' insides.
  ASSERT_EQ(map.groups.size(), 12u);
  EXPECT_THAT(
      Producers(network, map.groups[0]),
      ElementsAre("stem", "stage1.block0.conv2", "stage1.block1.conv2", "stage1.block2.conv2"));
  EXPECT_EQ(map.groups[0].units.size(), 16u);
  EXPECT_THAT(Producers(network, map.groups[1]), ElementsAre("stage1.block0.conv1"));
  // Input and classes stay.
  EXPECT_EQ(map.group_of[map.units[0][0]], -1);
  for (const int unit : map.units.back()) EXPECT_EQ(map.group_of[unit], -1);
}

TEST(ChannelsTest, DepthwiseConvolutionsAndGatesPassChannelsOn) {
  ArchitectureBuilder b(MakeShape(3, 8, 8), 4);
  const int expand = b.ConvolutionNormRelu("expand", b.input(), SquareConvolution(12, 1));
  const int depthwise = b.ConvolutionNormRelu("depthwise", expand, SquareConvolution(12, 3, 1, 0));
  const int squeeze = b.Relu(
      "squeeze.relu",
      b.Convolution("squeeze", b.GlobalAveragePool("pool", depthwise), SquareConvolution(5, 1)));
  const int gate = b.Sigmoid("sigmoid", b.Convolution("excite", squeeze, SquareConvolution(12, 1)));
  b.Linear("classifier", b.Multiply("gate", depthwise, gate), 4);
  const v1::Architecture network = b.Build().value();
  const ChannelMap map = Map(network);
  ASSERT_EQ(map.groups.size(), 2u);
  EXPECT_THAT(Producers(network, map.groups[0]), ElementsAre("expand", "excite"));
  EXPECT_EQ(map.groups[0].units.size(), 12u);
  EXPECT_THAT(Producers(network, map.groups[1]), ElementsAre("squeeze"));
}

TEST(ChannelsTest, AConcatenationThatIsAddedToHasAGroupForEachPart) {
  ArchitectureBuilder b(MakeShape(3, 8, 8), 4);
  const int x = b.Convolution("x", b.input(), SquareConvolution(6, 3));
  const int y = b.Convolution("y", b.input(), SquareConvolution(2, 3));
  const int z = b.Convolution("z", b.input(), SquareConvolution(8, 3));
  b.Linear("classifier", b.Add("add", {b.Concat("concat", {x, y}), z}), 4);
  const v1::Architecture network = b.Build().value();
  const ChannelMap map = Map(network);
  ASSERT_EQ(map.groups.size(), 2u);
  EXPECT_THAT(Producers(network, map.groups[0]), ElementsAre("x", "z"));
  EXPECT_THAT(Producers(network, map.groups[1]), ElementsAre("y", "z"));
  EXPECT_EQ(map.groups[0].units.size(), 6u);
  EXPECT_EQ(map.groups[1].units.size(), 2u);
}

TEST(ChannelsTest, WhatPermutesOrGroupsChannelsStays) {
  ArchitectureBuilder b(MakeShape(3, 8, 8), 4);
  const int x = b.Convolution("x", b.input(), SquareConvolution(8, 3));
  const int shuffled = b.ChannelShuffle("shuffle", x, 2);
  const int grouped = b.Convolution("grouped", shuffled, SquareConvolution(8, 3, 1, 2));
  b.Linear("classifier", grouped, 4);
  const ChannelMap map = Map(b.Build().value());
  EXPECT_TRUE(map.groups.empty());
  EXPECT_THAT(map.group_of, Each(-1));
}

TEST(ChannelsTest, GroupsPartitionTheUnitsOfAnyNetwork) {
  constexpr uint64_t kSeed = 31;
  for (uint64_t i = 0; i < 200; ++i) {
    SCOPED_TRACE("Rng(" + std::to_string(kSeed) + ", " + std::to_string(i) + ")");
    Rng rng(kSeed, i);
    const v1::Architecture network =
        frontier::testing::RandomArchitecture(12, &rng, frontier::testing::OperatorSet::kAll);
    const GraphCosts costs = AnalyzeGraph(network).value();
    ASSERT_OK_AND_ASSIGN(const ChannelMap map, MapChannels(network, costs));
    std::vector<int> seen(map.group_of.size(), 0);
    for (size_t g = 0; g < map.groups.size(); ++g) {
      for (const int unit : map.groups[g].units) {
        ++seen[static_cast<size_t>(unit)];
        EXPECT_EQ(map.group_of[static_cast<size_t>(unit)], static_cast<int>(g));
      }
    }
    for (size_t u = 0; u < seen.size(); ++u) EXPECT_EQ(seen[u], map.group_of[u] < 0 ? 0 : 1);
    for (size_t n = 0; n < map.units.size(); ++n) {
      EXPECT_EQ(static_cast<int>(map.units[n].size()), costs.nodes[n].output.channels());
    }
  }
}

TEST(ChannelsTest, RefusesWhatIsTooWide) {
  ArchitectureBuilder b(MakeShape(1, 1, 1), 2);
  b.Linear("classifier", b.Convolution("wide", b.input(), SquareConvolution(1 << 22, 1)), 2);
  const v1::Architecture network = b.Build().value();
  EXPECT_THAT(MapChannels(network, AnalyzeGraph(network).value()).status(),
              frontier::testing::StatusIs(absl::StatusCode::kInvalidArgument,
                                          ::testing::HasSubstr("4194307 channels")));
}

}  // namespace
}  // namespace frontier
