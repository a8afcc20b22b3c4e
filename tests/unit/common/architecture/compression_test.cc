#include "common/architecture/compression.h"

#include <climits>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/architecture/builder.h"
#include "common/architecture/canonical.h"
#include "common/architecture/reference.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/random_architecture.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::MakeShape;
using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

v1::Architecture ResNet20() {
  return ReferenceArchitecture("resnet20", MakeShape(1, 28, 28), 10).value();
}

int FindNode(const v1::Architecture& architecture, const std::string& name) {
  for (int i = 0; i < architecture.nodes_size(); ++i) {
    if (architecture.nodes(i).name() == name) return i;
  }
  ADD_FAILURE() << "no node " << name;
  return 0;
}

TEST(CompressionTest, NothingChangedIsTheParent) {
  const v1::Architecture parent = ResNet20();
  ASSERT_OK_AND_ASSIGN(const Compressor compressor, Compressor::Create(parent));
  ASSERT_OK_AND_ASSIGN(const CompressedNetwork child, compressor.Compress(v1::Compression()));
  EXPECT_EQ(child.architecture.SerializeAsString(), parent.SerializeAsString());
  for (size_t i = 0; i < child.origins.size(); ++i) {
    EXPECT_EQ(child.origins[i].node, static_cast<int>(i));
    EXPECT_EQ(child.origins[i].part, NodeOrigin::Part::kWhole);
  }
}

TEST(CompressionTest, FindsTheResidualBlocks) {
  ASSERT_OK_AND_ASSIGN(const Compressor compressor, Compressor::Create(ResNet20()));
  ASSERT_EQ(compressor.blocks().size(), 9u);
  EXPECT_EQ(compressor.blocks()[0].name, "stage1.block0");
  EXPECT_EQ(compressor.blocks()[3].name, "stage2.block0");
}

TEST(CompressionTest, ADroppedBlockLeavesItsShortcut) {
  const v1::Architecture parent = ResNet20();
  ASSERT_OK_AND_ASSIGN(const Compressor compressor, Compressor::Create(parent));
  v1::Compression compression;
  compression.add_dropped(FindNode(parent, "stage1.block1.add"));
  compression.add_dropped(FindNode(parent, "stage2.block0.add"));
  ASSERT_OK_AND_ASSIGN(const CompressedNetwork child, compressor.Compress(compression));
  const GraphCosts costs = AnalyzeGraph(child.architecture).value();
  // Four 3 x 3 convolutions less: two of 16 to 16 on 28 x 28, 16 to 32 and 32 to 32 on 14 x 14.
  EXPECT_EQ(compressor.costs().macs - costs.macs,
            2 * 9 * 16 * 16 * 784 + 9 * 16 * 32 * 196 + 9 * 32 * 32 * 196);
  FindNode(child.architecture, "stage2.block0.shortcut");
  for (const v1::Node& node : child.architecture.nodes()) {
    EXPECT_NE(node.name(), "stage1.block1.conv1");
    EXPECT_NE(node.name(), "stage2.block0.add");
  }
}

TEST(CompressionTest, AWidthIsThatOfAllItsGroup) {
  const v1::Architecture parent = ResNet20();
  ASSERT_OK_AND_ASSIGN(const Compressor compressor, Compressor::Create(parent));
  v1::Compression compression;
  v1::WidthChange* change = compression.add_widths();
  change->set_group(0);
  change->set_share(0.3);
  ASSERT_OK_AND_ASSIGN(const CompressedNetwork child, compressor.Compress(compression));
  for (const char* name : {"stem", "stage1.block0.conv2", "stage1.block2.conv2"}) {
    EXPECT_EQ(
        child.architecture.nodes(FindNode(child.architecture, name)).convolution().out_channels(),
        5)
        << name;
  }
  EXPECT_EQ(child.architecture.nodes(FindNode(child.architecture, "stage1.block0.conv1"))
                .convolution()
                .out_channels(),
            16);
}

TEST(CompressionTest, ConvolutionsTakeOtherForms) {
  const v1::Architecture parent = ResNet20();
  ASSERT_OK_AND_ASSIGN(const Compressor compressor, Compressor::Create(parent));
  const int node = FindNode(parent, "stage2.block0.conv1");  // 16 to 32, 3 x 3, stride 2
  const auto macs = [&](const std::function<void(v1::ConvolutionChange*)>& set) {
    v1::Compression compression;
    compression.add_convolutions()->set_node(node);
    set(compression.mutable_convolutions(0));
    const absl::StatusOr<CompressedNetwork> child = compressor.Compress(compression);
    EXPECT_OK(child);
    const int64_t others = compressor.costs().macs - 9 * 16 * 32 * 196;
    return AnalyzeGraph(child->architecture).value().macs - others;
  };
  EXPECT_EQ(macs([](auto* c) { c->set_kernel(1); }), 16 * 32 * 196);
  EXPECT_EQ(macs([](auto* c) { c->set_separable(true); }), 9 * 16 * 196 + 16 * 32 * 196);
  // 3 x 1 at stride 2 x 1, then 1 x 3 at 1 x 2.
  EXPECT_EQ(macs([](auto* c) { c->set_spatial_rank(0.5); }),
            3 * 16 * 8 * 14 * 28 + 3 * 8 * 32 * 196);
  EXPECT_EQ(macs([](auto* c) { c->set_channel_rank(0.25); }), 9 * 16 * 4 * 196 + 4 * 32 * 196);
}

TEST(CompressionTest, NamesStayUnique) {
  ArchitectureBuilder b(MakeShape(8, 8, 8), 4);
  const int x = b.Convolution("conv.depthwise", b.input(), SquareConvolution(8, 3));
  b.Linear("classifier", b.Convolution("conv", x, SquareConvolution(8, 3)), 4);
  ASSERT_OK_AND_ASSIGN(const Compressor compressor, Compressor::Create(b.Build().value()));
  v1::Compression compression;
  compression.add_convolutions()->set_node(2);
  compression.mutable_convolutions(0)->set_separable(true);
  ASSERT_OK_AND_ASSIGN(const CompressedNetwork child, compressor.Compress(compression));
  EXPECT_EQ(child.architecture.nodes(2).name(), "conv.depthwise_");
}

TEST(CompressionTest, KernelsShrinkOnlyWherePaddingAllows) {
  ArchitectureBuilder b(MakeShape(8, 16, 16), 4);
  v1::Convolution unpadded = SquareConvolution(8, 5);
  unpadded.set_padding_height(1);
  unpadded.set_padding_width(1);
  const int x = b.Convolution("five", b.input(), SquareConvolution(8, 5));
  const int y = b.Convolution("unpadded", x, unpadded);
  v1::Convolution even = SquareConvolution(8, 4);
  const int z = b.Convolution("even", y, even);
  b.Linear("classifier", z, 4);
  ASSERT_OK_AND_ASSIGN(const Compressor compressor, Compressor::Create(b.Build().value()));
  EXPECT_THAT(compressor.SmallerKernels(1), ::testing::ElementsAre(3, 1));
  EXPECT_THAT(compressor.SmallerKernels(2), ::testing::ElementsAre(3));
  EXPECT_THAT(compressor.SmallerKernels(3), ::testing::IsEmpty());
  EXPECT_THAT(compressor.SmallerKernels(4), ::testing::IsEmpty());
}

TEST(CompressionTest, SaysWhatItCannotDo) {
  const v1::Architecture parent = ResNet20();
  ASSERT_OK_AND_ASSIGN(const Compressor compressor, Compressor::Create(parent));
  const auto refusal = [&](const std::function<void(v1::Compression*)>& set) {
    v1::Compression compression;
    set(&compression);
    const absl::Status status = compressor.Compress(compression).status();
    EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_INVALID_FIELD) << status;
    return std::string(status.message());
  };
  const auto width = [](int group, double share) {
    return [group, share](v1::Compression* c) {
      v1::WidthChange* change = c->add_widths();
      change->set_group(group);
      change->set_share(share);
    };
  };
  EXPECT_EQ(refusal(width(12, 0.5)), "widths[0].group: 12 is none of the 12 channel groups");
  EXPECT_EQ(refusal(width(INT_MIN, 0.5)),
            "widths[0].group: -2147483648 is none of the 12 channel groups");
  EXPECT_EQ(refusal(width(0, 0)), "widths[0].share: is 0, must be above 0 and at most 1");
  EXPECT_THAT(refusal(width(0, std::nan(""))), HasSubstr("must be above 0"));
  EXPECT_EQ(refusal([&](v1::Compression* c) {
              width(1, 0.5)(c);
              width(1, 0.5)(c);
            }),
            "widths[1].group: 1 is named twice");
  EXPECT_EQ(refusal([](v1::Compression* c) { c->add_dropped(3); }),
            "dropped[0]: node 3 has no branch to be dropped");
  EXPECT_EQ(refusal([](v1::Compression* c) { c->add_convolutions()->set_node(INT_MAX); }),
            "convolutions[0].node: 2147483647 is no convolution");
  EXPECT_EQ(refusal([](v1::Compression* c) { c->add_convolutions()->set_node(1); }),
            "convolutions[0].change: is missing");
  EXPECT_EQ(refusal([](v1::Compression* c) {
              c->add_convolutions()->set_node(1);
              c->mutable_convolutions(0)->set_kernel(2);
            }),
            "convolutions[0].kernel: node 1 has no kernel that can be cropped to 2");
  EXPECT_EQ(refusal([&](v1::Compression* c) {
              c->add_convolutions()->set_node(FindNode(parent, "stage2.block0.shortcut"));
              c->mutable_convolutions(0)->set_separable(true);
            }),
            "convolutions[0].separable: node " +
                std::to_string(FindNode(parent, "stage2.block0.shortcut")) +
                " cannot be changed so");
  v1::Architecture broken = parent;
  broken.mutable_nodes(1)->mutable_convolution()->set_out_channels(-1);
  EXPECT_THAT(Compressor::Create(broken).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("out_channels")));
}

// Any mix of changes of any network gives a network for the same samples and classes.
TEST(CompressionTest, AnyMixOfChangesIsValid) {
  constexpr uint64_t kSeed = 77;
  for (uint64_t i = 0; i < 300; ++i) {
    SCOPED_TRACE("Rng(" + std::to_string(kSeed) + ", " + std::to_string(i) + ")");
    Rng rng(kSeed, i);
    const v1::Architecture parent =
        frontier::testing::RandomArchitecture(14, &rng, frontier::testing::OperatorSet::kAll);
    ASSERT_OK_AND_ASSIGN(const Compressor compressor, Compressor::Create(parent));
    v1::Compression compression;
    for (const DroppableBlock& block : compressor.blocks()) {
      if (rng.Uniform(2) == 1) compression.add_dropped(block.addition);
    }
    for (size_t g = 0; g < compressor.channels().groups.size(); ++g) {
      if (rng.Uniform(2) == 0) continue;
      v1::WidthChange* change = compression.add_widths();
      change->set_group(static_cast<int>(g));
      change->set_share(1.0 / static_cast<double>(1 + rng.Uniform(4)));
    }
    for (int node = 0; node < parent.nodes_size(); ++node) {
      v1::ConvolutionChange change;
      change.set_node(node);
      const std::vector<int> sides = compressor.SmallerKernels(node);
      const uint64_t kind = rng.Uniform(5);
      if (kind == 0 && !sides.empty()) {
        change.set_kernel(sides[rng.Uniform(sides.size())]);
      } else if (!compressor.IsDense(node)) {
        continue;
      } else if (kind == 1 && compressor.HasWindow(node)) {
        change.set_separable(true);
      } else if (kind == 2 && compressor.HasSquareWindow(node)) {
        change.set_spatial_rank(0.5);
      } else if (kind == 3) {
        change.set_channel_rank(0.5);
      } else {
        continue;
      }
      *compression.add_convolutions() = change;
    }
    ASSERT_OK_AND_ASSIGN(const CompressedNetwork child, compressor.Compress(compression));
    ASSERT_OK_AND_ASSIGN(const GraphCosts costs, AnalyzeGraph(child.architecture));
    EXPECT_EQ(child.origins.size(), static_cast<size_t>(child.architecture.nodes_size()));
    EXPECT_EQ(costs.nodes.back().output.channels(), parent.classes());
    for (size_t n = 0; n < child.origins.size(); ++n) {
      if (child.origins[n].part == NodeOrigin::Part::kFirst) continue;
      const v1::Shape& now = costs.nodes[n].output;
      const v1::Shape& before =
          compressor.costs().nodes[static_cast<size_t>(child.origins[n].node)].output;
      EXPECT_EQ(now.height(), before.height());
      EXPECT_EQ(now.width(), before.width());
      EXPECT_LE(now.channels(), before.channels());
    }
  }
}

}  // namespace
}  // namespace frontier
