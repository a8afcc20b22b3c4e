#include "common/model_io/onnx_export.h"

#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/architecture/builder.h"
#include "common/architecture/reference.h"
#include "common/base/random.h"
#include "common/base/version.h"
#include "common/model_io/parameters.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "onnx/onnx.pb.h"
#include "tests/support/random_architecture.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::OperatorSet;
using ::frontier::testing::RandomArchitecture;
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

// Values count up from 0.5 by 0.25 through all tensors.
v1::Model CountingModel(const v1::Architecture& architecture) {
  v1::Model model;
  *model.mutable_architecture() = architecture;
  const GraphCosts costs = AnalyzeGraph(architecture).value();
  float next = 0.25f;
  for (const TensorSpec& spec : TensorSpecs(architecture, costs)) {
    v1::Tensor* tensor = model.add_tensors();
    tensor->set_node(spec.node);
    tensor->set_name(spec.name);
    for (const int64_t d : spec.dimensions) tensor->add_dimensions(d);
    std::vector<float> values(static_cast<size_t>(spec.elements()));
    for (float& v : values) v = next += 0.25f;
    SetTensorValues(values, tensor);
  }
  for (int c = 0; c < architecture.input().channels(); ++c) {
    model.mutable_normalization()->add_mean(0.5f);
    model.mutable_normalization()->add_deviation(0.25f);
  }
  model.set_dataset("tiny");
  return model;
}

onnx::ModelProto Exported(const v1::Model& model, OnnxInput input) {
  onnx::ModelProto file;
  const absl::StatusOr<std::string> bytes = ExportOnnx(model, input);
  EXPECT_OK(bytes.status());
  EXPECT_TRUE(bytes.ok() && file.ParseFromString(*bytes));
  return file;
}

onnx::GraphProto ExportedGraph(const ArchitectureBuilder& b) {
  return Exported(CountingModel(b.Build().value()), OnnxInput::kNormalized).graph();
}

std::vector<std::string> Types(const onnx::GraphProto& graph) {
  std::vector<std::string> types;
  for (const onnx::NodeProto& node : graph.node()) types.push_back(node.op_type());
  return types;
}

// The attributes of the only node of a type, as text.
std::map<std::string, std::string> Attributes(const onnx::GraphProto& graph,
                                              const std::string& type) {
  std::map<std::string, std::string> result;
  for (const onnx::NodeProto& node : graph.node()) {
    if (node.op_type() != type) continue;
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      std::string text;
      switch (attribute.type()) {
        case onnx::AttributeProto::INT:
          text = absl::StrCat(attribute.i());
          break;
        case onnx::AttributeProto::FLOAT:
          text = absl::StrCat(attribute.f());
          break;
        case onnx::AttributeProto::INTS:
          for (const int64_t v : attribute.ints()) absl::StrAppend(&text, v, " ");
          break;
        default:
          text = "unexpected";
      }
      EXPECT_TRUE(result.insert({attribute.name(), text}).second) << attribute.name();
    }
  }
  return result;
}

// What ONNX wants of a graph: values are made once, before they are used, and initializers hold as
// many bytes as their dimensions say; beyond that, that nothing is made in vain.
void ExpectWellFormed(const onnx::GraphProto& graph) {
  std::set<std::string> made;
  std::set<std::string> used;
  for (const onnx::ValueInfoProto& input : graph.input()) made.insert(input.name());
  for (const onnx::TensorProto& constant : graph.initializer()) {
    EXPECT_TRUE(made.insert(constant.name()).second) << constant.name();
    int64_t elements = 1;
    for (const int64_t d : constant.dims()) elements *= d;
    if (constant.data_type() == onnx::TensorProto::FLOAT) {
      EXPECT_EQ(constant.raw_data().size(), static_cast<size_t>(elements) * sizeof(float))
          << constant.name();
    } else {
      EXPECT_EQ(constant.int64_data_size(), elements) << constant.name();
    }
  }
  for (const onnx::NodeProto& node : graph.node()) {
    for (const std::string& input : node.input()) {
      EXPECT_TRUE(made.contains(input)) << node.name() << " reads " << input;
      used.insert(input);
    }
    for (const std::string& output : node.output()) {
      EXPECT_TRUE(made.insert(output).second) << output << " is made twice";
    }
  }
  for (const onnx::ValueInfoProto& output : graph.output()) {
    EXPECT_TRUE(made.contains(output.name())) << output.name();
    used.insert(output.name());
  }
  made.erase("input");
  used.erase("input");
  EXPECT_EQ(made, used);
}

TEST(OnnxExportTest, DescribesTheModel) {
  const v1::Model model =
      CountingModel(ReferenceArchitecture("small-cnn", MakeShape(2, 8, 12), 5).value());
  const onnx::ModelProto file = Exported(model, OnnxInput::kPixels);
  EXPECT_EQ(file.ir_version(), 7);
  ASSERT_EQ(file.opset_import_size(), 1);
  EXPECT_EQ(file.opset_import(0).domain(), "");
  EXPECT_EQ(file.opset_import(0).version(), 13);
  EXPECT_EQ(file.producer_name(), "frontier");
  std::map<std::string, std::string> metadata;
  for (const auto& entry : file.metadata_props()) metadata[entry.key()] = entry.value();
  const std::map<std::string, std::string> expected = {
      {"dataset", "tiny"},
      {"classes", "5"},
      {"frontier_version", std::string(ProductVersion())},
      {"input", "pixels/255"},
      {"mean", "0.5,0.5"},
      {"deviation", "0.25,0.25"}};
  EXPECT_EQ(metadata, expected);

  const auto shape = [](const onnx::ValueInfoProto& value) {
    const onnx::TypeProto::Tensor& type = value.type().tensor_type();
    EXPECT_EQ(type.elem_type(), onnx::TensorProto::FLOAT);
    std::string text = value.name();
    for (const auto& d : type.shape().dim()) {
      absl::StrAppend(&text, " ", d.has_dim_param() ? d.dim_param() : absl::StrCat(d.dim_value()));
    }
    return text;
  };
  ASSERT_EQ(file.graph().input_size(), 1);
  ASSERT_EQ(file.graph().output_size(), 1);
  EXPECT_EQ(shape(file.graph().input(0)), "input N 2 8 12");
  EXPECT_EQ(shape(file.graph().output(0)), "logits N 5");
  ExpectWellFormed(file.graph());
}

TEST(OnnxExportTest, NormalizesPixelsFirst) {
  ArchitectureBuilder b(MakeShape(2, 3, 3), 4);
  b.Linear("", b.input(), 4);
  const v1::Model model = CountingModel(b.Build().value());
  const onnx::GraphProto pixels = Exported(model, OnnxInput::kPixels).graph();
  EXPECT_THAT(Types(pixels), ElementsAre("Sub", "Div", "Flatten", "Gemm"));
  EXPECT_EQ(pixels.node(0).input(0), "input");
  EXPECT_THAT(pixels.initializer(0).dims(), ElementsAre(2, 1, 1));
  EXPECT_EQ(pixels.initializer(0).raw_data(), std::string("\0\0\0\x3f\0\0\0\x3f", 8));
  const onnx::ModelProto normalized = Exported(model, OnnxInput::kNormalized);
  EXPECT_THAT(Types(normalized.graph()), ElementsAre("Flatten", "Gemm"));
  EXPECT_EQ(normalized.graph().node(0).input(0), "input");
  EXPECT_EQ(normalized.metadata_props(3).value(), "normalized");
}

TEST(OnnxExportTest, Convolution) {
  ArchitectureBuilder b(MakeShape(4, 9, 8), 2);
  v1::Convolution c;
  c.set_out_channels(6);
  c.set_kernel_height(3);
  c.set_kernel_width(2);
  c.set_stride_height(2);
  c.set_stride_width(1);
  c.set_padding_height(1);
  c.set_padding_width(0);
  c.set_dilation_height(2);
  c.set_dilation_width(3);
  c.set_groups(2);
  c.set_bias(true);
  b.Classifier(b.Convolution("stem", b.input(), c));
  const onnx::GraphProto graph = ExportedGraph(b);
  EXPECT_THAT(Types(graph), ElementsAre("Conv", "GlobalAveragePool", "Flatten", "Gemm"));
  EXPECT_THAT(graph.node(0).input(), ElementsAre("input", "stem.weight", "stem.bias"));
  const std::map<std::string, std::string> expected = {{"kernel_shape", "3 2 "},
                                                       {"strides", "2 1 "},
                                                       {"pads", "1 0 1 0 "},
                                                       {"dilations", "2 3 "},
                                                       {"group", "2"}};
  EXPECT_EQ(Attributes(graph, "Conv"), expected);
  EXPECT_THAT(graph.initializer(0).dims(), ElementsAre(6, 2, 3, 2));
  const v1::Model model = CountingModel(b.Build().value());
  EXPECT_EQ(graph.initializer(0).raw_data(), model.tensors(1).data());
  EXPECT_EQ(graph.initializer(1).raw_data(), model.tensors(0).data());
  const std::map<std::string, std::string> gemm = {{"transB", "1"}};
  EXPECT_EQ(Attributes(graph, "Gemm"), gemm);
  EXPECT_EQ(graph.node(3).output(0), "logits");
}

TEST(OnnxExportTest, BatchNormUsesRunningStatistics) {
  ArchitectureBuilder b(MakeShape(3, 4, 4), 2);
  b.Classifier(b.Relu("relu", b.BatchNorm("norm", b.input())));
  const onnx::GraphProto graph = ExportedGraph(b);
  EXPECT_THAT(Types(graph),
              ElementsAre("BatchNormalization", "Relu", "GlobalAveragePool", "Flatten", "Gemm"));
  EXPECT_THAT(graph.node(0).input(),
              ElementsAre("input", "norm.scale", "norm.shift", "norm.mean", "norm.variance"));
  const std::map<std::string, std::string> expected = {{"epsilon", "1e-05"}};
  EXPECT_EQ(Attributes(graph, "BatchNormalization"), expected);
}

TEST(OnnxExportTest, PoolsDoNotCountPadding) {
  ArchitectureBuilder b(MakeShape(1, 8, 8), 2);
  v1::Pool pool = SquarePool(3, 2);
  pool.set_padding_width(0);
  b.Classifier(b.AveragePool("", b.MaxPool("", b.input(), pool), pool));
  const onnx::GraphProto graph = ExportedGraph(b);
  std::map<std::string, std::string> expected = {
      {"kernel_shape", "3 3 "}, {"strides", "2 2 "}, {"pads", "1 0 1 0 "}};
  EXPECT_EQ(Attributes(graph, "MaxPool"), expected);
  expected["count_include_pad"] = "0";
  EXPECT_EQ(Attributes(graph, "AveragePool"), expected);
  EXPECT_EQ(graph.node(0).name(), "node1");
}

TEST(OnnxExportTest, JoinsAndIdentities) {
  ArchitectureBuilder b(MakeShape(2, 4, 4), 2);
  const int a = b.Relu("a", b.input());
  const int same = b.Identity("same", a);
  const int two = b.Add("two", {a, same});
  const int three = b.Add("three", {two, b.input(), same});
  b.Classifier(b.Concat("concat", {three, same, a}));
  const onnx::GraphProto graph = ExportedGraph(b);
  EXPECT_THAT(Types(graph),
              ElementsAre("Relu", "Add", "Sum", "Concat", "GlobalAveragePool", "Flatten", "Gemm"));
  EXPECT_THAT(graph.node(1).input(), ElementsAre("a", "a"));
  EXPECT_THAT(graph.node(2).input(), ElementsAre("two", "input", "a"));
  EXPECT_THAT(graph.node(3).input(), ElementsAre("three", "a", "a"));
  const std::map<std::string, std::string> expected = {{"axis", "1"}};
  EXPECT_EQ(Attributes(graph, "Concat"), expected);
}

// Those that are more than one node in operator set 13, or take attributes.
TEST(OnnxExportTest, ActivationsAndShuffles) {
  ArchitectureBuilder b(MakeShape(6, 4, 5), 6);
  int x = b.HardSwish("swish", b.LeakyRelu("leaky", b.Relu6("relu6", b.input()), 0.125f));
  x = b.Dropout("dropout", b.Gelu("gelu", x), 0.5f);
  x = b.Add("sum", {b.Silu("silu", x), b.Zero("zero", x)});
  x = b.ChannelShuffle("shuffle", x, 2);
  x = b.Multiply("scaled", x, b.Sigmoid("gate", b.GlobalAveragePool("squeezed", x)));
  b.Classifier(x);
  const onnx::GraphProto graph = ExportedGraph(b);
  EXPECT_THAT(Types(graph),
              ElementsAre("Clip", "LeakyRelu", "HardSigmoid", "Mul", "Div", "Erf", "Add", "Mul",
                          "Mul", "Sigmoid", "Mul", "Shape", "ConstantOfShape", "Add", "Reshape",
                          "Transpose", "Reshape", "GlobalAveragePool", "Sigmoid", "Mul",
                          "GlobalAveragePool", "Flatten", "Gemm"));
  ExpectWellFormed(graph);
  const std::map<std::string, std::string> leaky = {{"alpha", "0.125"}};
  EXPECT_EQ(Attributes(graph, "LeakyRelu"), leaky);
  const std::map<std::string, std::string> hard = {{"alpha", "0.166667"}, {"beta", "0.5"}};
  EXPECT_EQ(Attributes(graph, "HardSigmoid"), hard);
  const std::map<std::string, std::string> swap = {{"perm", "0 2 1 3 4 "}};
  EXPECT_EQ(Attributes(graph, "Transpose"), swap);
  for (const onnx::TensorProto& constant : graph.initializer()) {
    if (constant.name() == "shuffle.split_shape") {
      EXPECT_THAT(constant.int64_data(), ElementsAre(0, 2, 3, 4, 5));
    }
    if (constant.name() == "relu6.max") {
      EXPECT_THAT(constant.dims(), IsEmpty());
    }
  }
}

TEST(OnnxExportTest, HardSigmoidsAndSlices) {
  ArchitectureBuilder b(MakeShape(6, 4, 5), 3);
  const int x = b.HardSigmoid("hard", b.input());
  b.Classifier(b.ChannelSlice("slice", x, 2, 3));
  const onnx::GraphProto graph = ExportedGraph(b);
  EXPECT_THAT(Types(graph),
              ElementsAre("HardSigmoid", "Slice", "GlobalAveragePool", "Flatten", "Gemm"));
  ExpectWellFormed(graph);
  const std::map<std::string, std::string> hard = {{"alpha", "0.166667"}, {"beta", "0.5"}};
  EXPECT_EQ(Attributes(graph, "HardSigmoid"), hard);
  EXPECT_THAT(graph.node(1).input(),
              ElementsAre("hard", "slice.starts", "slice.ends", "slice.axes"));
  std::map<std::string, int64_t> constants;
  for (const onnx::TensorProto& constant : graph.initializer()) {
    if (constant.int64_data_size() == 1) constants[constant.name()] = constant.int64_data(0);
  }
  const std::map<std::string, int64_t> expected = {
      {"slice.starts", 2}, {"slice.ends", 5}, {"slice.axes", 1}};
  EXPECT_EQ(constants, expected);
}

TEST(OnnxExportTest, VectorsBecomeMapsWhereTheyMeet) {
  ArchitectureBuilder b(MakeShape(2, 4, 4), 2);
  const int features = b.Linear("features", b.input(), 2);
  const int relu = b.Relu("relu", features);
  const int pooled = b.GlobalAveragePool("pooled", b.input());
  b.Add("sum", {b.Add("vectors", {relu, features}), pooled, relu});
  const onnx::GraphProto graph = ExportedGraph(b);
  EXPECT_THAT(Types(graph), ElementsAre("Flatten", "Gemm", "Relu", "GlobalAveragePool", "Add",
                                        "Unsqueeze", "Unsqueeze", "Sum", "Flatten"));
  EXPECT_THAT(graph.node(7).input(), ElementsAre("vectors.maps", "pooled", "relu.maps"));
  ExpectWellFormed(graph);
}

TEST(OnnxExportTest, NetworksWithoutLayers) {
  ArchitectureBuilder b(MakeShape(3, 1, 1), 3);
  b.Identity("same", b.input());
  EXPECT_THAT(Types(ExportedGraph(b)), ElementsAre("Flatten"));
  const ArchitectureBuilder empty(MakeShape(3, 1, 1), 3);
  const onnx::GraphProto graph = ExportedGraph(empty);
  EXPECT_THAT(Types(graph), ElementsAre("Flatten"));
  ExpectWellFormed(graph);
}

// Names that the graph wants for itself, and one that is another's weight.
TEST(OnnxExportTest, NamesDoNotCollide) {
  ArchitectureBuilder b(MakeShape(2, 4, 4), 2);
  int x = b.Relu("logits", b.input());
  x = b.Relu("input.normalized", x);
  x = b.Relu("input.mean", x);
  x = b.Relu("layer.weight", x);
  x = b.Convolution("layer", x, SquareConvolution(2, 1));
  x = b.Relu("node7", x);
  b.Classifier(b.Relu("", x));
  const onnx::ModelProto file = Exported(CountingModel(b.Build().value()), OnnxInput::kPixels);
  ExpectWellFormed(file.graph());
}

TEST(OnnxExportTest, RandomNetworksAreWellFormedAndDeterministic) {
  constexpr uint64_t kSeed = 5;
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  for (int i = 0; i < 30; ++i) {
    const v1::Model model = CountingModel(RandomArchitecture(12, &rng, OperatorSet::kAll));
    ASSERT_OK_AND_ASSIGN(const std::string once, ExportOnnx(model, OnnxInput::kPixels));
    ASSERT_OK_AND_ASSIGN(const std::string again, ExportOnnx(model, OnnxInput::kPixels));
    EXPECT_EQ(once, again);
    onnx::ModelProto file;
    ASSERT_TRUE(file.ParseFromString(once));
    ExpectWellFormed(file.graph());
    if (HasFailure()) FAIL() << model.architecture().ShortDebugString();
  }
}

TEST(OnnxExportTest, ChecksTheModel) {
  ArchitectureBuilder b(MakeShape(2, 4, 4), 2);
  b.Classifier(b.input());
  v1::Model model = CountingModel(b.Build().value());
  model.mutable_tensors()->RemoveLast();
  EXPECT_THAT(ExportOnnx(model, OnnxInput::kPixels),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'weight' of node 2")));
  model = CountingModel(b.Build().value());
  model.mutable_normalization()->clear_mean();
  EXPECT_THAT(ExportOnnx(model, OnnxInput::kNormalized),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0 means")));
  EXPECT_THAT(ExportOnnx(v1::Model(), OnnxInput::kPixels),
              StatusIs(absl::StatusCode::kInvalidArgument, ::testing::_));
}

}  // namespace
}  // namespace frontier
