#include "common/model_io/onnx_export.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/architecture/graph.h"
#include "common/base/serialize.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "common/model_io/model_file.h"
#include "common/model_io/onnx_graph_builder.h"
#include "common/model_io/onnx_operators.h"
#include "common/model_io/parameters.h"
#include "onnx/onnx.pb.h"

namespace frontier {
namespace {

constexpr char kInputName[] = "input";
constexpr char kOutputName[] = "logits";
constexpr char kBatchName[] = "N";

// f32, N x `dimensions`.
void DescribeValue(const char* name, absl::Span<const int64_t> dimensions,
                   const std::string& description, onnx::ValueInfoProto* value) {
  value->set_name(name);
  value->set_doc_string(description);
  onnx::TypeProto::Tensor* type = value->mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  type->mutable_shape()->add_dim()->set_dim_param(kBatchName);
  for (const int64_t d : dimensions) type->mutable_shape()->add_dim()->set_dim_value(d);
}

void AddMetadata(const char* key, const std::string& value, onnx::ModelProto* file) {
  onnx::StringStringEntryProto* entry = file->add_metadata_props();
  entry->set_key(key);
  entry->set_value(value);
}

// By node: whether the output depends on it.
std::vector<bool> ReachOutput(const v1::Architecture& architecture) {
  std::vector<bool> reach(static_cast<size_t>(architecture.nodes_size()), false);
  reach.back() = true;
  for (int i = architecture.nodes_size() - 1; i >= 0; --i) {
    if (!reach[static_cast<size_t>(i)]) continue;
    for (const int source : architecture.nodes(i).inputs()) {
      reach[static_cast<size_t>(source)] = true;
    }
  }
  return reach;
}

// One number a channel, for broadcasting over N x C x H x W.
std::string AddChannelConstant(const char* name,
                               const google::protobuf::RepeatedField<float>& values,
                               OnnxGraphBuilder* builder) {
  v1::Tensor tensor;
  SetTensorValues(values, &tensor);
  return builder->AddConstant(name, {values.size(), 1, 1}, tensor.data());
}

// The value that the network's first layers read.
std::string AddInput(const v1::Normalization& normalization, OnnxInput input, OnnxGraphBuilder* b) {
  if (input == OnnxInput::kNormalized) return kInputName;
  const std::string mean = AddChannelConstant("input.mean", normalization.mean(), b);
  const std::string deviation = AddChannelConstant("input.deviation", normalization.deviation(), b);
  const std::string centred =
      b->AddNode("Sub", "input.centred", {std::string(kInputName), mean})->output(0);
  return b->AddNode("Div", "input.normalized", {centred, deviation})->output(0);
}

// A flat value always comes from a node, never straight from the graph's input.
void RenameValue(const std::string& from, const std::string& to, onnx::GraphProto* graph) {
  for (onnx::NodeProto& node : *graph->mutable_node()) {
    for (std::string& name : *node.mutable_input()) {
      if (name == from) name = to;
    }
    for (std::string& name : *node.mutable_output()) {
      if (name == from) name = to;
    }
  }
}

absl::Status BuildGraph(const v1::Model& model, OnnxInput input, onnx::GraphProto* graph) {
  const v1::Architecture& architecture = model.architecture();
  const bool pixels = input == OnnxInput::kPixels;
  graph->set_name("frontier");
  DescribeValue(kInputName,
                {architecture.input().channels(), architecture.input().height(),
                 architecture.input().width()},
                pixels ? "pixels / 255, from 0 to 1" : "(pixels / 255 - mean) / deviation",
                graph->add_input());
  DescribeValue(kOutputName, {architecture.classes()}, "scores of the classes, before softmax",
                graph->add_output());

  ASSIGN_OR_RETURN(const GraphCosts costs, AnalyzeGraph(architecture));
  OnnxGraphBuilder builder(model, costs, graph);
  builder.Reserve(kInputName);
  builder.Reserve(kOutputName);
  builder.SetOutput(0, AddInput(model.normalization(), input, &builder), OnnxRank::kMaps);
  const std::vector<bool> reach = ReachOutput(architecture);
  for (int i = 1; i < architecture.nodes_size(); ++i) {
    if (reach[static_cast<size_t>(i)]) RETURN_IF_ERROR(AddOnnxOperator(i, &builder));
  }
  const int last = architecture.nodes_size() - 1;
  const std::string output = builder.Value(last, OnnxRank::kFlat);
  RenameValue(output, kOutputName, graph);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ExportOnnx(const v1::Model& model, OnnxInput input) {
  RETURN_IF_ERROR(CheckModel(model));
  onnx::ModelProto file;
  file.set_ir_version(onnx::IR_VERSION_2020_5_8);
  onnx::OperatorSetIdProto* operators = file.add_opset_import();
  operators->set_domain("");
  operators->set_version(kOnnxOperatorSet);
  file.set_producer_name("frontier");
  file.set_producer_version(std::string(ProductVersion()));
  AddMetadata("dataset", model.dataset(), &file);
  AddMetadata("classes", absl::StrCat(model.architecture().classes()), &file);
  AddMetadata("frontier_version", std::string(ProductVersion()), &file);
  AddMetadata("input", input == OnnxInput::kPixels ? "pixels/255" : "normalized", &file);
  AddMetadata("mean", absl::StrJoin(model.normalization().mean(), ","), &file);
  AddMetadata("deviation", absl::StrJoin(model.normalization().deviation(), ","), &file);
  RETURN_IF_ERROR(BuildGraph(model, input, file.mutable_graph()));

  return SerializeDeterministically(file, "the ONNX model");
}

}  // namespace frontier
