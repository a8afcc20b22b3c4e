#include "common/model_io/onnx_operators.h"

#include <numbers>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/model_io/parameters.h"

namespace frontier {
namespace {

// As in training.
constexpr float kBatchNormEpsilon = 1e-5f;

using Rule = void (*)(int node, OnnxGraphBuilder* builder);

// An operator of one ONNX node without constants, which works on any rank.
onnx::NodeProto* AddPlain(absl::string_view type, int node, OnnxGraphBuilder* b) {
  const OnnxRank rank = b->CommonRank(node);
  onnx::NodeProto* added = b->AddNode(type, b->Name(node), b->Inputs(node, rank));
  b->SetOutput(node, added->output(0), rank);
  return added;
}

// One that works on maps.
onnx::NodeProto* AddOnMaps(absl::string_view type, int node,
                           const std::vector<std::string>& constants, OnnxGraphBuilder* b) {
  std::vector<std::string> inputs = b->Inputs(node, OnnxRank::kMaps);
  inputs.insert(inputs.end(), constants.begin(), constants.end());
  onnx::NodeProto* added = b->AddNode(type, b->Name(node), inputs);
  b->SetOutput(node, added->output(0), OnnxRank::kMaps);
  return added;
}

std::string AddScalar(int node, absl::string_view name, float value, OnnxGraphBuilder* b) {
  v1::Tensor scalar;
  SetTensorValues({value}, &scalar);
  return b->AddConstant(absl::StrCat(b->Name(node), ".", name), {}, scalar.data());
}

// Attributes that convolutions and pools have in common.
template <typename Attributes>
void SetWindow(const Attributes& a, onnx::NodeProto* added) {
  SetAttribute("kernel_shape", {a.kernel_height(), a.kernel_width()}, added);
  SetAttribute("strides", {a.stride_height(), a.stride_width()}, added);
  // Begin of each axis, then end of each axis.
  SetAttribute("pads",
               {a.padding_height(), a.padding_width(), a.padding_height(), a.padding_width()},
               added);
}

void AddConvolution(int node, OnnxGraphBuilder* b) {
  const v1::Convolution& convolution = b->node(node).convolution();
  std::vector<std::string> constants = {b->AddTensor(node, "weight")};
  if (convolution.bias()) constants.push_back(b->AddTensor(node, "bias"));
  onnx::NodeProto* added = AddOnMaps("Conv", node, constants, b);
  SetWindow(convolution, added);
  SetAttribute("dilations", {convolution.dilation_height(), convolution.dilation_width()}, added);
  SetAttribute("group", int64_t{convolution.groups()}, added);
}

void AddLinear(int node, OnnxGraphBuilder* b) {
  std::vector<std::string> inputs = b->Inputs(node, OnnxRank::kFlat);
  inputs.push_back(b->AddTensor(node, "weight"));
  if (b->node(node).linear().bias()) inputs.push_back(b->AddTensor(node, "bias"));
  onnx::NodeProto* added = b->AddNode("Gemm", b->Name(node), inputs);
  SetAttribute("transB", int64_t{1}, added);
  b->SetOutput(node, added->output(0), OnnxRank::kFlat);
}

void AddBatchNorm(int node, OnnxGraphBuilder* b) {
  const OnnxRank rank = b->CommonRank(node);
  std::vector<std::string> inputs = b->Inputs(node, rank);
  for (const char* tensor : {"scale", "shift", "mean", "variance"}) {
    inputs.push_back(b->AddTensor(node, tensor));
  }
  onnx::NodeProto* added = b->AddNode("BatchNormalization", b->Name(node), inputs);
  SetAttribute("epsilon", kBatchNormEpsilon, added);
  b->SetOutput(node, added->output(0), rank);
}

void AddRelu(int node, OnnxGraphBuilder* b) { AddPlain("Relu", node, b); }

void AddMaxPool(int node, OnnxGraphBuilder* b) {
  SetWindow(b->node(node).pool(), AddOnMaps("MaxPool", node, {}, b));
}

void AddAveragePool(int node, OnnxGraphBuilder* b) {
  onnx::NodeProto* added = AddOnMaps("AveragePool", node, {}, b);
  SetWindow(b->node(node).pool(), added);
  SetAttribute("count_include_pad", int64_t{0}, added);
}

void AddGlobalAveragePool(int node, OnnxGraphBuilder* b) {
  AddOnMaps("GlobalAveragePool", node, {}, b);
}

void AddAddition(int node, OnnxGraphBuilder* b) {
  AddPlain(b->node(node).inputs_size() == 2 ? "Add" : "Sum", node, b);
}

void AddConcat(int node, OnnxGraphBuilder* b) {
  SetAttribute("axis", int64_t{1}, AddPlain("Concat", node, b));
}

void AddSigmoid(int node, OnnxGraphBuilder* b) { AddPlain("Sigmoid", node, b); }

void AddRelu6(int node, OnnxGraphBuilder* b) {
  const OnnxRank rank = b->CommonRank(node);
  std::vector<std::string> inputs = b->Inputs(node, rank);
  inputs.push_back(AddScalar(node, "min", 0, b));
  inputs.push_back(AddScalar(node, "max", 6, b));
  b->SetOutput(node, b->AddNode("Clip", b->Name(node), inputs)->output(0), rank);
}

void AddLeakyRelu(int node, OnnxGraphBuilder* b) {
  SetAttribute("alpha", b->node(node).leaky_relu().slope(), AddPlain("LeakyRelu", node, b));
}

// min(max(x + 3, 0), 6) / 6 = min(max(x / 6 + 1 / 2, 0), 1)
void SetHardSigmoid(onnx::NodeProto* added) {
  SetAttribute("alpha", 1.0f / 6.0f, added);
  SetAttribute("beta", 0.5f, added);
}

void AddHardSigmoid(int node, OnnxGraphBuilder* b) {
  SetHardSigmoid(AddPlain("HardSigmoid", node, b));
}

// x * gate(x), `gate` an operator of one input.
onnx::NodeProto* AddSelfGate(absl::string_view gate, int node, OnnxGraphBuilder* b) {
  const OnnxRank rank = b->CommonRank(node);
  const std::string x = b->Inputs(node, rank)[0];
  onnx::NodeProto* added = b->AddNode(gate, absl::StrCat(b->Name(node), ".gate"), {x});
  b->SetOutput(node, b->AddNode("Mul", b->Name(node), {x, added->output(0)})->output(0), rank);
  return added;
}

void AddSilu(int node, OnnxGraphBuilder* b) { AddSelfGate("Sigmoid", node, b); }

void AddHardSwish(int node, OnnxGraphBuilder* b) {
  SetHardSigmoid(AddSelfGate("HardSigmoid", node, b));
}

// x / 2 * (1 + erf(x / sqrt(2))): an operator of its own only since operator set 20.
void AddGelu(int node, OnnxGraphBuilder* b) {
  const OnnxRank rank = b->CommonRank(node);
  const std::string x = b->Inputs(node, rank)[0];
  const auto step = [node, b](const char* type, const char* name, const std::string& left,
                              const std::string& right) {
    return b->AddNode(type, absl::StrCat(b->Name(node), ".", name), {left, right})->output(0);
  };
  const std::string scaled =
      step("Div", "scaled", x, AddScalar(node, "sqrt2", std::numbers::sqrt2_v<float>, b));
  const std::string erf =
      b->AddNode("Erf", absl::StrCat(b->Name(node), ".erf"), {scaled})->output(0);
  const std::string gate = step("Add", "gate", erf, AddScalar(node, "one", 1, b));
  const std::string twice = step("Mul", "twice", x, gate);
  const std::string half = AddScalar(node, "half", 0.5f, b);
  b->SetOutput(node, b->AddNode("Mul", b->Name(node), {twice, half})->output(0), rank);
}

// A gate of C x 1 x 1 is spread over the map.
void AddMultiply(int node, OnnxGraphBuilder* b) { AddPlain("Mul", node, b); }

void AddChannelShuffle(int node, OnnxGraphBuilder* b) {
  const v1::Shape& shape = b->shape(node);
  const int64_t groups = b->node(node).channel_shuffle().groups();
  const std::string name = b->Name(node);
  // 0 keeps a dimension.
  const std::string split =
      b->AddConstant(absl::StrCat(name, ".split_shape"),
                     {0, groups, shape.channels() / groups, shape.height(), shape.width()});
  const std::string joined = b->AddConstant(absl::StrCat(name, ".shape"),
                                            {0, shape.channels(), shape.height(), shape.width()});
  std::vector<std::string> inputs = b->Inputs(node, OnnxRank::kMaps);
  inputs.push_back(split);
  const std::string grouped =
      b->AddNode("Reshape", absl::StrCat(name, ".split"), inputs)->output(0);
  onnx::NodeProto* swapped = b->AddNode("Transpose", absl::StrCat(name, ".swapped"), {grouped});
  SetAttribute("perm", {0, 2, 1, 3, 4}, swapped);
  b->SetOutput(node, b->AddNode("Reshape", name, {swapped->output(0), joined})->output(0),
               OnnxRank::kMaps);
}

void AddChannelSlice(int node, OnnxGraphBuilder* b) {
  const v1::ChannelSlice& slice = b->node(node).channel_slice();
  const OnnxRank rank = b->CommonRank(node);
  std::vector<std::string> inputs = b->Inputs(node, rank);
  const struct {
    const char* name;
    int64_t value;
  } constants[] = {
      {"starts", slice.first()}, {"ends", int64_t{slice.first()} + slice.channels()}, {"axes", 1}};
  for (const auto& [name, value] : constants) {
    inputs.push_back(b->AddConstant(absl::StrCat(b->Name(node), ".", name), {value}));
  }
  b->SetOutput(node, b->AddNode("Slice", b->Name(node), inputs)->output(0), rank);
}

void AddZero(int node, OnnxGraphBuilder* b) {
  const OnnxRank rank = b->CommonRank(node);
  const std::string shape =
      b->AddNode("Shape", absl::StrCat(b->Name(node), ".shape"), b->Inputs(node, rank))->output(0);
  b->SetOutput(node, b->AddNode("ConstantOfShape", b->Name(node), {shape})->output(0), rank);
}

// In inference a dropout is one too.
void AddIdentity(int node, OnnxGraphBuilder* b) { b->SetAlias(node, b->node(node).inputs(0)); }

// A new operator is one row here.
constexpr struct {
  v1::Operator op;
  Rule add;
} kRules[] = {
    {v1::OPERATOR_CONVOLUTION, AddConvolution},
    {v1::OPERATOR_LINEAR, AddLinear},
    {v1::OPERATOR_BATCH_NORM, AddBatchNorm},
    {v1::OPERATOR_RELU, AddRelu},
    {v1::OPERATOR_MAX_POOL, AddMaxPool},
    {v1::OPERATOR_AVERAGE_POOL, AddAveragePool},
    {v1::OPERATOR_GLOBAL_AVERAGE_POOL, AddGlobalAveragePool},
    {v1::OPERATOR_ADD, AddAddition},
    {v1::OPERATOR_CONCAT, AddConcat},
    {v1::OPERATOR_IDENTITY, AddIdentity},
    {v1::OPERATOR_RELU6, AddRelu6},
    {v1::OPERATOR_LEAKY_RELU, AddLeakyRelu},
    {v1::OPERATOR_SIGMOID, AddSigmoid},
    {v1::OPERATOR_SILU, AddSilu},
    {v1::OPERATOR_HARD_SWISH, AddHardSwish},
    {v1::OPERATOR_GELU, AddGelu},
    {v1::OPERATOR_MULTIPLY, AddMultiply},
    {v1::OPERATOR_CHANNEL_SHUFFLE, AddChannelShuffle},
    {v1::OPERATOR_DROPOUT, AddIdentity},
    {v1::OPERATOR_ZERO, AddZero},
    {v1::OPERATOR_HARD_SIGMOID, AddHardSigmoid},
    {v1::OPERATOR_CHANNEL_SLICE, AddChannelSlice},
};

}  // namespace

absl::Status AddOnnxOperator(int node, OnnxGraphBuilder* builder) {
  const v1::Operator op = builder->node(node).op();
  for (const auto& rule : kRules) {
    if (rule.op != op) continue;
    rule.add(node, builder);
    return absl::OkStatus();
  }
  return absl::UnimplementedError(absl::StrCat("node ", node, " ('", builder->Name(node),
                                               "'): no form in ONNX is known for ",
                                               v1::Operator_Name(op)));
}

}  // namespace frontier
