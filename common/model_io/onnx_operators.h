// How each operator of an architecture is written in ONNX.
#ifndef FRONTIER_COMMON_MODEL_IO_ONNX_OPERATORS_H_
#define FRONTIER_COMMON_MODEL_IO_ONNX_OPERATORS_H_

#include "absl/status/status.h"
#include "common/model_io/onnx_graph_builder.h"

namespace frontier {

// Operator set of the default domain that the nodes are written in.
inline constexpr int kOnnxOperatorSet = 13;

// Adds `node` of the builder's model, its constants, and sets its output. The outputs of its inputs
// are set. UNIMPLEMENTED if its operator has no form.
absl::Status AddOnnxOperator(int node, OnnxGraphBuilder* builder);

}  // namespace frontier

#endif  // FRONTIER_COMMON_MODEL_IO_ONNX_OPERATORS_H_
