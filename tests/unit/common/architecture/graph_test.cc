#include "common/architecture/graph.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "common/architecture/builder.h"
#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int32_t kMax = std::numeric_limits<int32_t>::max();

v1::Shape MakeShape(int channels, int height, int width) {
  v1::Shape shape;
  shape.set_channels(channels);
  shape.set_height(height);
  shape.set_width(width);
  return shape;
}

// input, conv, norm, relu, max pool, add of pool and pool, pool, classifier
v1::Architecture Sample() {
  ArchitectureBuilder b(MakeShape(3, 9, 7), 5);
  int x = b.ConvolutionNormRelu("conv", b.input(), SquareConvolution(6, 3, 2, 3));
  x = b.MaxPool("max", x, SquarePool(3, 2));
  const int y = b.AveragePool("average", x, SquarePool(3, 1));
  x = b.Add("add", {x, y});
  x = b.Concat("concat", {x, y});
  b.Classifier(x);
  return b.Build().value();
}

TEST(AnalyzeGraphTest, CountsShapesParametersAndMacs) {
  ASSERT_OK_AND_ASSIGN(const GraphCosts costs, AnalyzeGraph(Sample()));
  ASSERT_EQ(costs.nodes.size(), 10u);
  // conv 3x3 stride 2 padding 1 in 3 groups: 5 x 4, 6 * 1 * 9 weights
  EXPECT_EQ(costs.nodes[1].output.height(), 5);
  EXPECT_EQ(costs.nodes[1].output.width(), 4);
  EXPECT_EQ(costs.nodes[1].parameters, 54);
  EXPECT_EQ(costs.nodes[1].macs, 54 * 20);
  EXPECT_EQ(costs.nodes[2].parameters, 12);
  EXPECT_EQ(costs.nodes[4].output.height(), 3);
  EXPECT_EQ(costs.nodes[4].output.width(), 2);
  EXPECT_EQ(costs.nodes[7].output.channels(), 12);
  EXPECT_EQ(costs.nodes[9].parameters, 12 * 5 + 5);
  EXPECT_EQ(costs.nodes[9].macs, 60);
  EXPECT_EQ(costs.parameters, 54 + 12 + 65);
  EXPECT_EQ(costs.macs, 1080 + 60);
  EXPECT_EQ(costs.depth, 2);
  const int64_t floats = 3 * 63 + 3 * 6 * 20 + 3 * 36 + 72 + 12 + 5;
  EXPECT_EQ(costs.activation_bytes, 4 * floats);
}

TEST(AnalyzeGraphTest, DilationWidensTheKernel) {
  ArchitectureBuilder b(MakeShape(1, 1, 16), 2);
  v1::Convolution conv = SquareConvolution(4, 1);
  conv.set_kernel_width(3);
  conv.set_dilation_width(4);
  conv.set_bias(true);
  b.Classifier(b.Convolution("conv", b.input(), conv));
  ASSERT_OK_AND_ASSIGN(const v1::Architecture architecture, b.Build());
  ASSERT_OK_AND_ASSIGN(const GraphCosts costs, AnalyzeGraph(architecture));
  EXPECT_EQ(costs.nodes[1].output.width(), 8);
  EXPECT_EQ(costs.nodes[1].parameters, 4 * 3 + 4);
}

struct BadCase {
  const char* field;
  const char* problem;
  std::function<void(v1::Architecture*)> damage;
};

v1::Convolution* Conv(v1::Architecture* a) { return a->mutable_nodes(1)->mutable_convolution(); }
v1::Pool* MaxPool(v1::Architecture* a) { return a->mutable_nodes(4)->mutable_pool(); }

TEST(AnalyzeGraphTest, RefusesAndNamesWhatIsWrong) {
  const std::vector<BadCase> cases = {
      {"nodes", "empty", [](auto* a) { a->clear_nodes(); }},
      {"input.channels", "is 0", [](auto* a) { a->mutable_input()->set_channels(0); }},
      {"input.height", "is -1", [](auto* a) { a->mutable_input()->set_height(-1); }},
      {"input.width", "is 0", [](auto* a) { a->mutable_input()->set_width(0); }},
      {"classes", "is 0", [](auto* a) { a->set_classes(0); }},
      {"nodes[9]", "5x1x1, not 6x1x1", [](auto* a) { a->set_classes(6); }},
      {"nodes[0].op", "first", [](auto* a) { a->mutable_nodes(0)->set_op(v1::OPERATOR_RELU); }},
      {"nodes[0].inputs[0]", "0", [](auto* a) { a->mutable_nodes(0)->add_inputs(0); }},
      {"nodes[3].op", "node 0", [](auto* a) { a->mutable_nodes(3)->set_op(v1::OPERATOR_INPUT); }},
      {"nodes[3].op", "0", [](auto* a) { a->mutable_nodes(3)->clear_op(); }},
      {"nodes[3].op", "77",
       [](auto* a) { a->mutable_nodes(3)->set_op(static_cast<v1::Operator>(77)); }},
      {"nodes[3].inputs", "0 entries", [](auto* a) { a->mutable_nodes(3)->clear_inputs(); }},
      {"nodes[3].inputs", "2 entries", [](auto* a) { a->mutable_nodes(3)->add_inputs(1); }},
      {"nodes[3].inputs[0]", "3", [](auto* a) { a->mutable_nodes(3)->set_inputs(0, 3); }},
      {"nodes[3].inputs[0]", "-1", [](auto* a) { a->mutable_nodes(3)->set_inputs(0, -1); }},
      {"nodes[3].inputs[0]", "2147483647",
       [](auto* a) { a->mutable_nodes(3)->set_inputs(0, kMax); }},
      {"nodes[6].inputs", "1 entries",
       [](auto* a) { a->mutable_nodes(6)->mutable_inputs()->RemoveLast(); }},
      {"nodes[6].inputs[1]", "6x5x4", [](auto* a) { a->mutable_nodes(6)->set_inputs(1, 3); }},
      {"nodes[7].inputs[1]", "height and width",
       [](auto* a) { a->mutable_nodes(7)->set_inputs(1, 3); }},
      {"nodes[3].linear", "not an attribute",
       [](auto* a) { a->mutable_nodes(3)->mutable_linear(); }},
      {"nodes[1].convolution", "missing", [](auto* a) { a->mutable_nodes(1)->clear_attributes(); }},
      {"nodes[1].pool", "not an attribute", [](auto* a) { a->mutable_nodes(1)->mutable_pool(); }},
      {"nodes[2].name", "'conv'", [](auto* a) { a->mutable_nodes(2)->set_name("conv"); }},
      {"nodes[1].convolution.out_channels", "-2", [](auto* a) { Conv(a)->set_out_channels(-2); }},
      {"nodes[1].convolution.groups", "is 0", [](auto* a) { Conv(a)->set_groups(0); }},
      {"nodes[1].convolution.groups", "2 does not divide the 3 input",
       [](auto* a) { Conv(a)->set_groups(2); }},
      {"nodes[1].convolution.groups", "3 does not divide the 7 output",
       [](auto* a) { Conv(a)->set_out_channels(7); }},
      {"nodes[1].convolution.kernel_height", "is 0",
       [](auto* a) { Conv(a)->set_kernel_height(0); }},
      {"nodes[1].convolution.kernel_width", "10 pixels, more than the 9",
       [](auto* a) { Conv(a)->set_kernel_width(10); }},
      {"nodes[1].convolution.stride_width", "-1", [](auto* a) { Conv(a)->set_stride_width(-1); }},
      {"nodes[1].convolution.padding_height", "-1",
       [](auto* a) { Conv(a)->set_padding_height(-1); }},
      {"nodes[1].convolution.dilation_height", "is 0",
       [](auto* a) { Conv(a)->set_dilation_height(0); }},
      {"nodes[1].convolution.kernel_height", "4294967295",
       [](auto* a) { Conv(a)->set_dilation_height(kMax); }},
      {"nodes[1].convolution.padding_width", "pixels",
       [](auto* a) {
         Conv(a)->set_padding_width(kMax);
         Conv(a)->set_stride_width(1);
       }},
      {"nodes[4].pool.padding_height", "3 is not below the 3",
       [](auto* a) { MaxPool(a)->set_padding_height(3); }},
      {"nodes[4].pool.stride_height", "is 0", [](auto* a) { MaxPool(a)->set_stride_height(0); }},
      {"nodes[9].linear.out_features", "is 0",
       [](auto* a) { a->mutable_nodes(9)->mutable_linear()->set_out_features(0); }},
  };
  for (const BadCase& c : cases) {
    SCOPED_TRACE(c.field);
    v1::Architecture architecture = Sample();
    c.damage(&architecture);
    const absl::Status status = AnalyzeGraph(architecture).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                                 ::testing::AllOf(StartsWith(c.field), HasSubstr(c.problem))));
    EXPECT_EQ(GetErrorDetail(status).value_or(v1::ErrorDetail()).field(), c.field);
  }
}

TEST(AnalyzeGraphTest, LayersWithoutWeightsKeepShapesAndCostNothing) {
  ArchitectureBuilder b(MakeShape(6, 5, 3), 6);
  int x = b.Relu6("relu6", b.input());
  x = b.LeakyRelu("leaky", x, 0.0f);
  x = b.LeakyRelu("leaky2", x, 0.99f);
  x = b.Silu("silu", b.Sigmoid("sigmoid", x));
  x = b.Gelu("gelu", b.HardSwish("swish", b.HardSigmoid("hard", x)));
  x = b.Concat("concat", {b.ChannelSlice("left", x, 0, 4), b.ChannelSlice("right", x, 4, 2)});
  x = b.ChannelShuffle("shuffle", x, 3);
  x = b.Dropout("dropout", b.Dropout("none", x, 0.0f), 0.999f);
  x = b.Multiply("square", x, x);
  const int squeezed = b.GlobalAveragePool("squeeze", x);
  x = b.Multiply("excite", x, squeezed);
  x = b.Multiply("excite2", squeezed, x);
  x = b.Add("add", {x, b.Zero("zero", x)});
  EXPECT_EQ(b.shape(x).height(), 5);
  EXPECT_EQ(b.shape(x).width(), 3);
  b.Multiply("scores", squeezed, b.GlobalAveragePool("pool", x));
  ASSERT_OK_AND_ASSIGN(const v1::Architecture architecture, b.Build());
  ASSERT_OK_AND_ASSIGN(const GraphCosts costs, AnalyzeGraph(architecture));
  EXPECT_EQ(costs.parameters, 0);
  EXPECT_EQ(costs.macs, 0);
  for (int i = 0; i < architecture.nodes_size(); ++i) {
    const v1::Node& node = architecture.nodes(i);
    EXPECT_EQ(costs.nodes[i].output.channels(),
              node.has_channel_slice() ? node.channel_slice().channels() : 6)
        << node.name();
  }
}

// input 6 x 4 x 4, leaky ReLU, shuffle, dropout, product with a gate, pool
v1::Architecture GatedSample() {
  ArchitectureBuilder b(MakeShape(6, 4, 4), 6);
  int x = b.LeakyRelu("leaky", b.input(), 0.1f);
  x = b.ChannelShuffle("shuffle", x, 2);
  x = b.Dropout("dropout", x, 0.5f);
  const int gate = b.GlobalAveragePool("gate", x);
  b.GlobalAveragePool("pool", b.Multiply("multiply", x, gate));
  return b.Build().value();
}

TEST(AnalyzeGraphTest, RefusesWrongAttributesOfLayersWithoutWeights) {
  const auto slope = [](float value) {
    return [value](v1::Architecture* a) {
      a->mutable_nodes(1)->mutable_leaky_relu()->set_slope(value);
    };
  };
  const auto groups = [](int value) {
    return [value](v1::Architecture* a) {
      a->mutable_nodes(2)->mutable_channel_shuffle()->set_groups(value);
    };
  };
  const auto rate = [](float value) {
    return
        [value](v1::Architecture* a) { a->mutable_nodes(3)->mutable_dropout()->set_rate(value); };
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<BadCase> cases = {
      {"nodes[1].leaky_relu.slope", "is 1, must be at least 0 and below 1", slope(1.0f)},
      {"nodes[1].leaky_relu.slope", "is -0.5", slope(-0.5f)},
      {"nodes[1].leaky_relu.slope", "is nan", slope(nan)},
      {"nodes[1].leaky_relu", "missing", [](auto* a) { a->mutable_nodes(1)->clear_attributes(); }},
      {"nodes[1].dropout", "not an attribute",
       [](auto* a) { a->mutable_nodes(1)->mutable_dropout(); }},
      {"nodes[2].channel_shuffle.groups", "is 0", groups(0)},
      {"nodes[2].channel_shuffle.groups", "4 does not divide the 6 channels", groups(4)},
      {"nodes[2].channel_shuffle", "missing",
       [](auto* a) { a->mutable_nodes(2)->clear_attributes(); }},
      {"nodes[3].dropout.rate", "is 1", rate(1.0f)},
      {"nodes[3].dropout.rate", "is -1", rate(-1.0f)},
      {"nodes[3].dropout.rate", "is inf", rate(std::numeric_limits<float>::infinity())},
      {"nodes[3].dropout", "missing", [](auto* a) { a->mutable_nodes(3)->clear_attributes(); }},
      {"nodes[5].inputs", "has 1 entries, OPERATOR_MULTIPLY takes two",
       [](auto* a) { a->mutable_nodes(5)->mutable_inputs()->RemoveLast(); }},
      {"nodes[5].inputs", "has 3 entries", [](auto* a) { a->mutable_nodes(5)->add_inputs(0); }},
      {"nodes[5].leaky_relu", "not an attribute of OPERATOR_MULTIPLY",
       [](auto* a) { a->mutable_nodes(5)->mutable_leaky_relu(); }},
      {"nodes[5].inputs[1]", "has shape 5x1x1, the first has 6x4x4",
       [](auto* a) {
         a->mutable_nodes(4)->set_op(v1::OPERATOR_LINEAR);
         a->mutable_nodes(4)->mutable_linear()->set_out_features(5);
       }},
  };
  for (const BadCase& c : cases) {
    SCOPED_TRACE(c.field);
    v1::Architecture architecture = GatedSample();
    c.damage(&architecture);
    const absl::Status status = AnalyzeGraph(architecture).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                                 ::testing::AllOf(StartsWith(c.field), HasSubstr(c.problem))));
    EXPECT_EQ(GetErrorDetail(status).value_or(v1::ErrorDetail()).field(), c.field);
  }
}

TEST(AnalyzeGraphTest, RefusesSlicesPastTheChannels) {
  const auto status = [](int first, int channels) {
    ArchitectureBuilder b(MakeShape(6, 4, 4), channels);
    b.GlobalAveragePool("pool", b.ChannelSlice("slice", b.input(), first, channels));
    return b.Build().status();
  };
  EXPECT_OK(status(0, 6));
  EXPECT_OK(status(5, 1));
  const struct {
    int first, channels;
    const char* text;
  } cases[] = {
      {-1, 2, "nodes[1].channel_slice.first: is -1, must be at least 0"},
      {0, 0, "nodes[1].channel_slice.channels: is 0, must be at least 1"},
      {5, 2, "nodes[1].channel_slice.channels: ends at channel 7, past the 6 of the input"},
      {kMax, kMax, "nodes[1].channel_slice.channels: ends at channel 4294967294, past the 6"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(status(c.first, c.channels),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.text)));
  }
}

TEST(AnalyzeGraphTest, RefusesNumbersThatOverflow) {
  {
    ArchitectureBuilder b(MakeShape(kMax, kMax, kMax), 2);
    EXPECT_THAT(b.Build(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("63 bits")));
    b.Linear("linear", b.input(), 2);
    EXPECT_THAT(b.Build(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("63 bits")));
  }
  {
    ArchitectureBuilder b(MakeShape(kMax, 1, 1), 2);
    v1::Convolution conv = SquareConvolution(kMax, 1);
    conv.set_kernel_height(kMax);
    conv.set_kernel_width(kMax);
    conv.set_padding_height(1 << 30);
    conv.set_padding_width(1 << 30);
    b.Convolution("conv", b.input(), conv);
    EXPECT_THAT(b.Build(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("63 bits")));
  }
  {
    ArchitectureBuilder b(MakeShape(kMax, 1, 1), 2);
    b.Concat("concat", {b.input(), b.input()});
    EXPECT_THAT(b.Build(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("4294967294 channels")));
  }
}

TEST(AnalyzeGraphTest, SumsThatOverflowAreRefused) {
  // Each layer has 2^60 weights; eight of them leave 63 bits.
  ArchitectureBuilder b(MakeShape(1 << 30, 1, 1), 1 << 30);
  int x = b.input();
  for (int i = 0; i < 8; ++i) x = b.Linear("", x, 1 << 30);
  EXPECT_THAT(b.Build(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       ::testing::AllOf(StartsWith("nodes[8].op"), HasSubstr("parameters"))));
}

}  // namespace
}  // namespace frontier
