#include "common/architecture/difference.h"

#include <string>
#include <vector>

#include "common/architecture/builder.h"
#include "common/architecture/canonical.h"
#include "common/architecture/reference.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/random_architecture.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::Shape MakeShape(int channels, int height, int width) {
  v1::Shape shape;
  shape.set_channels(channels);
  shape.set_height(height);
  shape.set_width(width);
  return shape;
}

v1::Architecture ResNet20() {
  return ReferenceArchitecture("resnet20", MakeShape(3, 32, 32), 10).value();
}

v1::Architecture WithoutNames(v1::Architecture architecture) {
  for (v1::Node& node : *architecture.mutable_nodes()) node.clear_name();
  return architecture;
}

std::vector<std::string> Fields(const ArchitectureDifference& difference) {
  std::vector<std::string> texts;
  for (const NodeDifference& node : difference.changed) {
    for (const FieldDifference& field : node.fields) {
      texts.push_back(std::to_string(node.a) + "/" + std::to_string(node.b) + " " + field.field +
                      " " + field.a + " > " + field.b);
    }
  }
  return texts;
}

TEST(CompareArchitecturesTest, FindsNothingBetweenEqualOnes) {
  const v1::Architecture network = ResNet20();
  for (const v1::Architecture& other : {network, WithoutNames(network)}) {
    ASSERT_OK_AND_ASSIGN(const ArchitectureDifference difference,
                         CompareArchitectures(network, other));
    EXPECT_THAT(difference.changed, IsEmpty());
    EXPECT_THAT(difference.only_a, IsEmpty());
    EXPECT_THAT(difference.only_b, IsEmpty());
    EXPECT_EQ(difference.reshaped, 0);
    EXPECT_EQ(difference.pairs.size(), static_cast<size_t>(network.nodes_size()));
  }
}

TEST(CompareArchitecturesTest, TellsAttributesOfNodesOfOneName) {
  const v1::Architecture a = ResNet20();
  v1::Architecture b = a;
  b.mutable_nodes(1)->mutable_convolution()->set_kernel_height(5);
  b.mutable_nodes(1)->mutable_convolution()->set_padding_height(2);
  b.mutable_nodes(3)->set_op(v1::OPERATOR_SILU);
  ASSERT_OK_AND_ASSIGN(const ArchitectureDifference difference, CompareArchitectures(a, b));
  EXPECT_THAT(Fields(difference), ElementsAre("1/1 convolution.kernel_height 3 > 5",
                                              "1/1 convolution.padding_height 1 > 2",
                                              "3/3 op OPERATOR_RELU > OPERATOR_SILU"));
  EXPECT_GT(difference.costs_b.parameters, difference.costs_a.parameters);
}

TEST(CompareArchitecturesTest, CountsShapesThatFollow) {
  const v1::Architecture small = ResNet20();
  const v1::Architecture large =
      ReferenceArchitecture("resnet20", MakeShape(3, 64, 64), 10).value();
  ASSERT_OK_AND_ASSIGN(const ArchitectureDifference difference, CompareArchitectures(small, large));
  EXPECT_THAT(difference.changed, IsEmpty());
  // All but the pool and the classifier.
  EXPECT_EQ(difference.reshaped, small.nodes_size() - 2);
}

// input, conv, (relu,) conv, classifier, without names
v1::Architecture Chain(bool with_relu, int kernel) {
  ArchitectureBuilder b(MakeShape(4, 8, 8), 3);
  int x = b.Convolution("", b.input(), SquareConvolution(8, kernel));
  if (with_relu) x = b.Relu("", x);
  x = b.Convolution("", x, SquareConvolution(6, 3));
  b.Linear("", b.GlobalAveragePool("", x), 3);
  return b.Build().value();
}

TEST(CompareArchitecturesTest, MatchesByStructureWhereThereAreNoNames) {
  ASSERT_OK_AND_ASSIGN(ArchitectureDifference difference,
                       CompareArchitectures(Chain(true, 3), Chain(false, 3)));
  EXPECT_THAT(difference.only_a, ElementsAre(2));
  EXPECT_THAT(difference.only_b, IsEmpty());
  EXPECT_THAT(Fields(difference), ElementsAre("3/2 inputs node 2 > node 1"));
  ASSERT_OK_AND_ASSIGN(difference, CompareArchitectures(Chain(false, 3), Chain(false, 5)));
  EXPECT_THAT(
      Fields(difference),
      ElementsAre("1/1 convolution.kernel_height 3 > 5", "1/1 convolution.kernel_width 3 > 5",
                  "1/1 convolution.padding_height 1 > 2", "1/1 convolution.padding_width 1 > 2"));
}

TEST(CompareArchitecturesTest, NamesTheArchitectureThatIsNone) {
  v1::Architecture broken = ResNet20();
  broken.mutable_nodes(1)->mutable_convolution()->set_groups(2);
  EXPECT_THAT(
      CompareArchitectures(broken, ResNet20()),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("a.nodes[1].convolution.groups")));
  EXPECT_THAT(CompareArchitectures(ResNet20(), broken),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("b.nodes[1]")));
}

// Whatever two graphs are, every node is in a pair or alone, once.
TEST(CompareArchitecturesTest, AccountsForEveryNode) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    v1::Architecture a = testing::RandomArchitecture(static_cast<int>(2 + rng.Uniform(25)), &rng,
                                                     testing::OperatorSet::kAll);
    v1::Architecture b = rng.Uniform(2) == 0
                             ? testing::Renumbered(a, &rng)
                             : testing::RandomArchitecture(static_cast<int>(2 + rng.Uniform(25)),
                                                           &rng, testing::OperatorSet::kAll);
    if (rng.Uniform(2) == 0) a = WithoutNames(a);
    if (rng.Uniform(2) == 0) b = WithoutNames(b);
    ASSERT_OK_AND_ASSIGN(const ArchitectureDifference difference, CompareArchitectures(a, b));
    std::vector<int> seen_a(a.nodes_size(), 0), seen_b(b.nodes_size(), 0);
    for (const auto& [i, j] : difference.pairs) {
      ++seen_a[i];
      ++seen_b[j];
    }
    for (const int i : difference.only_a) ++seen_a[i];
    for (const int j : difference.only_b) ++seen_b[j];
    EXPECT_THAT(seen_a, ::testing::Each(1));
    EXPECT_THAT(seen_b, ::testing::Each(1));
  }
}

}  // namespace
}  // namespace frontier
