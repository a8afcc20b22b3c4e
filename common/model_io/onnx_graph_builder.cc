#include "common/model_io/onnx_graph_builder.h"

#include "absl/strings/str_cat.h"

namespace frontier {
namespace {

onnx::AttributeProto* NewAttribute(absl::string_view name, onnx::AttributeProto::AttributeType type,
                                   onnx::NodeProto* node) {
  onnx::AttributeProto* attribute = node->add_attribute();
  attribute->set_name(std::string(name));
  attribute->set_type(type);
  return attribute;
}

}  // namespace

void SetAttribute(absl::string_view name, int64_t value, onnx::NodeProto* node) {
  NewAttribute(name, onnx::AttributeProto::INT, node)->set_i(value);
}

void SetAttribute(absl::string_view name, float value, onnx::NodeProto* node) {
  NewAttribute(name, onnx::AttributeProto::FLOAT, node)->set_f(value);
}

void SetAttribute(absl::string_view name, absl::Span<const int64_t> values, onnx::NodeProto* node) {
  onnx::AttributeProto* attribute = NewAttribute(name, onnx::AttributeProto::INTS, node);
  attribute->mutable_ints()->Add(values.begin(), values.end());
}

OnnxGraphBuilder::OnnxGraphBuilder(const v1::Model& model, const GraphCosts& costs,
                                   onnx::GraphProto* graph)
    : model_(model),
      costs_(costs),
      graph_(graph),
      outputs_(static_cast<size_t>(model.architecture().nodes_size())) {
  for (const v1::Tensor& tensor : model.tensors()) {
    tensors_[{tensor.node(), tensor.name()}] = &tensor;
  }
}

std::string OnnxGraphBuilder::Name(int node) const {
  const std::string& name = model_.architecture().nodes(node).name();
  return name.empty() ? absl::StrCat("node", node) : name;
}

std::string OnnxGraphBuilder::Reserve(absl::string_view wanted) {
  std::string name(wanted);
  for (int n = 2; !taken_.insert(name).second; ++n) name = absl::StrCat(wanted, "_", n);
  return name;
}

std::string OnnxGraphBuilder::AddConstant(absl::string_view wanted,
                                          absl::Span<const int64_t> dimensions,
                                          absl::string_view data) {
  onnx::TensorProto* constant = graph_->add_initializer();
  constant->set_name(Reserve(wanted));
  constant->set_data_type(onnx::TensorProto::FLOAT);
  constant->mutable_dims()->Add(dimensions.begin(), dimensions.end());
  constant->set_raw_data(std::string(data));
  return constant->name();
}

std::string OnnxGraphBuilder::AddConstant(absl::string_view wanted,
                                          absl::Span<const int64_t> values) {
  onnx::TensorProto* constant = graph_->add_initializer();
  constant->set_name(Reserve(wanted));
  constant->set_data_type(onnx::TensorProto::INT64);
  constant->add_dims(static_cast<int64_t>(values.size()));
  constant->mutable_int64_data()->Add(values.begin(), values.end());
  return constant->name();
}

std::string OnnxGraphBuilder::AddTensor(int node, absl::string_view name) {
  const auto found = tensors_.find({node, std::string(name)});
  if (found == tensors_.end()) return "";
  const v1::Tensor& tensor = *found->second;
  return AddConstant(absl::StrCat(Name(node), ".", name), tensor.dimensions(), tensor.data());
}

onnx::NodeProto* OnnxGraphBuilder::AddNode(absl::string_view type, absl::string_view wanted,
                                           absl::Span<const std::string> inputs) {
  onnx::NodeProto* node = graph_->add_node();
  node->set_op_type(std::string(type));
  for (const std::string& input : inputs) node->add_input(input);
  const std::string output = Reserve(wanted);
  node->add_output(output);
  node->set_name(output);
  return node;
}

void OnnxGraphBuilder::SetOutput(int node, absl::string_view value, OnnxRank rank) {
  Output& output = outputs_[static_cast<size_t>(node)];
  output.rank = rank;
  (rank == OnnxRank::kMaps ? output.maps : output.flat) = std::string(value);
}

void OnnxGraphBuilder::SetAlias(int node, int source) {
  outputs_[static_cast<size_t>(node)] = outputs_[static_cast<size_t>(source)];
}

const std::string& OnnxGraphBuilder::Value(int node, OnnxRank rank) {
  Output& output = outputs_[static_cast<size_t>(node)];
  if (rank == OnnxRank::kFlat && output.flat.empty()) {
    onnx::NodeProto* flatten = AddNode("Flatten", absl::StrCat(Name(node), ".flat"), {output.maps});
    SetAttribute("axis", int64_t{1}, flatten);
    output.flat = flatten->output(0);
  }
  if (rank == OnnxRank::kMaps && output.maps.empty()) {
    const std::string axes = AddConstant(absl::StrCat(Name(node), ".axes"), {2, 3});
    output.maps =
        AddNode("Unsqueeze", absl::StrCat(Name(node), ".maps"), {output.flat, axes})->output(0);
  }
  return rank == OnnxRank::kMaps ? output.maps : output.flat;
}

std::vector<std::string> OnnxGraphBuilder::Inputs(int node, OnnxRank rank) {
  std::vector<std::string> values;
  for (const int source : model_.architecture().nodes(node).inputs()) {
    values.push_back(Value(source, rank));
  }
  return values;
}

OnnxRank OnnxGraphBuilder::CommonRank(int node) const {
  for (const int source : model_.architecture().nodes(node).inputs()) {
    if (rank(source) == OnnxRank::kMaps) return OnnxRank::kMaps;
  }
  return OnnxRank::kFlat;
}

}  // namespace frontier
