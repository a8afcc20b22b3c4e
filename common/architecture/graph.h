// What follows from an architecture alone: validity, shapes, costs.
#ifndef FRONTIER_COMMON_ARCHITECTURE_GRAPH_H_
#define FRONTIER_COMMON_ARCHITECTURE_GRAPH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier {

// "3x32x32": channels x height x width.
std::string ShapeText(const v1::Shape& shape);

struct NodeCosts {
  v1::Shape output;  // per sample
  int64_t parameters =
      0;             // trained weights: batch-norm scale and shift count, its statistics do not
  int64_t macs = 0;  // per sample, convolutions and linear layers, biases not counted
};

struct GraphCosts {
  std::vector<NodeCosts> nodes;  // one for each node of the architecture, in its order
  int64_t parameters = 0;
  int64_t macs = 0;
  int64_t activation_bytes = 0;  // f32 outputs of all nodes for one sample
  int32_t depth = 0;             // most convolutions and linear layers on a path to the output
};

// Validates and measures one node other than the input, given the shapes of its inputs in order.
// INVALID_ARGUMENT as AnalyzeGraph, field from within Node ("convolution.groups").
absl::StatusOr<NodeCosts> AnalyzeNode(const v1::Node& node, absl::Span<const v1::Shape> inputs);

// Validates and measures `architecture`. INVALID_ARGUMENT (reason INVALID_FIELD, field such as
// "nodes[7].convolution.groups") names the node and the value for: no nodes, a first node that is
// not the input or a later one that is, inputs that are not earlier nodes or of the wrong number,
// attributes that are missing, out of range or do not divide, shapes that do not agree, a kernel
// larger than its padded input, numbers that overflow, a name used twice (empty ones may repeat),
// an output that is not classes x 1 x 1.
absl::StatusOr<GraphCosts> AnalyzeGraph(const v1::Architecture& architecture);

}  // namespace frontier

#endif  // FRONTIER_COMMON_ARCHITECTURE_GRAPH_H_
