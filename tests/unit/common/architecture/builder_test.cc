#include "common/architecture/builder.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::StartsWith;

v1::Shape MakeShape(int channels, int height, int width) {
  v1::Shape shape;
  shape.set_channels(channels);
  shape.set_height(height);
  shape.set_width(width);
  return shape;
}

TEST(ArchitectureBuilderTest, KeepsTrackOfShapes) {
  ArchitectureBuilder b(MakeShape(1, 28, 28), 10);
  const int x = b.ConvolutionNorm("conv", b.input(), SquareConvolution(8, 5, 2));
  EXPECT_EQ(b.shape(x).channels(), 8);
  EXPECT_EQ(b.shape(x).height(), 14);
  b.Classifier(x);
  ASSERT_OK_AND_ASSIGN(const v1::Architecture architecture, b.Build());
  ASSERT_EQ(architecture.nodes_size(), 5);
  EXPECT_EQ(architecture.nodes(2).name(), "conv.norm");
  EXPECT_EQ(architecture.nodes(4).name(), "classifier");
}

TEST(ArchitectureBuilderTest, FirstMistakeIsTold) {
  ArchitectureBuilder b(MakeShape(3, 8, 8), 10);
  const int x = b.Convolution("conv", b.input(), SquareConvolution(8, 3, 1, /*groups=*/2));
  EXPECT_EQ(x, 0);
  EXPECT_EQ(b.Relu("relu", x), 0);
  EXPECT_EQ(b.shape(x).channels(), 0);
  b.Classifier(x);
  EXPECT_THAT(b.Build(), StatusIs(absl::StatusCode::kInvalidArgument,
                                  StartsWith("nodes[1].convolution.groups: 2 does not divide")));
}

TEST(ArchitectureBuilderTest, NodesThatDoNotExistAreRefused) {
  for (int node : {-1, 1, 99}) {
    ArchitectureBuilder b(MakeShape(3, 8, 8), 10);
    b.Relu("relu", node);
    EXPECT_THAT(b.Build(),
                StatusIs(absl::StatusCode::kInvalidArgument, StartsWith("nodes[1].inputs")));
  }
}

TEST(ArchitectureBuilderTest, HostileSizesAreRefused) {
  ArchitectureBuilder b(MakeShape(3, 8, 8), 10);
  b.Convolution("conv", b.input(), SquareConvolution(-4, -3, 0, 0));
  EXPECT_THAT(b.Build(), StatusIs(absl::StatusCode::kInvalidArgument,
                                  StartsWith("nodes[1].convolution.out_channels")));
}

}  // namespace
}  // namespace frontier
