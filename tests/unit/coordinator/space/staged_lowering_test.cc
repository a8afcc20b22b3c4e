#include "coordinator/space/staged_lowering.h"

#include <string>
#include <vector>

#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::MakeShape;
using ::frontier::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kClasses = 10;

v1::Architecture Lower(const std::vector<StageChoice>& stages,
                       const v1::Shape& input = MakeShape(1, 28, 28)) {
  absl::StatusOr<v1::Architecture> architecture = LowerStaged(1, 8, stages, input, kClasses);
  EXPECT_OK(architecture);
  return architecture.value_or(v1::Architecture());
}

std::string Hash(const v1::Architecture& architecture) {
  return CanonicalHash(architecture).value();
}

std::vector<std::string> Names(const v1::Architecture& architecture) {
  std::vector<std::string> names;
  for (const v1::Node& node : architecture.nodes()) names.push_back(node.name());
  return names;
}

const v1::Node& Find(const v1::Architecture& architecture, const std::string& name) {
  for (const v1::Node& node : architecture.nodes()) {
    if (node.name() == name) return node;
  }
  ADD_FAILURE() << "no node " << name;
  return v1::Node::default_instance();
}

TEST(StagedLoweringTest, ConvolutionStage) {
  const v1::Architecture a = Lower({{v1::BLOCK_CONVOLUTION, 5, 16, 2, 2, 0}});
  EXPECT_THAT(Names(a), ElementsAre("input", "stem", "stem.norm", "stem.relu", "stage1.block0.conv",
                                    "stage1.block0.conv.norm", "stage1.block0.conv.relu",
                                    "stage1.block1.conv", "stage1.block1.conv.norm",
                                    "stage1.block1.conv.relu", "pool", "classifier"));
  const v1::Convolution& first = Find(a, "stage1.block0.conv").convolution();
  EXPECT_EQ(first.stride_height(), 2);
  EXPECT_EQ(first.padding_width(), 2);
  EXPECT_FALSE(first.bias());
  EXPECT_EQ(Find(a, "stage1.block1.conv").convolution().stride_height(), 1);
  EXPECT_TRUE(Find(a, "classifier").linear().bias());
  ASSERT_OK_AND_ASSIGN(const GraphCosts costs, AnalyzeGraph(a));
  EXPECT_EQ(costs.nodes[4].output.height(), 14);
}

TEST(StagedLoweringTest, DepthwiseBlocks) {
  const v1::Architecture separable = Lower({{v1::BLOCK_DEPTHWISE_SEPARABLE, 3, 12, 1, 2, 0}});
  EXPECT_EQ(Find(separable, "stage1.block0.depthwise").convolution().groups(), 8);
  EXPECT_EQ(Find(separable, "stage1.block0.pointwise").convolution().out_channels(), 12);

  const v1::Architecture bottleneck = Lower({{v1::BLOCK_INVERTED_BOTTLENECK, 3, 12, 2, 1, 0}});
  EXPECT_EQ(Find(bottleneck, "stage1.block0.expand").convolution().out_channels(), 32);
  EXPECT_EQ(Find(bottleneck, "stage1.block1.depthwise").convolution().groups(), 48);
  // A shortcut only where shapes agree.
  EXPECT_THAT(Names(bottleneck), ::testing::Contains("stage1.block1.add"));
  EXPECT_THAT(Names(bottleneck), ::testing::Not(::testing::Contains("stage1.block0.add")));
}

TEST(StagedLoweringTest, ResidualProjectsOnlyWhereTheShapeChanges) {
  const v1::Architecture a =
      Lower({{v1::BLOCK_RESIDUAL, 3, 8, 1, 1, 0}, {v1::BLOCK_RESIDUAL, 3, 8, 2, 2, 0}});
  EXPECT_THAT(Names(a), ::testing::Not(::testing::Contains("stage1.block0.shortcut")));
  EXPECT_EQ(Find(a, "stage2.block0.shortcut").convolution().stride_width(), 2);
  EXPECT_THAT(Names(a), ::testing::Not(::testing::Contains("stage2.block1.shortcut")));
}

TEST(StagedLoweringTest, FireSplitsItsWidth) {
  const v1::Architecture a = Lower({{v1::BLOCK_FIRE, 3, 9, 1, 2, 0}});
  EXPECT_EQ(Find(a, "stage1.block0.squeeze").convolution().out_channels(), 2);
  EXPECT_EQ(Find(a, "stage1.block0.expand").convolution().out_channels(), 4);
  EXPECT_EQ(Find(a, "stage1.block0.expand_wide").convolution().out_channels(), 5);
  const v1::Architecture thin = Lower({{v1::BLOCK_FIRE, 3, 1, 1, 1, 0}});
  EXPECT_EQ(Find(thin, "stage1.block0.squeeze").convolution().out_channels(), 1);
  EXPECT_THAT(Names(thin), ::testing::Not(::testing::Contains("stage1.block0.concat")));
}

TEST(StagedLoweringTest, PoolsKeepTheSizeAtStrideOne) {
  const v1::Architecture a =
      Lower({{v1::BLOCK_AVERAGE_POOL, 5, 8, 1, 1, 0}, {v1::BLOCK_MAX_POOL, 3, 16, 1, 2, 0}});
  ASSERT_OK_AND_ASSIGN(const GraphCosts costs, AnalyzeGraph(a));
  EXPECT_EQ(costs.nodes[4].output.height(), 28);
  EXPECT_EQ(costs.nodes[5].output.height(), 14);
  EXPECT_EQ(Find(a, "stage2.block0.conv").convolution().kernel_height(), 1);
}

TEST(StagedLoweringTest, ConnectionMeetsTheShapeAcrossOddSizes) {
  // 27 -> 14 -> 5 -> 3 pixels
  std::vector<StageChoice> stages = {{v1::BLOCK_CONVOLUTION, 3, 8, 1, 2, 0},
                                     {v1::BLOCK_CONVOLUTION, 3, 12, 1, 3, 0},
                                     {v1::BLOCK_CONVOLUTION, 3, 16, 1, 2, 0},
                                     {v1::BLOCK_CONVOLUTION, 3, 16, 1, 1, 1}};
  const v1::Architecture a = Lower(stages, MakeShape(3, 27, 27));
  const v1::Convolution& adapter = Find(a, "stage4.join").convolution();
  EXPECT_EQ(adapter.stride_height(), 6);
  EXPECT_EQ(adapter.out_channels(), 16);
  // Shapes that agree need no adapter.
  stages = {{v1::BLOCK_CONVOLUTION, 3, 8, 1, 1, 0},
            {v1::BLOCK_CONVOLUTION, 3, 8, 1, 1, 0},
            {v1::BLOCK_CONVOLUTION, 3, 8, 1, 1, 1}};
  EXPECT_THAT(Names(Lower(stages)),
              ::testing::AllOf(::testing::Contains("stage3.join.add"),
                               ::testing::Contains("stage3.join.relu"),
                               ::testing::Not(::testing::Contains("stage3.join"))));
}

TEST(StagedLoweringTest, ChoicesWithoutEffectGiveOneHash) {
  const auto skip = [](int kernel, int depth) {
    return Hash(Lower({{v1::BLOCK_SKIP, kernel, 8, depth, 1, 0}}));
  };
  EXPECT_EQ(skip(3, 1), skip(5, 3));
  const auto pool = [](v1::Block block, int kernel, int depth) {
    return Hash(Lower({{block, kernel, 8, depth, 2, 0}}));
  };
  EXPECT_EQ(pool(v1::BLOCK_MAX_POOL, 3, 1), pool(v1::BLOCK_MAX_POOL, 3, 2));
  EXPECT_NE(pool(v1::BLOCK_MAX_POOL, 3, 1), pool(v1::BLOCK_MAX_POOL, 5, 1));
  EXPECT_NE(pool(v1::BLOCK_MAX_POOL, 3, 1), pool(v1::BLOCK_AVERAGE_POOL, 3, 1));
  EXPECT_EQ(pool(v1::BLOCK_MAX_POOL, 1, 1), pool(v1::BLOCK_AVERAGE_POOL, 1, 1));
}

TEST(StagedLoweringTest, StridesThatLeaveNothingAreRefused) {
  const std::vector<StageChoice> stages = {{v1::BLOCK_CONVOLUTION, 3, 8, 1, 4, 0},
                                           {v1::BLOCK_CONVOLUTION, 3, 8, 1, 2, 0}};
  EXPECT_THAT(LowerStaged(1, 8, stages, MakeShape(1, 4, 4), kClasses),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("stage2: stride 2 on a map of 1 x 1")));
}

TEST(StagedLoweringTest, SignalsGetOneDimensionalKernels) {
  const v1::Architecture a =
      Lower({{v1::BLOCK_RESIDUAL, 5, 16, 1, 2, 0}, {v1::BLOCK_MAX_POOL, 3, 16, 1, 2, 0}},
            MakeShape(2, 1, 64));
  const v1::Convolution& conv = Find(a, "stage1.block0.conv1").convolution();
  EXPECT_EQ(conv.kernel_height(), 1);
  EXPECT_EQ(conv.kernel_width(), 5);
  ASSERT_OK_AND_ASSIGN(const GraphCosts costs, AnalyzeGraph(a));
  EXPECT_EQ(costs.nodes[costs.nodes.size() - 3].output.width(), 16);
}

}  // namespace
}  // namespace frontier::coordinator
