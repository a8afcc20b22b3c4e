#include "common/model_io/onnx_operators.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

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
