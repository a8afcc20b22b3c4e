// Builds an ONNX graph from the nodes of an architecture.
#ifndef FRONTIER_COMMON_MODEL_IO_ONNX_GRAPH_BUILDER_H_
#define FRONTIER_COMMON_MODEL_IO_ONNX_GRAPH_BUILDER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/architecture/graph.h"
#include "frontier/v1/model.pb.h"
#include "onnx/onnx.pb.h"

namespace frontier {

// Output of a node: rank 4, N x C x H x W, or rank 2, N x C. Linear layers give the latter, which
// stays until an operator needs maps again.
enum class OnnxRank { kMaps, kFlat };

// Names are of values, which ONNX wants unique in the graph. Not thread-safe.
class OnnxGraphBuilder {
 public:
  // `model` passes CheckModel, `costs` is AnalyzeGraph of its architecture; all three outlive the
  // builder.
  OnnxGraphBuilder(const v1::Model& model, const GraphCosts& costs, onnx::GraphProto* graph);

  const v1::Node& node(int node) const { return model_.architecture().nodes(node); }
  // Output of `node`, per sample.
  const v1::Shape& shape(int node) const { return costs_.nodes[static_cast<size_t>(node)].output; }
  // The node's name in the architecture, or "node7".
  std::string Name(int node) const;

  // `wanted`, or the first of wanted_2, wanted_3, ... that no value has; taken from then on.
  std::string Reserve(absl::string_view wanted);

  // Constants; without dimensions, a scalar. `data` is little-endian f32, row-major. They return
  // the value's name.
  std::string AddConstant(absl::string_view wanted, absl::Span<const int64_t> dimensions,
                          absl::string_view data);
  std::string AddConstant(absl::string_view wanted, absl::Span<const int64_t> values);
  // The model's tensor `name` of `node`; empty if it has none.
  std::string AddTensor(int node, absl::string_view name);

  // Adds an ONNX node with one output, whose name is reserved from `wanted`.
  onnx::NodeProto* AddNode(absl::string_view type, absl::string_view wanted,
                           absl::Span<const std::string> inputs);

  // Makes `value` the output of `node`.
  void SetOutput(int node, absl::string_view value, OnnxRank rank);
  // Makes the output of `source` that of `node` too.
  void SetAlias(int node, int source);

  // The rank in which the node's output was made.
  OnnxRank rank(int node) const { return outputs_[static_cast<size_t>(node)].rank; }
  // The value of the node's output in a rank, converted at the first call. A map becomes flat by
  // row-major order; what is flat has height and width 1.
  const std::string& Value(int node, OnnxRank rank);
  // Of all inputs of `node` in one rank.
  std::vector<std::string> Inputs(int node, OnnxRank rank);
  // The rank that all inputs of `node` were made in; maps if they differ.
  OnnxRank CommonRank(int node) const;

 private:
  struct Output {
    OnnxRank rank = OnnxRank::kMaps;
    std::string maps;  // empty until there is one
    std::string flat;
  };

  const v1::Model& model_;
  const GraphCosts& costs_;
  onnx::GraphProto* const graph_;
  absl::flat_hash_set<std::string> taken_;
  absl::flat_hash_map<std::pair<int, std::string>, const v1::Tensor*> tensors_;
  std::vector<Output> outputs_;  // one for each node of the architecture
};

void SetAttribute(absl::string_view name, int64_t value, onnx::NodeProto* node);
void SetAttribute(absl::string_view name, float value, onnx::NodeProto* node);
void SetAttribute(absl::string_view name, absl::Span<const int64_t> values, onnx::NodeProto* node);

}  // namespace frontier

#endif  // FRONTIER_COMMON_MODEL_IO_ONNX_GRAPH_BUILDER_H_
